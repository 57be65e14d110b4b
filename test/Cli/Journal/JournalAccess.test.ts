import { assert, describe, it } from "@effect/vitest"
import * as Reactivity from "@effect/experimental/Reactivity"
import { NodeContext } from "@effect/platform-node"
import { Context, Effect, Exit, Fiber, Layer, Logger, Option, TestClock } from "effect"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import Sqlite from "better-sqlite3"
import * as Outbox from "../../../src/Alert/Outbox.js"
import * as JournalAccess from "../../../src/Cli/Journal/JournalAccess.js"
import * as PostgresClient from "../../../src/Cli/Journal/PostgresClient.js"
import * as DatabaseUrl from "../../../src/Common/DatabaseUrl.js"
import * as Journal from "../../../src/Monitor/Journal.js"
import * as PatientJournal from "../../../src/Monitor/PatientJournal.js"
import { start } from "../../Alert/trace.js"
import { behaves } from "../../Monitor/Journal/behaviour.js"
import { checkResult, commits, outage, written } from "../../Monitor/Journal/steps.js"
import { type PostgresInstance, PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"
import * as FreePort from "../../support/FreePort.js"
import { live } from "../../support/live.js"
import * as TempDir from "../../support/TempDir.js"

const access = (url: DatabaseUrl.DatabaseUrl, options?: JournalAccess.Options) =>
  Layer.provide(JournalAccess.layer({ url, retain: undefined }, options), NodeContext.layer)

const sqlite = (path: string, options?: JournalAccess.Options) =>
  access({ _tag: "Sqlite", path }, options)

const opened = <E>(layer: Layer.Layer<Journal.Journal | Outbox.Outbox, E>) =>
  Effect.scoped(Layer.build(layer))

const recorded = (layer: Layer.Layer<Journal.Journal | Outbox.Outbox, Journal.JournalError>) =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    yield* journal.record(checkResult(0, "redis", "healthy"))
    yield* journal.flush
  }).pipe(Effect.provide(layer))

describe("A journal in a SQLite file, as the command line opens it", () => {
  const file = Effect.map(TempDir.make("journal"), (dir) => `${dir}/data/holter.db`)
  behaves(
    "sqlite",
    Effect.map(file, (path) => sqlite(path))
  )

  it.scopedLive("is not made by a command that only looks", () =>
    Effect.gen(function* () {
      const path = yield* file
      const error = yield* Effect.flip(opened(sqlite(path, { reading: true })))
      assert.strictEqual(error.reason, "Missing")
      assert.match(error.message, /holds nothing yet \(no such file\).*`holter watch`/)
      assert.isFalse(existsSync(path))
    })
  )

  it.scoped("is begun anew with what is known where its file was removed, or replaced", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const dir = yield* TempDir.make("journal")
      const path = `${dir}/data/holter.db`
      const holder = (name: string): Journal.Holder => ({
        ...{ name: `process ${name}`, identity: name },
        isDead: () => Effect.succeed(false)
      })
      const context = yield* Layer.build(
        PatientJournal.layer(sqlite(path, { holder: holder("1") }))
      ).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
      const journal = Context.get(context, Journal.Journal)
      const steps = commits(outage(0))
      for (const step of steps) yield* journal.commit(step)
      const leftIn = (where: string) =>
        Effect.gen(function* () {
          const found = yield* Journal.Journal
          return {
            state: Option.map(yield* found.state, written),
            open: (yield* found.incidents({})).map(({ ended_at }) => ended_at),
            owed: (yield* Effect.flatMap(Outbox.Outbox, ({ pending }) => pending)).length
          }
        }).pipe(Effect.provide(sqlite(where, { reading: true })))
      const known = yield* leftIn(path)
      assert.deepStrictEqual([known.open, known.owed], [[null], 1])
      const other = `${dir}/other.db`
      yield* opened(sqlite(other))

      const reader: { current?: Sqlite.Database } = {}
      const losses = [
        () => rmSync(path),
        () => rmSync(`${dir}/data`, { recursive: true }),
        () => writeFileSync(path, ""),
        () => {
          renameSync(path, `${path}-1`)
          writeFileSync(path, "")
        },
        // Beside it lies the -wal of the one that was there, which somebody reads at this moment.
        () => {
          reader.current = new Sqlite(path)
          reader.current.exec("BEGIN; SELECT count(*) FROM holter_results")
          renameSync(other, path)
        }
      ]
      for (const lose of losses) {
        lose()
        for (const isDown of [true, false]) {
          // Looking at files takes time that no virtual clock has.
          yield* Effect.zipRight(
            TestClock.adjust("1 second"),
            Effect.flatMap(live(Effect.sleep(0)), () => journal.health)
          ).pipe(Effect.repeat({ until: ({ down }) => (down !== undefined) === isDown }))
        }
        assert.deepStrictEqual(yield* leftIn(path), known)
        // It is this program's again: nobody else may keep it.
        const second = yield* Effect.fork(
          Effect.flip(opened(sqlite(path, { holder: holder("2") })))
        )
        yield* Effect.zipRight(TestClock.adjust("1 second"), live(Effect.sleep(0))).pipe(
          Effect.repeat({ until: () => Effect.map(Fiber.poll(second), Option.isSome) })
        )
        assert.strictEqual((yield* Fiber.join(second)).reason, "Held")
      }
      reader.current?.close()
      // The one that was moved away is whole, without its -wal.
      assert.deepStrictEqual(yield* leftIn(`${path}-1`), known)
    })
  )

  it.scopedLive("has no tables made in a database of something else by one that only looks", () =>
    Effect.gen(function* () {
      const dir = yield* TempDir.make("journal")
      const path = `${dir}/holter.db`
      const database = new Sqlite(path)
      database.exec("CREATE TABLE holter (key TEXT PRIMARY KEY, value TEXT)")
      database.close()
      const before = readFileSync(path)
      const error = yield* Effect.flip(opened(sqlite(path, { reading: true })))
      assert.strictEqual(error.reason, "Missing")
      assert.deepStrictEqual(readFileSync(path), before)
    })
  )

  it.scopedLive("is read while another program writes it, and takes a request from there", () =>
    Effect.gen(function* () {
      const path = yield* file
      const [step] = commits(outage())
      yield* Effect.gen(function* () {
        const watching = yield* Journal.Journal
        yield* watching.record(checkResult(0, "redis", "healthy"))
        yield* watching.flush
        yield* Effect.gen(function* () {
          const looking = yield* Journal.Journal
          assert.strictEqual((yield* looking.results({})).length, 1)
          if (step !== undefined) yield* looking.request(step.event)
        }).pipe(Effect.provide(sqlite(path, { reading: true })))
        const { known } = yield* watching.requests
        assert.deepStrictEqual(
          known.map(({ event }) => event),
          step === undefined ? [] : [step.event]
        )
      }).pipe(Effect.provide(sqlite(path)))
    })
  )

  it.scopedLive("is refused as it is when it is damaged, and named", () =>
    Effect.gen(function* () {
      const dir = yield* TempDir.make("journal")
      const path = `${dir}/holter.db`
      writeFileSync(path, "this is no database, but a text that is long enough".repeat(100))
      const before = readFileSync(path)
      for (const reading of [true, false]) {
        const error = yield* Effect.flip(opened(sqlite(path, { reading })))
        assert.strictEqual(error.reason, "Corrupt")
        assert.include(error.message, path)
        assert.include(error.message, "HOLTER_JOURNAL_URL")
      }
      assert.deepStrictEqual(readFileSync(path), before)
    })
  )

  it.scopedLive("is refused where a newer Holter wrote it", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* recorded(sqlite(path))
      const database = new Sqlite(path)
      database.exec("INSERT INTO holter_migrations (migration_id, name) VALUES (99, 'later')")
      database.close()
      const error = yield* Effect.flip(opened(sqlite(path, { reading: true })))
      assert.strictEqual(error.reason, "NewerVersion")
    })
  )

  it.scopedLive("cannot be a directory", () =>
    Effect.gen(function* () {
      const path = yield* file
      mkdirSync(path, { recursive: true })
      const error = yield* Effect.flip(opened(sqlite(path)))
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, "found a directory in the place of its file")
    })
  )
})

describeWithServices("postgres", "A journal in PostgreSQL, as the command line opens it", () => {
  const urlOf = (server: PostgresInstance) =>
    Option.getOrThrow(Option.getRight(DatabaseUrl.parse(server.url)))
  const postgres = (server: PostgresInstance, options?: JournalAccess.Options) =>
    access(urlOf(server), options)
  behaves("postgres", Effect.map(PostgresServer.make(), postgres))

  it.scopedLive("has no tables made by a command that only looks", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const error = yield* Effect.flip(opened(postgres(server, { reading: true })))
      assert.strictEqual(error.reason, "Missing")
      yield* recorded(postgres(server))
      assert.isTrue(Exit.isSuccess(yield* Effect.exit(opened(postgres(server, { reading: true })))))
    })
  )

  it.scopedLive("is written again once a server that was away is back", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      yield* Effect.gen(function* () {
        const journal = yield* Journal.Journal
        yield* journal.record(checkResult(0, "redis", "healthy"))
        yield* journal.flush
        yield* server.stop
        yield* journal.record(checkResult(1, "redis", "healthy"))
        yield* journal.flush
        assert.isDefined((yield* journal.health).down)
        yield* server.start
        yield* journal.flush
        assert.isUndefined((yield* journal.health).down)
        assert.strictEqual((yield* journal.results({})).length, 2)
      }).pipe(Effect.provide(postgres(server)))
    })
  )

  it.scopedLive("leaves a connection on which nothing answers any more, and opens another", () =>
    Effect.gen(function* () {
      const url = urlOf(yield* PostgresServer.make())
      if (url._tag !== "Postgres") return assert.fail("not PostgreSQL")
      const sql = yield* PostgresClient.make(url, "1 second")
      const sleeping = sql`SELECT pg_sleep(600)`
      for (const statement of [sleeping, sql.withTransaction(sleeping)]) {
        const [before] = yield* sql<{ readonly pid: number }>`SELECT pg_backend_pid() AS pid`
        assert.isTrue(Exit.isFailure(yield* Effect.exit(statement)))
        const [after] = yield* sql<{ readonly pid: number }>`SELECT pg_backend_pid() AS pid`
        assert.notStrictEqual(after?.pid, before?.pid)
      }
    }).pipe(Effect.provide(Reactivity.layer))
  )

  it.scopedLive("says where it is when it cannot be reached, and not with which password", () =>
    Effect.gen(function* () {
      const port = yield* FreePort.find
      const url = DatabaseUrl.parse(`postgresql://holter:s3cr3t-word@127.0.0.1:${port}/bot`)
      const error = yield* Effect.flip(opened(access(Option.getOrThrow(Option.getRight(url)))))
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, `bot on 127.0.0.1:${port}`)
      assert.include(error.message, "connection refused")
      assert.notInclude(error.message, "s3cr3t")
    })
  )
})
