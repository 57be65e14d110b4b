/** On a connection that the program gave, nothing is set: neither for a while nor for good. */
import { assert, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { SqlClient } from "@effect/sql/SqlClient"
import { Effect, Layer, Redacted, String as Str } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
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

/** As bots have it, whose columns are snake_case and whose objects are not. */
const transforms = {
  transformResultNames: Str.snakeToCamel,
  transformQueryNames: Str.camelToSnake
}

describe("A journal in the database of a bot", () => {
  const bot = (options: Partial<Parameters<typeof SqliteClient.layer>[0]> = {}) =>
    Effect.map(TempDir.make("foreign"), (folder) =>
      SqliteClient.layer({ filename: `${folder}/bot.db`, disableWAL: true, ...options })
    )

  it.scopedLive("is read through a client that transforms names", () =>
    Effect.flatMap(bot(transforms), (client) => Effect.provide(used, client))
  )

  it.scopedLive("does not judge what is the bot's", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* sql`CREATE TABLE orders (price INTEGER CHECK (price > 0))`
      yield* sql`PRAGMA ignore_check_constraints = ON`
      yield* sql`INSERT INTO orders VALUES (-1)`
      yield* sql`PRAGMA ignore_check_constraints = OFF`
      yield* used
    }).pipe((work) => Effect.flatMap(bot(), (client) => Effect.provide(work, client)))
  )

  it.scopedLive("is found out where its own tables are damaged, and says to move nothing", () =>
    Effect.gen(function* () {
      const filename = `${yield* TempDir.make("foreign")}/bot.db`
      const client = SqliteClient.layer({ filename, disableWAL: true })
      const page = yield* Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* used
        const [row] = yield* sql<{ readonly at: number }>`SELECT (rootpage - 1) * page_size AS at
          FROM sqlite_master, pragma_page_size WHERE name = 'holter_results'`
        return row?.at ?? 0
      }).pipe(Effect.provide(client))
      const bytes = readFileSync(filename)
      bytes.fill(0xff, page, page + 64)
      writeFileSync(filename, bytes)
      const journal = Effect.provide(Journal.Journal, Layer.provide(Journal.layer(), client))
      const error = yield* Effect.flip(journal)
      assert.strictEqual(error._tag, "JournalError")
      assert.include(error.message, "Restore it from a backup")
      assert.notInclude(error.message, "ove the file")
    })
  )

  it.scopedLive("is not built in a transaction, and flushes outside of one", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const build = Effect.provide(Journal.Journal, Journal.layer())
      const refused = yield* Effect.flip(sql.withTransaction(build))
      assert.include(refused.message, "expected a layer that is built outside of transactions")
      yield* sql`CREATE TABLE orders (id INTEGER)`
      yield* Effect.gen(function* () {
        const journal = yield* Journal.Journal
        yield* sql`INSERT INTO orders VALUES (1)`.pipe(
          Effect.zipRight(journal.record(checkResult(0, "redis", "healthy"))),
          Effect.zipRight(Effect.timeoutOption(journal.flush, "100 millis")),
          Effect.zipRight(Effect.fail("rolled back")),
          sql.withTransaction,
          Effect.ignore
        )
        yield* journal.flush
        assert.lengthOf(yield* journal.results({}), 1)
        assert.lengthOf(yield* sql`SELECT * FROM orders`, 0)
      }).pipe(Effect.provide(Journal.layer({ gather: "1 hour" })))
    }).pipe((work) => Effect.flatMap(bot(), (client) => Effect.provide(work, client)))
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

  it.scopedLive("may transform names", () =>
    Effect.gen(function* () {
      const { url } = yield* PostgresServer.make()
      yield* Effect.provide(used, PgClient.layer({ url: Redacted.make(url), ...transforms }))
    })
  )
})
