/** Databases that were deleted, replaced or renamed under their program. */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { DateTime, Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Strays from "../../../src/Backup/BackupStrategy/Sqlite/Strays.js"
import { fill, inDatabase, strategy } from "../../support/SqliteBackup.js"
import * as SqliteProcess from "../../support/SqliteProcess.js"
import * as TempDir from "../../support/TempDir.js"

const silent = () => Effect.void
const gzip = { compression: "gzip", level: 1, onProgress: silent } as const
const startedAt = DateTime.unsafeMake("2026-01-02T03:04:05.678Z")
const restoring = { startedAt, replaceDamaged: false, onProgress: silent }

/** A backup, and a program that has written more since and has the database open. */
const running = (mode: "wal" | "delete" = "wal") =>
  Effect.gen(function* () {
    const directory = fs.realpathSync(yield* TempDir.make("strays"))
    const data = path.join(directory, "data")
    fs.mkdirSync(data)
    const file = path.join(data, "bot.db")
    inDatabase(file, (database) => {
      database.pragma(`journal_mode = ${mode}`)
      fill(database, 10)
    })
    const program = yield* SqliteProcess.open(file)
    yield* program.sql("INSERT INTO items (title) VALUES ('since')")
    return { directory, data, file, program }
  })

const removeAll = (file: string) => {
  for (const end of ["", "-wal", "-shm"]) fs.rmSync(`${file}${end}`, { force: true })
}

const processesOf = (file: string) =>
  Effect.map(Strays.look(file), ({ strays }) => strays.map(({ process }) => process))

const suite = () => {
  it.scopedLive("by a deletion is not restored beside it, and a dump says what it lacks", () =>
    Effect.gen(function* () {
      const { directory, file, program } = yield* running()
      const sqlite = yield* strategy(file)
      assert.deepStrictEqual(yield* processesOf(file), [])
      const target = path.join(directory, "p.db.gz")
      const dump = yield* sqlite.dump({ ...gzip, path: target })
      assert.deepStrictEqual(dump.warnings, [])
      removeAll(file)
      const name = new RegExp(`node \\(${program.pid}\\) with ${file} \\(deleted\\)`)
      const refused = yield* Effect.flip(sqlite.present)
      assert.strictEqual(refused.reason, "InUse")
      assert.match(refused.message, name)
      const gone = yield* Effect.flip(sqlite.dump({ ...gzip, path: path.join(directory, "q") }))
      assert.strictEqual(gone.reason, "Missing")
      assert.match(gone.message, name)
      // Another one of its name, by whatever made it.
      inDatabase(file, (database) => fill(database, 1))
      assert.strictEqual((yield* Effect.flip(sqlite.present)).reason, "InUse")
      const less = yield* sqlite.dump({ ...gzip, path: path.join(directory, "r.db.gz") })
      assert.match(less.warnings.join(), name)
      assert.deepInclude(less.tables, { name: "items", rows: 1 })
      // What the message says to type brings the rows back.
      const [, stop = ""] = /kill -STOP \d+; (.*); kill -CONT/.exec(refused.advice ?? "") ?? []
      for (const command of stop.split("; ")) {
        const [, from = "", to = ""] = command.split(" ")
        fs.copyFileSync(from, to)
      }
      inDatabase(`${file}.rescued`, (database) =>
        assert.strictEqual(database.prepare("SELECT count(*) FROM items").pluck().get(), 11)
      )
      yield* Effect.scoped(Effect.void)
    })
  )

  it.scopedLive("is found through links, mounts and names that have changed", () =>
    Effect.gen(function* () {
      const { data, directory, file, program } = yield* running()
      const lost = [`node (${program.pid})`]
      fs.symlinkSync(data, path.join(directory, "link"))
      // Its directory has another name by now, and a new one has its own.
      const moved = path.join(directory, "moved")
      fs.renameSync(data, moved)
      assert.deepStrictEqual(yield* processesOf(file), [])
      const there = path.join(moved, "bot.db")
      fs.renameSync(there, `${there}.old`)
      assert.deepStrictEqual(yield* processesOf(there), lost)
      inDatabase(path.join(directory, "other.db"), (database) => fill(database, 1))
      fs.renameSync(path.join(directory, "other.db"), there)
      assert.deepStrictEqual(yield* processesOf(there), lost)
      fs.renameSync(moved, data)
      const linked = yield* strategy(path.join(directory, "link", "bot.db"))
      assert.strictEqual((yield* Effect.flip(linked.present)).reason, "InUse")
      assert.deepStrictEqual(yield* processesOf(path.join(directory, "bot.db")), [])
    })
  )

  it.scopedLive("may be lost by this program itself", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("strays")
      const file = path.join(directory, "own.db")
      const own = yield* Effect.acquireRelease(
        Effect.sync(() => new Sqlite(file)),
        (database) => Effect.sync(() => database.close())
      )
      fill(own, 10)
      const sqlite = yield* strategy(file)
      assert.strictEqual((yield* sqlite.present)._tag, "Readable")
      fs.rmSync(file)
      const refused = yield* Effect.flip(sqlite.present)
      assert.match(refused.message, new RegExp(`this program, .* \\(${process.pid}\\),`))
      own.close()
      assert.strictEqual((yield* sqlite.present)._tag, "Absent")
    })
  )

  it.scopedLive("is not lost where programs open and close it, or delete another", () =>
    Effect.gen(function* () {
      const { file, program } = yield* running("delete")
      yield* program.startVisiting.pipe(Effect.ignore)
      for (let round = 0; round < 20; round += 1) {
        assert.deepStrictEqual(yield* processesOf(file), [])
      }
      assert.deepStrictEqual(yield* processesOf(`${file}.other`), [])
      const sqlite = yield* strategy(file)
      const error = yield* Effect.either(
        sqlite.restore({ path: "/nowhere", compression: "gzip", dump: undefined }, restoring)
      )
      assert.strictEqual(error._tag, "Left")
    })
  )
}

// Elsewhere there is no /proc.
if (process.platform === "linux") describe("a SQLite database that its program lost", suite)
