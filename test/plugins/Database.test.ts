import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Context, Effect, Either, Layer, Redacted } from "effect"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import { Database } from "../../src/plugins/Database.js"
import * as PostgresError from "../../src/plugins/Database/PostgresError.js"
import * as TempDir from "../support/TempDir.js"
import { runnable } from "./runnable.js"

type Config = Omit<Parameters<typeof Database.layerStandalone>[0], "url">
const standalone = (file: string, config: Config = {}) =>
  runnable(Database.layerStandalone({ url: Redacted.make(`sqlite:///${file}`), ...config }))

/** A file with a table, closed again: nobody has it open. */
const makeFile = (journal: "wal" | "delete" = "delete") =>
  Effect.map(TempDir.make("sqlite"), (folder) => {
    const file = path.join(folder, "bot.db")
    const database = new Sqlite(file)
    database.pragma(`journal_mode = ${journal}`)
    database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    database.close()
    return file
  })

const filesBeside = (file: string) => readdirSync(path.dirname(file)).sort()

/** Another process that holds an exclusive transaction until it is told to end it. */
const lockedBy = (file: string) =>
  Effect.acquireRelease(
    Effect.async<ReturnType<typeof spawn>>((resume) => {
      const script = `const db = require("better-sqlite3")(process.argv[1])
        db.exec("BEGIN EXCLUSIVE")
        console.log("locked")
        process.stdin.once("data", () => { db.exec("COMMIT"); console.log("released") })`
      const child = spawn(process.execPath, ["-e", script, file], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      child.stdout.once("data", () => resume(Effect.succeed(child)))
    }),
    (child) =>
      Effect.async<void>((resume) => {
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )

describe("Database on SQLite", () => {
  it.scopedLive.each(["delete", "wal"] as const)(
    "healthy in journal mode %s, and leaves no trace",
    (journal) =>
      Effect.gen(function* () {
        const file = yield* makeFile(journal)
        const before = readFileSync(file)
        const run = yield* standalone(file)
        yield* run
        const result = yield* run
        assert.strictEqual(result.status, "healthy", result.message)
        assert.strictEqual(result.message, "Database connection OK")
        assert.strictEqual(result.note, "sqlite")
        assert.deepInclude(result.details, {
          kind: "sqlite",
          size_bytes: before.length,
          wal_bytes: 0
        })
        assert.match(JSON.stringify(result.details["version"]), /^"3\.\d+/)
        assert.containsAllKeys(result.details, ["acquire_ms", "query_ms"])
        assert.deepStrictEqual(filesBeside(file), ["bot.db"])
        assert.deepStrictEqual(readFileSync(file), before)
      })
  )

  it.scopedLive("reads beside a writer in WAL mode and leaves its WAL alone", () =>
    Effect.gen(function* () {
      const file = yield* makeFile("wal")
      const writer = yield* Effect.acquireRelease(
        Effect.sync(() => new Sqlite(file)),
        (database) => Effect.sync(() => database.close())
      )
      writer.exec("INSERT INTO t VALUES (2)")
      const wal = readFileSync(`${file}-wal`)
      const result = yield* Effect.flatten(standalone(file, { quickCheck: true, writable: true }))
      assert.strictEqual(result.status, "healthy", result.message)
      assert.deepInclude(result.details, { wal_bytes: wal.length, quick_check: "ok" })
      assert.deepStrictEqual(readFileSync(`${file}-wal`), wal)
      assert.strictEqual(writer.pragma("journal_mode", { simple: true }), "wal")
      writer.exec("INSERT INTO t VALUES (3)")
    })
  )

  it.scopedLive("tells what is no damage from what is, where it checks the file", () =>
    Effect.gen(function* () {
      const file = yield* makeFile()
      const database = new Sqlite(file)
      database.exec(
        `CREATE VIRTUAL TABLE ft USING fts4(body); INSERT INTO ft VALUES ('one');
         CREATE TABLE rules (a CHECK (a > 0)); PRAGMA ignore_check_constraints = ON; INSERT INTO rules VALUES (-1)`
      )
      database.unsafeMode()
      database.exec("UPDATE ft_content SET c0body = 'other'")
      database.close()
      const checked = yield* standalone(file, { quickCheck: true })
      const sound = yield* checked
      assert.strictEqual(sound.status, "healthy", sound.message)
      assert.include(sound.details["quick_check"], "no damage; ")
      assert.include(sound.details["quick_check"], `INSERT INTO "ft"("ft") VALUES('rebuild')`)
      assert.include(sound.details["quick_check"], "CHECK constraint failed in rules")
      const program = new Sqlite(file)
      program.function("mine", { deterministic: true }, (given: unknown) => given)
      program.exec("CREATE TABLE own (a, b AS (mine(a)) NOT NULL); INSERT INTO own (a) VALUES (1)")
      program.close()
      const partly = yield* checked
      assert.strictEqual(partly.status, "healthy", partly.message)
      assert.include(partly.details["quick_check"], "not checked: own")
      const bytes = readFileSync(file)
      bytes.fill(0xaa, 4096, 8192)
      writeFileSync(file, bytes)
      assert.strictEqual((yield* checked).reason, "Corrupt")
      writeFileSync(file, randomBytes(8192))
      const encrypted = yield* checked
      assert.strictEqual(encrypted.reason, "NotADatabase")
      assert.include(encrypted.message, "encrypted, or not SQLite")
    })
  )

  it.scopedLive("missing, not a database, a folder, damaged", () =>
    Effect.gen(function* () {
      const file = yield* makeFile()
      const folder = path.dirname(file)
      const missing = path.join(folder, "missing.db")
      const gone = yield* Effect.flatten(standalone(missing))
      assert.deepStrictEqual([gone.status, gone.reason], ["unhealthy", "FileMissing"])
      assert.include(gone.message, missing)
      assert.deepStrictEqual(filesBeside(file), ["bot.db"])

      const text = path.join(folder, "text.db")
      writeFileSync(text, "this is no database, only a text that is long enough".repeat(50))
      const other = yield* Effect.flatten(standalone(text))
      assert.deepStrictEqual([other.status, other.reason], ["unhealthy", "NotADatabase"])

      const empty = path.join(folder, "empty.db")
      writeFileSync(empty, "")
      const lost = yield* Effect.flatten(standalone(empty))
      assert.deepStrictEqual([lost.status, lost.reason], ["unhealthy", "NotADatabase"])

      const inside = path.join(folder, "folder.db")
      mkdirSync(inside)
      assert.strictEqual((yield* Effect.flatten(standalone(inside))).reason, "NotADatabase")

      const damaged = path.join(folder, "damaged.db")
      const bytes = Buffer.from(readFileSync(file))
      bytes.fill(0xff, 100, 4096)
      writeFileSync(damaged, bytes)
      assert.strictEqual((yield* Effect.flatten(standalone(damaged))).reason, "Corrupt")
    })
  )

  it.scopedLive("sees a file that was removed, and one put in its place", () =>
    Effect.gen(function* () {
      const file = yield* makeFile()
      const run = yield* standalone(file)
      assert.strictEqual((yield* run).status, "healthy")
      renameSync(file, `${file}.bak`)
      assert.strictEqual((yield* run).reason, "FileMissing")
      renameSync(`${file}.bak`, file)
      assert.strictEqual((yield* run).status, "healthy")
      rmSync(file)
      writeFileSync(file, "x".repeat(5000))
      assert.strictEqual((yield* run).reason, "NotADatabase")
    })
  )

  it.scopedLive("locked by another process: waits for it, within a limit, without blocking", () =>
    Effect.gen(function* () {
      const file = yield* makeFile()
      const child = yield* lockedBy(file)
      const short = yield* standalone(file, { acquireTimeout: "100 millis" })
      const result = yield* short
      assert.deepStrictEqual([result.status, result.reason], ["unhealthy", "Locked"])
      const patient = yield* standalone(file)
      const waiting = yield* Effect.fork(patient)
      // A run that blocked the event loop would keep this one from ending first.
      assert.strictEqual((yield* short).reason, "Locked")
      child.stdin?.write("go\n")
      const after = yield* waiting
      assert.notStrictEqual(after.status, "unhealthy", after.message)
    })
  )

  it.scopedLive("the program's own SqlClient, also for a database in memory", () =>
    Effect.gen(function* () {
      const file = yield* makeFile()
      for (const [filename, keys] of [
        [file, ["size_bytes", "wal_bytes"]],
        [":memory:", []]
      ] as const) {
        const run = yield* runnable(
          Database.layerSqlClient({ writable: true }).pipe(
            Layer.provide(SqliteClient.layer({ filename }))
          )
        )
        const result = yield* run
        assert.strictEqual(result.status, "healthy", result.message)
        assert.strictEqual(result.note, "sqlite")
        assert.containsAllKeys(result.details, ["acquire_ms", "query_ms", "version", ...keys])
      }
    })
  )
})

describe("Database's configuration", () => {
  const issues = (input: unknown) =>
    Either.match(Database.decode(input), { onLeft: (found) => found, onRight: () => [] })

  it("takes what can be parsed", () => {
    assert.deepStrictEqual(issues({ url: "sqlite:///x.db", slow: "2 seconds" }), [])
  })

  it("tells what is wrong in the URL, beside what is wrong elsewhere, and shows no secret", () => {
    const found = issues({ url: "mysql://u:hunter22@h/d", slow: "soon", odd: 1 })
    assert.sameMembers(
      found.map((issue) => issue.path.join(".")),
      ["url", "slow", "odd"]
    )
    assert.include(JSON.stringify(found), "mysql")
    assert.notInclude(JSON.stringify(found), "hunter22")
    assert.deepInclude(issues({}), {
      path: ["url"],
      expected:
        "a database URL (in a program with a SqlClient of its own use Database.layerSqlClient)",
      found: "nothing"
    })
  })

  it.effect("layerStandalone without a URL fails with the same", () =>
    Effect.gen(function* () {
      const error = yield* Layer.launch(Database.layerStandalone({})).pipe(
        Effect.provide(CheckRegistry.layer),
        Effect.flip
      )
      assert.strictEqual(error._tag, "CheckConfigError")
      assert.include(error.message, "url: expected a database URL")
    })
  )

  it.scoped("a client that only the check has is not made before the first run", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(
        Database.layerStandalone({ url: Redacted.make("postgresql://nowhere.invalid/x") }).pipe(
          Layer.provideMerge(CheckRegistry.layer)
        )
      )
      const checks = yield* Context.get(context, CheckRegistry.CheckRegistry).all
      assert.strictEqual(checks.length, 1)
    })
  )
})

describe("errors of node-postgres", () => {
  it.each([
    ["28P01", "AuthFailed"],
    ["28000", "AuthFailed"],
    ["3D000", "DatabaseMissing"],
    ["53300", "TooManyConnections"],
    ["57P03", "NotAccepting"],
    ["57P01", "Unreachable"],
    ["08006", "Unreachable"],
    ["42501", "QueryFailed"],
    ["ECONNREFUSED", "Unreachable"],
    ["ENOENT", "Unreachable"],
    ["ETIMEDOUT", "Unreachable"],
    ["ENOTFOUND", "Unreachable"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "TlsFailed"]
  ])("%s is %s", (code, reason) => {
    const error = PostgresError.fromCause(Object.assign(new Error("told"), { code }), "h:5432")
    assert.strictEqual(error.reason, reason)
    assert.include(error.message, "h:5432")
  })

  it.each([
    ["the database system is starting up", "StartingUp"],
    ["the database system is not yet accepting connections", "StartingUp"],
    ["the database system is in recovery mode", "StartingUp"],
    ["the database system is shutting down", "NotAccepting"],
    // Hot standby is off: it never will.
    ["the database system is not accepting connections", "NotAccepting"],
    // In a language that is not read here, the worse.
    ["Das Datenbanksystem startet", "NotAccepting"]
  ])("57P03, %s, is %s", (text, reason) => {
    const error = PostgresError.fromCause(
      Object.assign(new Error(text), { code: "57P03" }),
      "h:5432"
    )
    assert.strictEqual(error.reason, reason)
    assert.isFalse(error.isRetryable)
  })
})
