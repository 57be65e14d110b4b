import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as ProcessIdentity from "../../../src/System/ProcessIdentity.js"
import * as Scratch from "../../../src/Backup/BackupStrategy/Sqlite/Scratch.js"
import { faulty, fill, inDatabase, strategy } from "../../support/SqliteBackup.js"
import * as SqliteProcess from "../../support/SqliteProcess.js"
import * as TempDir from "../../support/TempDir.js"
import * as Tmpfs from "../../support/Tmpfs.js"

const silent = () => Effect.void
const gzip = { compression: "gzip", level: 1, onProgress: silent } as const
const quick = { deep: false, onProgress: silent }

const made = (rows: number, mode = "delete") =>
  Effect.gen(function* () {
    const directory = yield* TempDir.make("sqlite")
    const file = path.join(directory, "bot.db")
    inDatabase(file, (database) => {
      database.pragma(`journal_mode = ${mode}`)
      fill(database, rows)
    })
    return { directory, file }
  })

const scratches = (directory: string) =>
  fs.readdirSync(directory).filter((name) => name.startsWith(".holter-scratch-"))

describe("room for the content of a backup", () => {
  if (Tmpfs.isPermitted()) {
    it.scopedLive("is not wanted beside a database in WAL mode on a read-only disk", () =>
      Effect.gen(function* () {
        const directory = yield* TempDir.make("sqlite")
        const disk = path.join(directory, "disk")
        yield* Tmpfs.make(disk, "size=8m")
        const file = path.join(disk, "bot.db")
        inDatabase(file, (database) => {
          database.pragma("journal_mode = wal")
          fill(database, 100)
        })
        execFileSync("mount", ["-o", "remount,ro", disk])
        const sqlite = yield* strategy(file)
        const target = path.join(directory, "p.db.gz")
        const dump = yield* sqlite.dump({ ...gzip, path: target })
        assert.deepStrictEqual(dump.tables, [{ name: "items", rows: 100 }])
        assert.strictEqual(dump.journalMode, "wal")
        // With rows in its WAL it is told what to do.
        execFileSync("mount", ["-o", "remount,rw", disk])
        fs.writeFileSync(`${file}-wal`, "rows")
        execFileSync("mount", ["-o", "remount,ro", disk])
        const refused = yield* Effect.flip(sqlite.dump({ ...gzip, path: `${target}.2` }))
        assert.strictEqual(refused.reason, "Unreadable")
        assert.include(refused.message, "back up the copy")
      })
    )

    it.scopedLive("is found elsewhere where a backup lies on what cannot be written", () =>
      Effect.gen(function* () {
        const { directory, file } = yield* made(500)
        const mounts = yield* TempDir.make("mounts")
        const share = path.join(mounts, "share")
        yield* Tmpfs.make(share, "size=8m")
        const sqlite = yield* strategy(file)
        const target = path.join(share, "p.db.gz")
        const dump = yield* sqlite.dump({ ...gzip, path: target })
        execFileSync("mount", ["-o", "remount,ro", share])
        const payload = { path: target, compression: "gzip", dump } as const
        yield* sqlite.verify(payload, quick)
        const drilled = yield* sqlite.drill(payload, quick)
        assert.deepStrictEqual(drilled.tables, dump.tables)
        for (const each of [share, directory]) assert.deepStrictEqual(scratches(each), [])
      })
    )
  }

  it.scopedLive("is a directory of this user alone, where there is room for it", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* TempDir.make("first"), yield* TempDir.make("second")]
      const made = yield* Scratch.make({ directories: [path.join(first, "no"), second], bytes: 1 })
      assert.strictEqual(path.dirname(path.dirname(made)), second)
      assert.strictEqual(fs.statSync(path.dirname(made)).mode & 0o777, 0o700)
      const nowhere = yield* Effect.flip(Scratch.make({ directories: [first], bytes: 2 ** 60 }))
      assert.strictEqual(nowhere.reason, "DiskFull")
      assert.include(nowhere.message, first)
      assert.deepStrictEqual(fs.readdirSync(first), [])
    })
  )

  it.scopedLive("that killed runs took is given back by the next one of any kind", () =>
    Effect.gen(function* () {
      const { directory, file } = yield* made(500)
      const sqlite = yield* strategy(file)
      const target = path.join(directory, "p.db.gz")
      const dump = yield* sqlite.dump({ ...gzip, path: target })
      const payload = { path: target, compression: "gzip", dump } as const
      const me = yield* ProcessIdentity.self
      // The same number, given to another process since.
      const dead = ProcessIdentity.format({ ...me, started: "1" })
      const alive = `.holter-scratch-${ProcessIdentity.format(me)}-${yield* ProcessIdentity.unique}`
      fs.mkdirSync(path.join(directory, alive))
      const again = path.join(directory, "p2.db.gz")
      for (const run of [
        sqlite.verify(payload, quick),
        sqlite.drill(payload, quick),
        sqlite.dump({ ...gzip, path: again })
      ]) {
        const left = path.join(
          directory,
          `.holter-scratch-${dead}-${yield* ProcessIdentity.unique}`
        )
        fs.mkdirSync(left, { mode: 0o700 })
        fs.writeFileSync(path.join(left, "content"), "what was unpacked")
        yield* run
        assert.deepStrictEqual(scratches(directory), [alive])
      }
      assert.deepStrictEqual(
        scratches(os.tmpdir()).filter((name) => name.includes(ProcessIdentity.format(me))),
        []
      )
    })
  )

  it.scopedLive("is asked for a dump as far as it is needed: not for free pages, and once", () =>
    Effect.gen(function* () {
      const { file } = yield* made(20_000)
      inDatabase(file, (database) => database.exec("DELETE FROM items WHERE id > 100"))
      const sqlite = yield* strategy(file)
      const needed = yield* sqlite.estimate
      assert.isBelow(needed, fs.statSync(file).size / 10)
      assert.isAbove(needed, 0)
    })
  )
})

describe("a dump of SQLite", () => {
  it.scopedLive("without compression does not need hard links", () =>
    Effect.gen(function* () {
      const { directory, file } = yield* made(500)
      const sqlite = yield* faulty(file, {
        moment: "locked",
        script: "",
        prelude: `require("node:fs").linkSync = () => { throw Object.assign(new Error("no links"), { code: "EPERM" }) }`
      })
      const target = path.join(directory, "p.db")
      const dump = yield* sqlite.dump({ ...gzip, compression: "none", path: target })
      yield* sqlite.verify({ path: target, compression: "none", dump }, quick)
      assert.deepStrictEqual(fs.readdirSync(directory).sort(), ["bot.db", "p.db"])
    })
  )

  it.scopedLive("that cannot freeze the WAL because somebody writes goes by VACUUM INTO", () =>
    Effect.gen(function* () {
      const { directory, file } = yield* made(500, "wal")
      const other = yield* SqliteProcess.open(file)
      yield* other.sql("BEGIN IMMEDIATE")
      yield* other.sql("DELETE FROM items")
      const sqlite = yield* strategy(file, { copy: "frozen", busyTimeout: "200 millis" })
      const dump = yield* sqlite.dump({ ...gzip, path: path.join(directory, "p") })
      assert.strictEqual(dump.strategy, "vacuum-into")
      assert.include(dump.warnings.join(), "write lock")
      assert.deepStrictEqual(dump.tables, [{ name: "items", rows: 500 }])
    })
  )
})
