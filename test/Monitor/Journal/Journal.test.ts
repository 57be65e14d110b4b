import { assert, describe, it } from "@effect/vitest"
import { SqlClient } from "@effect/sql/SqlClient"
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect, Fiber, Layer, Option } from "effect"
import { Outbox } from "../../../src/Alert/Outbox.js"
import * as Journal from "../../../src/Monitor/Journal.js"
import { seconds, start } from "../../Alert/trace.js"
import { PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import { behaves } from "./behaviour.js"
import { postgres, postgresClient, sqlite, sqliteClient } from "./clients.js"
import { checkResult, commits, outage, written } from "./steps.js"

const inJournal = <A, E, E2>(
  store: Layer.Layer<Journal.Journal | Outbox, E>,
  use: (journal: Journal.Journal["Type"], outbox: Outbox["Type"]) => Effect.Effect<A, E2>
) =>
  Effect.flatMap(Effect.all([Journal.Journal, Outbox]), ([journal, outbox]) =>
    use(journal, outbox)
  ).pipe(Effect.provide(store))

describe("Journal in memory", () => {
  behaves("memory", Effect.succeed(Journal.layerMemory))
})

describe("Journal on SQLite", () => {
  const file = Effect.map(TempDir.make("journal"), (dir) => `${dir}/journal.db`)
  behaves(
    "sqlite",
    Effect.map(file, (path) => sqlite(path))
  )

  it.scopedLive("a later run goes on where the earlier one was", () =>
    Effect.gen(function* () {
      const path = yield* file
      const steps = commits(outage())
      yield* inJournal(sqlite(path), (journal) =>
        Effect.forEach(steps, (step) => journal.commit(step))
      )
      yield* inJournal(sqlite(path), (journal, outbox) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(
            Option.map(yield* journal.state, written),
            Option.map(Option.fromNullable(steps.at(-1)?.after), written)
          )
          assert.strictEqual((yield* outbox.pending).length, 2)
        })
      )
    })
  )

  it.scopedLive("what waits is written when the journal closes", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* inJournal(sqlite(path, { gather: "1 hour" }), (journal) =>
        journal.record(checkResult(0, "redis", "healthy"))
      )
      const results = yield* inJournal(sqlite(path), (journal) => journal.results({}))
      assert.strictEqual(results.length, 1)
    })
  )

  it.scopedLive("a file that is no database is refused, and stays as it is", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* file
      const content = "this is no database, and somebody may need it".repeat(100)
      yield* fs.writeFileString(path, content)
      const error = yield* Effect.flip(inJournal(sqlite(path), () => Effect.void))
      assert.strictEqual(error.reason, "Corrupt")
      assert.include(error.message, "Nothing in it was changed")
      assert.strictEqual(yield* fs.readFileString(path), content)
      assert.isFalse(yield* fs.exists(`${path}-wal`))
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("a damaged database is refused, and stays as it is", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* file
      yield* inJournal(sqlite(path), (journal) =>
        Effect.forEach(commits(outage()), (step) => journal.commit(step))
      )
      const bytes = yield* fs.readFile(path)
      bytes.fill(0x5a, 4096, 4096 * 6)
      yield* fs.writeFile(path, bytes)
      const error = yield* Effect.flip(inJournal(sqlite(path), () => Effect.void))
      assert.strictEqual(error.reason, "Corrupt")
      assert.deepStrictEqual(yield* fs.readFile(path), bytes)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("a newer schema is refused, and stays as it is", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* file
      yield* inJournal(sqlite(path), () => Effect.void)
      yield* Effect.flatMap(
        SqlClient,
        (sql) => sql`INSERT INTO holter_migrations (migration_id, name) VALUES (7, 'later')`
      ).pipe(Effect.provide(sqliteClient(path)))
      const before = yield* fs.readFile(path)
      const error = yield* Effect.flip(inJournal(sqlite(path), () => Effect.void))
      assert.strictEqual(error.reason, "NewerVersion")
      assert.include(error.message, "version 7, written by a newer Holter")
      assert.deepStrictEqual(yield* fs.readFile(path), before)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive(
    "one of the first version is read as it is, and brought up to date by who writes",
    () =>
      Effect.gen(function* () {
        const path = yield* file
        const alerts = yield* inJournal(sqlite(path), (journal, outbox) =>
          Effect.zipRight(
            Effect.forEach(commits(outage()), (step) => journal.commit(step)),
            outbox.pending
          )
        )
        const tables = ["deliveries", "channels", "requests_aside", "lease"]
        yield* Effect.flatMap(SqlClient, (sql) =>
          Effect.forEach(
            [
              ...tables.map((table) => `DROP TABLE holter_${table}`),
              "ALTER TABLE holter_outbox DROP COLUMN attempt",
              "DELETE FROM holter_migrations WHERE migration_id > 1"
            ],
            (statement) => sql.unsafe(statement)
          )
        ).pipe(Effect.provide(sqliteClient(path)))
        const became = (options: Journal.Options) =>
          inJournal(sqlite(path, options), ({ deliveries, requests }, outbox) =>
            Effect.gen(function* () {
              yield* requests
              assert.deepStrictEqual(yield* outbox.pending, alerts)
              return (yield* deliveries(alerts)).size
            })
          )
        assert.strictEqual(yield* became({ reading: true }), 0)
        assert.strictEqual(yield* became({}), 2)
        assert.strictEqual(yield* became({ reading: true }), 2)
      })
  )

  it.scopedLive("waits for another program that writes, and is not down because of it", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* inJournal(sqlite(path), (journal) =>
        Effect.gen(function* () {
          const other = yield* Effect.provide(
            Effect.gen(function* () {
              const sql = yield* SqlClient
              yield* sql`BEGIN IMMEDIATE`
              const committing = yield* Effect.fork(
                Effect.forEach(commits(outage()).slice(0, 1), (step) => journal.commit(step))
              )
              yield* Effect.yieldNow()
              yield* journal.flush
              assert.isAbove((yield* journal.health).waiting, 0)
              assert.isUndefined((yield* journal.health).down)
              yield* sql`COMMIT`
              return committing
            }),
            sqliteClient(path)
          )
          yield* other.await
          assert.deepStrictEqual(yield* journal.health, { down: undefined, waiting: 0, lost: 0 })
        })
      )
    })
  )

  it.scopedLive("a journal that is down stops nothing, and has everything when it is back", () =>
    Effect.gen(function* () {
      const path = yield* file
      const client = sqliteClient(path)
      yield* Effect.gen(function* () {
        const journal = yield* Journal.Journal
        const outbox = yield* Outbox
        const sql = yield* SqlClient
        const steps = commits(outage())
        yield* sql`CREATE TRIGGER full BEFORE INSERT ON holter_decisions
          BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`
        for (const step of steps) yield* journal.commit(step)
        yield* journal.record(checkResult(seconds(165), "redis", "healthy"))
        yield* journal.flush
        assert.include((yield* journal.health).down, "the disk is full")
        // State and outbox are of one transaction with the decisions: none without the others.
        assert.deepStrictEqual(yield* outbox.pending, [])
        assert.isTrue(Option.isNone(yield* journal.state))

        const [opened] = steps.flatMap((step) => step.decisions.flatMap(({ alerts }) => alerts))
        yield* outbox.acknowledge([opened?.key ?? ""], start)
        yield* sql`DROP TRIGGER full`
        yield* journal.flush
        assert.deepStrictEqual(yield* journal.health, { down: undefined, waiting: 0, lost: 0 })
        assert.strictEqual((yield* outbox.pending).length, 1)
        assert.strictEqual((yield* journal.results({})).length, 1)
      }).pipe(Effect.provide(Layer.provideMerge(Journal.layer(), client)))
    })
  )

  it.scopedLive("does not write many results in one piece: others have their turn meanwhile", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* inJournal(sqlite(path), (journal) =>
        Effect.gen(function* () {
          const count = 10_000
          for (let index = 0; index < count; index++) {
            yield* journal.record(checkResult(index, `service${index % 100}`, "healthy"))
          }
          let turns = 0
          const turn = Effect.async<void>((resume) => {
            setImmediate(() => {
              turns++
              resume(Effect.void)
            })
          })
          const others = yield* Effect.fork(Effect.forever(turn))
          const begun = performance.now()
          yield* journal.flush
          const took = performance.now() - begun
          yield* Fiber.interrupt(others)
          process.stdout.write(
            `Journal on SQLite: ${Math.round((count / took) * 1000)} results a second, ${turns} turns of others\n`
          )
          assert.isAbove(turns, 100)
          assert.strictEqual((yield* journal.results({ limit: count + 1 })).length, count)
        })
      )
    })
  )
})

describeWithServices("postgres", "Journal on PostgreSQL", () => {
  const url = Effect.map(PostgresServer.make(), (server) => server.url)
  behaves(
    "postgres",
    Effect.map(url, (address) => postgres(address))
  )

  it.scopedLive("a newer schema is refused", () =>
    Effect.gen(function* () {
      const address = yield* url
      yield* inJournal(postgres(address), () => Effect.void)
      yield* Effect.flatMap(
        SqlClient,
        (sql) => sql`INSERT INTO holter_migrations (migration_id, name) VALUES (7, 'later')`
      ).pipe(Effect.provide(postgresClient(address)))
      const error = yield* Effect.flip(inJournal(postgres(address), () => Effect.void))
      assert.include(String(error), "written by a newer Holter")
    })
  )

  it.scopedLive("a server that stops and starts takes nothing with it", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      yield* inJournal(postgres(server.url), (journal, outbox) =>
        Effect.gen(function* () {
          const steps = commits(outage())
          yield* Effect.forEach(steps.slice(0, 5), (step) => journal.commit(step))
          yield* server.stop
          yield* Effect.forEach(steps.slice(5), (step) => journal.commit(step))
          assert.isDefined((yield* journal.health).down)
          yield* server.start
          yield* Effect.repeat(journal.flush, {
            until: () => Effect.map(journal.health, ({ waiting }) => waiting === 0)
          })
          assert.deepStrictEqual(
            Option.map(yield* journal.state, written),
            Option.map(Option.fromNullable(steps.at(-1)?.after), written)
          )
          assert.strictEqual((yield* outbox.pending).length, 2)
        })
      )
    })
  )
})
