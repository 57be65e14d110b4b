import { assert, describe, it } from "@effect/vitest"
import { NodeContext } from "@effect/platform-node"
import { DateTime, Deferred, Effect, Fiber, Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Sqlite from "../../../src/Backup/BackupStrategy/Sqlite.js"
import * as ChildProgram from "../../../src/Backup/BackupStrategy/Sqlite/ChildProgram.js"
import { text } from "../../../src/Backup/BackupStrategy/Sqlite/child/text.js"
import * as ManagedProcess from "../../support/ManagedProcess.js"
import * as ProcessTree from "../../support/ProcessTree.js"
import { faulty, fill, inDatabase, scripted, strategy, value } from "../../support/SqliteBackup.js"
import * as SqliteProcess from "../../support/SqliteProcess.js"
import * as TempDir from "../../support/TempDir.js"
import * as TestRun from "../../support/TestRun.js"

const silent = () => Effect.void
const gzip = { compression: "gzip", level: undefined, onProgress: silent } as const
const startedAt = DateTime.unsafeMake("2026-01-02T03:04:05.678Z")
const options = { startedAt, replaceDamaged: false, onProgress: silent }

/** Calls of a dump to the file system, after which its child is killed. */
const steps = {
  "the file of the copy is made": `fs.openSync = (file, flags, mode) => {
    const opened = openSync(file, flags, mode)
    if (String(file).endsWith(".copy") && flags === "wx") die()
    return opened
  }`,
  "the copy is being made": `fs.openSync = (file, flags, mode) => {
    const opened = openSync(file, flags, mode)
    const look = () => (fs.statSync(file).size > 0 ? die() : setImmediate(look))
    if (String(file).endsWith(".copy") && flags === "wx") setImmediate(look)
    return opened
  }`,
  "the compressed file is made": `fs.openSync = (file, flags, mode) => {
    const opened = openSync(file, flags, mode)
    if (!String(file).endsWith(".copy") && String(flags).startsWith("wx")) die()
    return opened
  }`,
  "all is compressed": "fs.fsyncSync = die"
} as const

const children = () => ProcessTree.descendants(process.pid).length

describe("the child process of SQLite", () => {
  it.scopedLive("killed at the steps of a dump leaves nothing, and the database as it was", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => {
        database.pragma("journal_mode = wal")
        fill(database, 40_000)
      })
      for (const [step, script] of Object.entries(steps)) {
        const sqlite = yield* faulty(file, {
          moment: "locked",
          script: "",
          prelude: `const fs = require("node:fs")
const { openSync } = fs
const die = () => process.kill(process.pid, "SIGKILL")
${script}`
        })
        const target = path.join(directory, ".partial-1")
        const error = yield* Effect.flip(sqlite.dump({ ...gzip, path: target }))
        assert.strictEqual(error.reason, "ChildFailed", step)
        assert.include(error.message, "SIGKILL", step)
        assert.include(error.message, "Nothing was changed", step)
        assert.deepStrictEqual(
          fs.readdirSync(directory).filter((name) => name.startsWith(".partial")),
          [],
          step
        )
      }
      const [rows, check] = inDatabase(file, (database) => [
        value(database, "SELECT count(*) FROM items"),
        value(database, "PRAGMA integrity_check")
      ])
      assert.deepStrictEqual([rows, check], [40_000, "ok"])
    })
  )

  for (const mode of ["wal", "delete"] as const) {
    for (const isHeld of [true, false]) {
      const who = isHeld ? "held open by others" : "that nobody has open"
      it.scopedLive(
        `killed before, in and after the write of a restore leaves the old or the new content of a database ${who}, in ${mode} mode`,
        () =>
          Effect.gen(function* () {
            const directory = yield* TempDir.make("sqlite")
            const programs = yield* TempDir.make("programs")
            const file = path.join(directory, "bot.db")
            inDatabase(file, (database) => {
              database.pragma(`journal_mode = ${mode}`)
              fill(database, 60_000)
            })
            const whole = yield* strategy(file)
            const target = path.join(programs, "p.db.gz")
            const dump = yield* whole.dump({ ...gzip, path: target })
            if (isHeld) {
              const other = yield* SqliteProcess.open(file)
              yield* other.sql("SELECT count(*) FROM items")
            }
            const payload = { path: target, compression: "gzip", dump } as const
            for (const moment of ["locked", "halfway", "committed"] as const) {
              inDatabase(file, (database) => {
                database.exec("DELETE FROM items WHERE id > 100; UPDATE items SET title = 'old'")
              })
              const sqlite = yield* faulty(file, {
                moment,
                script: 'process.kill(process.pid, "SIGKILL")'
              })
              const error = yield* Effect.flip(sqlite.restore(payload, options))
              assert.include(error.message, "SIGKILL", moment)
              // Whether it was committed is not for the parent to know.
              assert.include(error.message, "not known whether the restore was done", moment)
              const isWritten = fs.existsSync(mode === "wal" ? `${file}-wal` : `${file}-journal`)
              if (moment === "halfway") assert.isTrue(isWritten, "it was killed in its write")
              const [rows, old, check, now] = inDatabase(file, (database) => [
                value(database, "SELECT count(*) FROM items"),
                value(database, "SELECT count(*) FROM items WHERE title = 'old'"),
                value(database, "PRAGMA integrity_check"),
                value(database, "PRAGMA journal_mode")
              ])
              assert.deepStrictEqual([check, now], ["ok", mode], moment)
              const expected = moment === "committed" ? [60_000, 0] : [100, 100]
              assert.deepStrictEqual([rows, old], expected, moment)
            }
            assert.deepStrictEqual(
              fs.readdirSync(directory).filter((name) => name.includes("scratch")),
              []
            )
          }),
        60_000
      )
    }
  }

  it.scopedLive("ends with the fiber that waits for it", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => fill(database, 40_000))
      const sqlite = yield* strategy(file)
      const before = children()
      const started = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        sqlite.dump({
          ...gzip,
          path: path.join(directory, "p"),
          onProgress: () => Deferred.succeed(started, undefined)
        })
      )
      yield* Deferred.await(started)
      assert.isAbove(children(), before)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(children(), before)
      assert.deepStrictEqual(fs.readdirSync(directory), ["bot.db"])
    })
  )

  it.scopedLive("ends with its parent, and takes its files along", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => fill(database, 80_000))
      const carried = yield* ChildProgram.carried({ text, from: [import.meta.url] })
      const child = yield* ManagedProcess.start({
        name: "sqlite-child",
        command: process.execPath,
        args: ChildProgram.argumentsFor(carried),
        cwd: directory,
        keepStdinOpen: true
      })
      const request = {
        _tag: "Dump",
        database: file,
        path: path.join(directory, "p"),
        copyAt: path.join(directory, "p.copy"),
        compression: "gzip",
        level: 9,
        copy: "vacuum",
        busyTimeout: 1000
      }
      child.child.stdin?.write(`${carried.text}${JSON.stringify(request)}\n`)
      yield* child.awaitOutput(/compress/, "stdout")
      assert.isTrue(fs.existsSync(path.join(directory, "p.copy")))
      child.child.stdin?.end()
      const ended = yield* child.exit
      assert.strictEqual(ended.signal, "SIGKILL")
      assert.isFalse(fs.existsSync(path.join(directory, "p.copy")))
    })
  )

  it.scopedLive("says from where it looked for better-sqlite3, where there is none", () =>
    Effect.gen(function* () {
      const directory = yield* TempDir.make("sqlite")
      const file = path.join(directory, "bot.db")
      inDatabase(file, (database) => fill(database, 10))
      const from = [path.join(directory, "bot.mjs")]
      const sqlite = yield* Sqlite.make({ _tag: "Sqlite", path: file }).pipe(
        Effect.provide([
          NodeContext.layer,
          Layer.succeed(ChildProgram.ChildProgram, { text, from })
        ])
      )
      const error = yield* Effect.flip(sqlite.present)
      assert.strictEqual(error.reason, "ChildFailed")
      assert.include(error.message, `better-sqlite3, looked for from ${directory}/bot.mjs`)
      assert.include(error.message, "npm install better-sqlite3")
    })
  )

  it.scopedLive("says what this user may not do", () =>
    Effect.gen(function* () {
      const { user } = yield* TestRun.current
      const directory = yield* TempDir.make("sqlite")
      const targets = yield* TempDir.make("targets")
      fs.chmodSync(targets, 0o777)
      const { gid, uid } = user ?? { gid: process.getgid?.() ?? 0, uid: process.getuid?.() ?? 0 }
      // Root may do everything, so the child is somebody else.
      const demoted = `process.setgroups([]); process.setgid(${gid}); process.setuid(${uid})`
      const script = `if (process.getuid() === 0 && require("worker_threads").isMainThread) { ${demoted} }`
      const at = (name: string) => scripted(path.join(directory, name), script)
      const target = path.join(targets, "p")
      for (const mode of ["wal", "delete"] as const) {
        inDatabase(path.join(directory, `${mode}.db`), (database) => {
          database.pragma(`journal_mode = ${mode}`)
          fill(database, 100)
        })
      }
      // What a program leaves that was killed.
      inDatabase(path.join(directory, "wal.db"), (database) => {
        database.exec("UPDATE items SET title = title")
        for (const end of ["", "-wal"]) {
          fs.copyFileSync(
            path.join(directory, `wal.db${end}`),
            path.join(directory, `left.db${end}`)
          )
        }
      })
      fs.writeFileSync(path.join(directory, "private.db"), "", { mode: 0o000 })
      fs.chmodSync(directory, 0o555)
      const privately = yield* at("private.db")
      assert.strictEqual(
        (yield* Effect.flip(privately.dump({ ...gzip, path: target }))).reason,
        "Unreadable"
      )
      // Reading it needs a -shm file, which cannot be made there.
      const left = yield* at("left.db")
      assert.strictEqual(
        (yield* Effect.flip(left.dump({ ...gzip, path: target }))).reason,
        "Unreadable"
      )
      // All of one that was closed is in its file.
      const closed = yield* at("wal.db")
      const dumped = yield* closed.dump({ ...gzip, path: `${target}-closed` })
      assert.deepStrictEqual(dumped.tables, [{ name: "items", rows: 100 }])
      const rollback = yield* at("delete.db")
      yield* rollback.dump({ ...gzip, path: target })
      const elsewhere = path.join(directory, "p")
      assert.strictEqual(
        (yield* Effect.flip(rollback.dump({ ...gzip, path: elsewhere }))).reason,
        "StoreFailed"
      )
      fs.chmodSync(directory, 0o755)
    })
  )
})
