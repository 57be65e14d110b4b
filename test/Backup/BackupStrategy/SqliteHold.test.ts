import { assert, describe, it } from "@effect/vitest"
import { DateTime, Deferred, Effect, Fiber, Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { gunzipSync } from "node:zlib"
import * as Backup from "../../../src/Backup/Backup.js"
import * as BackupStore from "../../../src/Backup/BackupStore.js"
import { BackupStrategy, type Outcome } from "../../../src/Backup/BackupStrategy/Strategy.js"
import { faulty, fill, inDatabase, strategy, value } from "../../support/SqliteBackup.js"
import * as SqliteProcess from "../../support/SqliteProcess.js"
import * as TempDir from "../../support/TempDir.js"
import * as Tmpfs from "../../support/Tmpfs.js"

const silent = () => Effect.void
const gzip = { compression: "gzip", level: 1, onProgress: silent } as const
const startedAt = DateTime.unsafeMake("2026-01-02T03:04:05.678Z")
const options = { startedAt, replaceDamaged: false, onProgress: silent }

/** A database, and a backup of it in another directory. */
const made = (mode: "wal" | "delete", rows = 3000, directory?: string) =>
  Effect.gen(function* () {
    const folder = directory ?? (yield* TempDir.make("sqlite"))
    const backups = yield* TempDir.make("backups")
    const file = path.join(folder, "bot.db")
    inDatabase(file, (database) => {
      database.pragma(`journal_mode = ${mode}`)
      database.exec(SqliteProcess.ledgerSchema)
      fill(database, rows)
    })
    const sqlite = yield* strategy(file)
    const target = path.join(backups, "p.db.gz")
    const dump = yield* sqlite.dump({ ...gzip, path: target })
    const payload = { path: target, compression: "gzip", dump } as const
    return { backups, file, payload, sqlite }
  })

const items = (file: string) =>
  inDatabase(file, (database) => value(database, "SELECT count(*) FROM items"))

describe("while a SQLite database is restored", () => {
  for (const [mode, copy] of [
    ["wal", "vacuum"],
    ["wal", "frozen"],
    ["delete", "vacuum"],
    ["delete", "frozen"]
  ] as const) {
    it.scopedLive(`each commit is in the pre-restore backup or comes after, ${mode}, ${copy}`, () =>
      Effect.gen(function* () {
        const { backups, file } = yield* made(mode, 20_000)
        const layer = Backup.layer({ app: "Bot" }).pipe(
          Layer.provide(BackupStore.layerDirectory({ path: path.join(backups, "store") })),
          Layer.provide(Layer.effect(BackupStrategy, strategy(file, { copy })))
        )
        const run = <A, E>(use: (backup: typeof Backup.Backup.Service) => Effect.Effect<A, E>) =>
          Effect.flatMap(Backup.Backup, use).pipe(Effect.provide(layer))
        yield* run((backup) => backup.create())
        const writer = yield* SqliteProcess.open(file)
        yield* writer.startWriting
        const restored = yield* run((backup) => backup.restore({ _tag: "Latest" }))
        const commits = yield* writer.stopWriting
        const name = restored?.preRestore ?? ""
        const copied = path.join(backups, "pre.db")
        fs.writeFileSync(copied, gunzipSync(fs.readFileSync(path.join(backups, "store", name))))
        const rows = (of: string) =>
          inDatabase(of, (database) => Number(value(database, "SELECT count(*) FROM ledger")))
        assert.isAbove(rows(copied), 0)
        // The backup has none: what is in the database now was written after the restore.
        assert.strictEqual(rows(copied) + rows(file), commits)
      })
    )
  }

  for (const mode of ["wal", "delete"] as const) {
    it.scopedLive(
      `nobody can write from before it is saved, and all can when it ends, ${mode}`,
      () =>
        Effect.gen(function* () {
          const { file, payload, sqlite } = yield* made(mode)
          inDatabase(file, (database) => database.exec("DELETE FROM items"))
          const insert = () =>
            inDatabase(file, (database) => {
              database.pragma("busy_timeout = 0")
              database.exec("INSERT INTO items (title) VALUES ('meanwhile')")
            })
          // Given up, nothing is changed and nothing stays locked.
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* sqlite.hold?.(payload, options) ?? Effect.die("it cannot hold")
              assert.throws(insert, /locked/)
            })
          )
          insert()
          assert.strictEqual(items(file), 1)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const held = yield* sqlite.hold?.(payload, options) ?? Effect.die("it cannot hold")
              const target = `${payload.path}.pre`
              const dump = yield* held.dump({ ...gzip, path: target })
              assert.deepInclude(dump.tables, { name: "items", rows: 1 })
              assert.throws(insert, /locked/)
              const restored = yield* held.restore
              assert.deepStrictEqual(restored.warnings, [])
              insert()
            })
          )
          assert.strictEqual(items(file), 3001)
        })
    )
  }
})

describe("what a restore says of its end", () => {
  it.scopedLive("is that nothing was changed where its child dies before it writes", () =>
    Effect.gen(function* () {
      const { file, payload } = yield* made("wal")
      // The thread ends with the lock in its hand.
      const sqlite = yield* faulty(file, {
        moment: "locked",
        script: "",
        prelude:
          'if (require("node:worker_threads").isMainThread) process.stdin.once("data", () => setTimeout(() => process.kill(process.pid, "SIGKILL"), 0))'
      })
      const error = yield* Effect.flip(
        Effect.scoped(sqlite.hold?.(payload, options) ?? Effect.die("it cannot hold"))
      )
      assert.include(error.message, "SIGKILL")
      assert.include(error.message, "Nothing was changed")
      assert.strictEqual(items(file), 3000)
    })
  )

  it.scopedLive("is that it is done, where what comes after the commit fails", () =>
    Effect.gen(function* () {
      const { file, payload } = yield* made("delete")
      inDatabase(file, (database) => database.exec("DELETE FROM items"))
      const sqlite = yield* faulty(file, {
        moment: "committed",
        script: `globalThis.other = new Sqlite(file); globalThis.other.exec("BEGIN EXCLUSIVE")`,
        busyTimeout: "100 millis"
      })
      const restored = yield* sqlite.restore(payload, options)
      assert.match(restored.warnings.join(), /could not be counted: database is locked/)
      assert.deepStrictEqual(restored.tables, payload.dump.tables)
      assert.strictEqual(items(file), 3000)
    })
  )

  it.scopedLive("is told while it runs, for whoever interrupts it", () =>
    Effect.gen(function* () {
      const { file, payload } = yield* made("wal")
      inDatabase(file, (database) => database.exec("DELETE FROM items"))
      const told: Array<string> = []
      const begun = yield* Deferred.make<void>()
      const onOutcome = (outcome: Outcome) =>
        Effect.zipRight(
          Effect.sync(() => told.push(outcome._tag)),
          Deferred.succeed(begun, undefined)
        )
      const hanging = yield* faulty(file, {
        moment: "locked",
        script: "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)"
      })
      const fiber = yield* Effect.fork(hanging.restore(payload, { ...options, onOutcome }))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(told, ["Unknown"])
      assert.strictEqual(items(file), 0)
      const sqlite = yield* strategy(file)
      yield* sqlite.restore(payload, { ...options, onOutcome })
      assert.deepStrictEqual(told.slice(1), ["Unknown", "Replaced"])
    })
  )

  it.scopedLive("is that it is done, with a word about what others wrote since", () =>
    Effect.gen(function* () {
      const { file, payload } = yield* made("wal")
      const sqlite = yield* faulty(file, {
        moment: "committed",
        script: `const other = new Sqlite(file); other.exec("INSERT INTO items (title) VALUES ('x')"); other.close()`
      })
      const restored = yield* sqlite.restore(payload, options)
      assert.match(restored.warnings.join(), /written to by others since it was restored/)
      assert.deepInclude(restored.tables, { name: "items", rows: 3001 })
    })
  )
})

describe("a restore into SQLite", () => {
  it.scopedLive(
    "and a dump leave an empty file beside a -wal alone, for which SQLite has no use",
    () =>
      Effect.gen(function* () {
        const { file, sqlite } = yield* made("wal")
        for (const suffix of ["", "-wal", "-shm"]) fs.rmSync(`${file}${suffix}`, { force: true })
        fs.writeFileSync(file, "")
        fs.writeFileSync(`${file}-wal`, "what a writer that was killed left")
        const present = yield* sqlite.present
        assert.strictEqual(present._tag, "Damaged")
        const error = yield* Effect.flip(sqlite.dump({ ...gzip, path: `${file}.gz` }))
        assert.strictEqual(error.reason, "Damaged")
        assert.strictEqual(
          fs.readFileSync(`${file}-wal`, "utf8"),
          "what a writer that was killed left"
        )
      })
  )

  it.scopedLive("goes over an empty file, which is a database without tables", () =>
    Effect.gen(function* () {
      const { file, payload, sqlite } = yield* made("wal")
      for (const suffix of ["", "-wal", "-shm"]) fs.rmSync(`${file}${suffix}`, { force: true })
      fs.writeFileSync(file, "")
      assert.deepStrictEqual(yield* sqlite.present, { _tag: "Readable", bytes: 0 })
      const target = `${payload.path}.pre`
      yield* Effect.scoped(
        Effect.gen(function* () {
          const held = yield* sqlite.hold?.(payload, options) ?? Effect.die("it cannot hold")
          const dump = yield* held.dump({ ...gzip, path: target })
          assert.deepStrictEqual(dump.tables, [])
          yield* sqlite.verify(
            { path: target, compression: "gzip", dump },
            { deep: true, onProgress: silent }
          )
          yield* held.restore
        })
      )
      assert.strictEqual(items(file), 3000)
    })
  )

  it.scopedLive("of a backup with one bit changed is refused, with nothing changed", () =>
    Effect.gen(function* () {
      const { file, payload, sqlite } = yield* made("wal")
      inDatabase(file, (database) => database.exec("DELETE FROM items WHERE id > 7"))
      const bytes = fs.readFileSync(payload.path)
      for (const at of [bytes.length >> 2, bytes.length >> 1, bytes.length - 3]) {
        const flipped = Buffer.from(bytes)
        flipped.writeUInt8(flipped.readUInt8(at) ^ 4, at)
        fs.writeFileSync(payload.path, flipped)
        const error = yield* Effect.flip(sqlite.restore(payload, options))
        assert.strictEqual(error.reason, "Corrupt")
        assert.strictEqual(items(file), 7)
      }
      assert.deepStrictEqual(fs.readdirSync(path.dirname(file)), ["bot.db"])
    })
  )
})

if (Tmpfs.isPermitted()) {
  describe("a disk that is full", () => {
    it.scopedLive("in the copy and in the compression of a dump is told, and leaves nothing", () =>
      Effect.gen(function* () {
        const { file, sqlite } = yield* made("wal", 20_000)
        const bytes = fs.statSync(file).size
        const mounts = yield* TempDir.make("mounts")
        for (const [name, size] of [
          ["copy", bytes >> 1],
          ["compress", bytes + 65_536]
        ] as const) {
          const folder = path.join(mounts, name)
          yield* Tmpfs.make(folder, `size=${size}`)
          const target = path.join(folder, "p")
          const error = yield* Effect.flip(sqlite.dump({ ...gzip, path: target }))
          assert.strictEqual(error.reason, "DiskFull", name)
          assert.deepStrictEqual(fs.readdirSync(folder), [], name)
        }
        assert.strictEqual(items(file), 20_000)
      })
    )

    for (const mode of ["wal", "delete"] as const) {
      it.scopedLive(`in the write of a restore leaves the old content, ${mode}`, () =>
        Effect.gen(function* () {
          const mounts = yield* TempDir.make("mounts")
          const folder = path.join(mounts, "data")
          yield* Tmpfs.make(folder, "size=64m")
          const { file, payload, sqlite } = yield* made(mode, 20_000, folder)
          inDatabase(file, (database) => {
            database.exec("DELETE FROM items WHERE id > 7")
            database.exec("VACUUM")
          })
          yield* Effect.scoped(
            Effect.gen(function* () {
              const held = yield* sqlite.hold?.(payload, options) ?? Effect.die("it cannot hold")
              // After Holter has looked whether there is room.
              const { bavail, bsize } = fs.statfsSync(folder)
              fs.writeFileSync(path.join(folder, "filler"), Buffer.alloc(bavail * bsize - 262_144))
              const error = yield* Effect.flip(held.restore)
              assert.strictEqual(error.reason, "DiskFull")
            })
          )
          assert.strictEqual(items(file), 7)
          fs.rmSync(path.join(folder, "filler"))
          yield* sqlite.restore(payload, options)
          assert.strictEqual(items(file), 20_000)
        })
      )
    }
  })
}
