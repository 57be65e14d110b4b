import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { BackupError } from "../../../src/Backup/BackupError.js"
import type * as Manifest from "../../../src/Backup/Manifest.js"
import type { Strategy } from "../../../src/Backup/BackupStrategy/Strategy.js"
import * as SetAside from "../../../src/Backup/BackupStrategy/Sqlite/SetAside.js"
import { fill, inDatabase, strategy, value } from "../../support/SqliteBackup.js"
import * as SqliteProcess from "../../support/SqliteProcess.js"
import * as TempDir from "../../support/TempDir.js"

const silent = () => Effect.void
const startedAt = DateTime.unsafeMake("2026-01-02T03:04:05.678Z")
const options = { startedAt, replaceDamaged: false, onProgress: silent }
const replacing = { ...options, replaceDamaged: true }

const reason = <A>(self: Effect.Effect<A, BackupError>) =>
  Effect.map(Effect.flip(self), (error) => error.reason)

interface Made {
  readonly sqlite: Strategy
  readonly directory: string
  readonly file: string
  readonly dump: Manifest.Dump
  readonly payload: {
    readonly path: string
    readonly compression: "gzip"
    readonly dump: Manifest.Dump
  }
}

/** A database of 3000 items, and a backup of it in another directory. */
const made = (mode: "wal" | "delete", pageSize = 4096) =>
  Effect.gen(function* () {
    const directory = yield* TempDir.make("sqlite")
    const backups = yield* TempDir.make("backups")
    const file = path.join(directory, "bot.db")
    inDatabase(file, (database) => {
      database.pragma(`page_size = ${pageSize}`)
      database.pragma(`journal_mode = ${mode}`)
      fill(database, 3000)
      database.exec(SqliteProcess.ledgerSchema)
    })
    const sqlite = yield* strategy(file, { busyTimeout: "10 seconds" })
    const target = path.join(backups, "p.db.gz")
    const dump = yield* sqlite.dump({
      path: target,
      compression: "gzip",
      level: undefined,
      onProgress: silent
    })
    const payload = { path: target, compression: "gzip", dump } as const
    const result: Made = { sqlite, directory, file, dump, payload }
    return result
  })

const state = (file: string) =>
  inDatabase(file, (database) => ({
    check: value(database, "PRAGMA integrity_check"),
    mode: value(database, "PRAGMA journal_mode"),
    pageSize: value(database, "PRAGMA page_size"),
    items: value(database, "SELECT count(*) || '/' || sum(length(data)) FROM items")
  }))

const count = (process: SqliteProcess.SqliteProcess) =>
  Effect.map(process.sql("SELECT count(*) AS n FROM items"), ([row]) => row?.n)

describe("restores of SQLite", () => {
  for (const mode of ["wal", "delete"] as const) {
    it.scopedLive(`into a database that others hold open and write to, in ${mode} mode`, () =>
      Effect.gen(function* () {
        const { dump, file, payload, sqlite } = yield* made(mode)
        const before = state(file)
        const reader = yield* SqliteProcess.open(file)
        const writer = yield* SqliteProcess.open(file)
        yield* writer.sql("DELETE FROM items WHERE id % 2 = 0")
        yield* writer.sql("CREATE TABLE later (x)")
        assert.strictEqual(yield* count(reader), 1500)
        yield* writer.startWriting
        const restored = yield* sqlite.restore(payload, options)
        yield* writer.stopWriting
        assert.strictEqual(restored.method, "through SQLite's backup API")
        assert.strictEqual(restored.setAside, undefined)
        assert.deepInclude(restored.tables, { name: "items", rows: 3000 })
        assert.strictEqual(yield* count(reader), 3000)
        assert.strictEqual(yield* count(writer), 3000)
        // What the others write from then on is kept, and everyone sees it.
        yield* writer.sql("INSERT INTO items (title) VALUES ('after')")
        assert.strictEqual(yield* count(reader), 3001)
        const [money] = yield* reader.sql(
          "SELECT (SELECT sum(amount) FROM ledger) - (SELECT total FROM account) AS lost"
        )
        assert.strictEqual(money?.lost ?? 0, 0)
        yield* reader.sql("DELETE FROM items WHERE title = 'after'")
        assert.deepStrictEqual(state(file), before)
        assert.strictEqual(
          inDatabase(file, (database) =>
            value(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'")
          ),
          0
        )
        assert.strictEqual(dump.contentBytes > 0, true)
      })
    )
  }

  it.scopedLive("over a surviving -wal are not undone by it", () =>
    Effect.gen(function* () {
      const { file, payload, sqlite } = yield* made("wal")
      const before = state(file)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const writer = yield* SqliteProcess.open(file)
          yield* writer.sql("PRAGMA wal_autocheckpoint = 0")
          yield* writer.sql("UPDATE items SET data = 'only in the WAL'")
        })
      )
      assert.isAbove(fs.statSync(`${file}-wal`).size, 0)
      yield* sqlite.restore(payload, options)
      assert.deepStrictEqual(state(file), before)
    })
  )

  for (const mode of ["wal", "delete"] as const) {
    it.scopedLive(`into pages of another size, in ${mode} mode`, () =>
      Effect.gen(function* () {
        const { payload, file, directory } = yield* made("delete", 1024)
        const other = path.join(directory, "other.db")
        inDatabase(other, (database) => {
          database.pragma("page_size = 8192")
          database.pragma(`journal_mode = ${mode}`)
          database.exec("CREATE TABLE x (y)")
        })
        const sqlite = yield* strategy(other)
        const holder = yield* SqliteProcess.open(other)
        yield* holder.sql("SELECT count(*) FROM x")
        yield* sqlite.restore(payload, options)
        assert.strictEqual(yield* count(holder), 3000)
        assert.deepStrictEqual(state(other), { ...state(file), mode, pageSize: 8192 })
        assert.deepStrictEqual(
          fs.readdirSync(directory).filter((name) => name.includes("scratch")),
          []
        )
      })
    )
  }

  it.scopedLive("into nothing make the database; what is left of a -wal is set aside", () =>
    Effect.gen(function* () {
      const { directory, file, payload, sqlite } = yield* made("delete")
      const before = state(file)
      fs.rmSync(file)
      const fresh = yield* sqlite.restore(payload, options)
      assert.strictEqual(fresh.setAside, undefined)
      assert.deepStrictEqual(state(file), before)
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      assert.deepStrictEqual(fs.readdirSync(directory), ["bot.db"])
      fs.rmSync(file)
      fs.writeFileSync(`${file}-wal`, "the last rows")
      const again = yield* sqlite.restore(payload, options)
      assert.strictEqual(again.setAside, SetAside.nameOf(fs.realpathSync(file), startedAt))
      assert.deepStrictEqual(state(file), before)
      assert.deepStrictEqual(fs.readdirSync(directory).sort(), [
        "bot.db",
        "bot.db_pre_restore_20260102_030405_678-wal"
      ])
    })
  )

  for (const copy of ["vacuum", "frozen"] as const) {
    it.scopedLive(`into nothing bring back the journal mode of the source (${copy})`, () =>
      Effect.gen(function* () {
        for (const mode of ["wal", "delete"] as const) {
          const { directory, file, payload } = yield* made(mode)
          const sqlite = yield* strategy(file, { copy })
          const before = state(file)
          const target = path.join(path.dirname(payload.path), "again.db")
          const wanted = { path: target, compression: "none", level: undefined } as const
          const dump = yield* sqlite.dump({ ...wanted, onProgress: silent })
          assert.strictEqual(dump.journalMode, mode === "wal" ? "wal" : "rollback")
          fs.rmSync(file)
          const again = { path: target, compression: "none", dump } as const
          yield* sqlite.restore(again, options)
          assert.deepStrictEqual(state(file), before)
          // A record from before that was in it, and none at all.
          const { journalMode: _, ...older } = dump
          for (const known of [older, undefined]) {
            fs.rmSync(file)
            yield* sqlite.restore({ ...again, dump: known }, options)
            assert.deepStrictEqual(state(file), { ...before, mode: "delete" })
          }
          // Over one that is there it is the affair of who has it open.
          inDatabase(file, (database) => database.pragma("journal_mode = WAL"))
          yield* sqlite.restore(again, options)
          assert.deepStrictEqual(state(file), { ...before, mode: "wal" })
          assert.deepStrictEqual(fs.readdirSync(directory), ["bot.db"])
        }
      })
    )
  }

  it.scopedLive("by a link whose database is gone make it where the link leads", () =>
    Effect.gen(function* () {
      const { file, payload } = yield* made("wal")
      const before = state(file)
      const home = yield* TempDir.make("home")
      const link = path.join(home, "live.db")
      // By two links, one of them relative and in a directory that is a link itself.
      fs.symlinkSync(path.dirname(file), path.join(home, "data"))
      fs.symlinkSync("data/bot.db", path.join(home, "current.db"))
      fs.symlinkSync("current.db", link)
      const sqlite = yield* strategy(link)
      assert.strictEqual((yield* sqlite.database).name, "bot.db")
      fs.rmSync(file)
      assert.strictEqual((yield* sqlite.present)._tag, "Absent")
      const wanted = { path: `${payload.path}.2`, compression: "none", level: undefined } as const
      const missing = yield* Effect.flip(sqlite.dump({ ...wanted, onProgress: silent }))
      assert.strictEqual(missing.reason, "Missing")
      assert.include(missing.message, `nothing where the symbolic link ${link} leads`)
      yield* sqlite.restore(payload, options)
      assert.deepStrictEqual(state(file), before)
      assert.isTrue(fs.lstatSync(link).isSymbolicLink())
      assert.deepStrictEqual(fs.readdirSync(home).sort(), ["current.db", "data", "live.db"])
    })
  )

  it.scopedLive("by a link to a directory that is gone, or to itself, are refused", () =>
    Effect.gen(function* () {
      const { payload } = yield* made("wal")
      const home = yield* TempDir.make("home")
      const link = path.join(home, "live.db")
      fs.symlinkSync("/mnt/not mounted/bot.db", link)
      const sqlite = yield* strategy(link)
      const works: ReadonlyArray<Effect.Effect<unknown, BackupError>> = [
        sqlite.restore(payload, options),
        sqlite.present,
        sqlite.estimate
      ]
      for (const work of works) {
        const error = yield* Effect.flip(work)
        assert.strictEqual(error.reason, "Missing")
        assert.include(error.message, `/mnt/not mounted, to which the symbolic link ${link} leads`)
      }
      fs.rmSync(link)
      fs.symlinkSync("live.db", link)
      const endless = yield* Effect.flip(sqlite.restore(payload, options))
      assert.strictEqual(endless.reason, "Missing")
      assert.include(endless.message, "without an end")
      assert.deepStrictEqual(fs.readdirSync(home), ["live.db"])
    })
  )

  it.scopedLive("over a damaged database move it aside, when they may and nobody has it open", () =>
    Effect.gen(function* () {
      const { directory, file, payload, sqlite } = yield* made("wal")
      const before = state(file)
      fs.writeFileSync(file, "no database any more".repeat(500), { mode: 0o640 })
      fs.chmodSync(file, 0o640)
      fs.writeFileSync(`${file}-wal`, "its wal")
      const damage = fs.readFileSync(file)
      assert.strictEqual(yield* reason(sqlite.restore(payload, options)), "Unreadable")
      assert.isTrue(fs.readFileSync(file).equals(damage))
      // In this process; the child finds it by its descriptor.
      const held = fs.openSync(file, "r")
      const inUse = yield* Effect.flip(sqlite.restore(payload, replacing))
      fs.closeSync(held)
      assert.strictEqual(inUse.reason, "InUse")
      assert.include(inUse.message, String(process.pid))
      assert.isTrue(fs.readFileSync(file).equals(damage))
      const restored = yield* sqlite.restore(payload, replacing)
      assert.strictEqual(
        path.basename(restored.setAside ?? ""),
        "bot.db_pre_restore_20260102_030405_678"
      )
      assert.deepStrictEqual(state(file), before)
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o640)
      assert.isTrue(fs.readFileSync(restored.setAside ?? "").equals(damage))
      assert.strictEqual(fs.readFileSync(`${restored.setAside}-wal`, "utf8"), "its wal")
      const aside = yield* sqlite.setAside
      assert.deepStrictEqual(
        aside.map(({ at, bytes }) => [DateTime.formatIso(at), bytes]),
        [["2026-01-02T03:04:05.678Z", damage.length]]
      )
      assert.strictEqual(yield* reason(sqlite.dropSetAside("bot.db")), "NotFound")
      yield* sqlite.dropSetAside(aside[0]?.name ?? "")
      assert.deepStrictEqual(fs.readdirSync(directory), ["bot.db"])
    })
  )

  it.scopedLive("that find the database locked give up in time, with nothing changed", () =>
    Effect.gen(function* () {
      for (const mode of ["wal", "delete"] as const) {
        const { file, payload } = yield* made(mode)
        const sqlite = yield* strategy(file, { busyTimeout: "300 millis" })
        const other = yield* SqliteProcess.open(file)
        yield* other.sql("DELETE FROM items WHERE id > 10")
        yield* other.sql("BEGIN IMMEDIATE")
        yield* other.sql("DELETE FROM items WHERE id > 5")
        assert.strictEqual(yield* reason(sqlite.restore(payload, options)), "Busy")
        yield* other.sql("COMMIT")
        assert.strictEqual(yield* count(other), 5)
        yield* sqlite.restore(payload, options)
        assert.strictEqual(yield* count(other), 3000)
      }
    })
  )

  it.scopedLive("of what is no whole backup are refused, with nothing changed", () =>
    Effect.gen(function* () {
      const { directory, file, payload, sqlite } = yield* made("wal")
      const before = state(file)
      const bytes = fs.readFileSync(payload.path)
      for (const bad of [Buffer.alloc(0), bytes.subarray(0, -1), Buffer.from("PGDMP")]) {
        fs.writeFileSync(payload.path, bad)
        const error = yield* Effect.flip(sqlite.restore(payload, options))
        assert.strictEqual(error.reason, bad.length === 5 ? "WrongEngine" : "Corrupt")
        assert.deepStrictEqual(state(file), before)
      }
      assert.deepStrictEqual(fs.readdirSync(directory), ["bot.db"])
    })
  )
})

describe("names of what is set aside", () => {
  it("are read as they are written, and no others", () => {
    const name = SetAside.nameOf("bot.db", startedAt)
    assert.strictEqual(name, "bot.db_pre_restore_20260102_030405_678")
    assert.deepStrictEqual(Option.getOrNull(SetAside.parse("bot.db", name)), startedAt)
    for (const other of [
      "bot.db",
      `${name}-wal`,
      "other.db_pre_restore_20260102_030405_678",
      `${name}9`
    ]) {
      assert.isTrue(Option.isNone(SetAside.parse("bot.db", other)), other)
    }
  })
})
