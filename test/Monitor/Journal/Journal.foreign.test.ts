/** On a connection that the program gave, nothing is set: neither for a while nor for good. */
import { assert, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Layer, Redacted } from "effect"
import { existsSync, readFileSync } from "node:fs"
import * as Journal from "../../../src/Monitor/Journal.js"
import { Database } from "../../../src/plugins/Database.js"
import { runOnly, services } from "../../plugins/run.js"
import { PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import { checkResult, commits, outage } from "./steps.js"

const holder: Journal.Holder = {
  name: "bot",
  identity: "bot",
  isDead: () => Effect.succeed(false)
}

/** All that Holter does on it: the journal from its first table to its end, and the check. */
const used = Effect.gen(function* () {
  const work = Effect.gen(function* () {
    const journal = yield* Journal.Journal
    for (const step of commits(outage())) yield* journal.commit(step)
    yield* journal.record(checkResult(0, "redis", "healthy"))
    yield* journal.flush
    assert.deepStrictEqual(yield* journal.health, { down: undefined, waiting: 0, lost: 0 })
    assert.strictEqual((yield* journal.incidents({})).length, 1)
  })
  // Made, and then opened once more as it is.
  yield* Effect.provide(work, Journal.layer({ holder }))
  yield* Effect.provide(Journal.Journal, Journal.layer())
  const check = Database.layerSqlClient({ quickCheck: true, writable: true })
  const result = yield* Effect.provide(runOnly, Layer.provideMerge(check, services))
  assert.strictEqual(result.status, "healthy")
})

describe("The program's own connection to SQLite", () => {
  it.scopedLive("is as it was, and so is the mode of its file", () =>
    Effect.gen(function* () {
      const filename = `${yield* TempDir.make("foreign")}/bot.db`
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient
        for (const pragma of ["busy_timeout = 4321", "synchronous = EXTRA", "foreign_keys = OFF"]) {
          yield* sql.unsafe(`PRAGMA ${pragma}`)
        }
        yield* sql`CREATE TABLE orders (id INTEGER)`
        const before = yield* pragmas
        assert.strictEqual(before["busy_timeout"], 4321)
        assert.strictEqual(before["synchronous"], 3)
        assert.strictEqual(before["journal_mode"], "delete")
        yield* used
        assert.deepStrictEqual(yield* pragmas, before)
        // Bytes 18 and 19 of the header: 1 is a rollback journal, 2 is WAL.
        assert.deepStrictEqual([...readFileSync(filename).subarray(18, 20)], [1, 1])
        assert.isFalse(existsSync(`${filename}-wal`))
      }).pipe(Effect.provide(SqliteClient.layer({ filename, disableWAL: true })))
    })
  )
})

/** Every setting of the connection and the file that a statement may change. */
const pragmas = Effect.gen(function* () {
  const sql = yield* SqlClient
  const found: Record<string, unknown> = {}
  for (const name of settings) {
    const [row] = yield* sql.unsafe<Readonly<Record<string, unknown>>>(`PRAGMA ${name}`)
    found[name] = Object.values(row ?? {})[0]
  }
  return found
})

const settings = [
  ...["analysis_limit", "application_id", "auto_vacuum", "automatic_index", "busy_timeout"],
  ...["cache_size", "cache_spill", "cell_size_check", "checkpoint_fullfsync", "encoding"],
  ...["defer_foreign_keys", "foreign_keys", "fullfsync", "ignore_check_constraints"],
  ...["journal_mode", "journal_size_limit", "legacy_alter_table", "locking_mode", "mmap_size"],
  ...["page_size", "query_only", "read_uncommitted", "recursive_triggers", "secure_delete"],
  ...["synchronous", "temp_store", "trusted_schema", "user_version", "wal_autocheckpoint"]
]

describeWithServices("postgres", "The program's own connection to PostgreSQL", () => {
  it.scopedLive("is as it was, in a pool of one", () =>
    Effect.gen(function* () {
      const { url } = yield* PostgresServer.make()
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* sql`SET statement_timeout = '54321ms'`
        const shown = sql`SELECT pg_backend_pid() AS pid, name, setting
          FROM pg_settings ORDER BY name`
        const before = yield* shown
        assert.isAbove(before.length, 200)
        yield* used
        // The same session too: one that was opened anew would have lost what the program had set.
        assert.deepStrictEqual(yield* shown, before)
      }).pipe(
        Effect.provide(
          PgClient.layer({ url: Redacted.make(url), minConnections: 1, maxConnections: 1 })
        )
      )
    })
  )
})
