/** A database that holds the program's journal is restored: what is owed is still owed afterwards. */
import { assert, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Fiber, Layer, Logger, Option, Redacted, Schedule } from "effect"
import * as path from "node:path"
import { Outbox } from "../../src/Alert/Outbox.js"
import * as Backup from "../../src/Backup/Backup.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import { BackupStrategy, type Strategy } from "../../src/Backup/BackupStrategy/Strategy.js"
import * as JournalTables from "../../src/Common/JournalTables.js"
import * as Journal from "../../src/Monitor/Journal.js"
import { checkResult, commits, outage, written } from "../Monitor/Journal/steps.js"
import { PostgresServer } from "../support/PostgresServer.js"
import { describeWithServices } from "../support/Services.js"
import { strategy } from "../support/SqliteBackup.js"
import * as TempDir from "../support/TempDir.js"
import { strategyOf } from "./BackupStrategy/PostgresFixture.js"

/** Whether the backup holds a journal already, of before the outage. */
type Moment = "before the journal" | "after an earlier outage"

interface Given {
  readonly client: Layer.Layer<SqlClient, unknown>
  readonly strategy: Effect.Effect<Strategy, unknown>
  readonly moment: Moment
  readonly journal?: "present" | "backup"
}

/** What a program finds that starts afterwards. */
const found = Effect.gen(function* () {
  const journal = yield* Journal.Journal
  return {
    state: Option.getOrNull(Option.map(yield* journal.state, written)),
    incidents: (yield* journal.incidents({})).map(({ ended_at }) => ended_at === null),
    owed: (yield* Effect.flatMap(Outbox, ({ pending }) => pending)).length,
    requests: (yield* journal.requests).known.length
  }
}).pipe(Effect.provide(Journal.layer()))

const opened = outage(0).length

/** A backup, then an outage that is told of, then the restore; the same program goes on all the time. */
const story = ({ client, journal: whose, moment, strategy: made }: Given) =>
  Effect.gen(function* () {
    const store = path.join(yield* TempDir.make("backups"), "store")
    const backup = yield* Layer.build(
      Backup.layer({ app: "Bot" }).pipe(
        Layer.provide(BackupStore.layerDirectory({ path: store })),
        Layer.provide(Layer.effect(BackupStrategy, made))
      )
    ).pipe(Effect.map(Context.get(Backup.Backup)))
    const program = yield* Layer.build(client)
    const sql = Context.get(program, SqlClient)
    yield* sql`CREATE TABLE orders (id integer)`
    yield* sql`INSERT INTO orders VALUES (1)`
    // The program's own, though it is called as those of the journal are.
    yield* sql`CREATE TABLE holter_state_machine (id integer)`
    yield* sql`CREATE INDEX holter_state_machine_id ON holter_state_machine (id)`
    yield* sql`INSERT INTO holter_state_machine VALUES (1)`
    if (moment === "before the journal") yield* backup.create()
    const context = yield* Effect.provide(Layer.build(Journal.layer()), program)
    const journal = Context.get(context, Journal.Journal)
    if (moment === "after an earlier outage") {
      for (const step of commits(outage())) yield* journal.commit(step)
      yield* backup.create()
    }
    yield* sql`INSERT INTO orders VALUES (2)`
    yield* sql`INSERT INTO holter_state_machine VALUES (2)`
    const steps = commits(outage().map((event) => ({ ...event, at: event.at + later })))
    for (const step of steps.slice(0, opened)) yield* journal.commit(step)
    yield* journal.request({ _tag: "Acknowledged", at: later, service: "redis", by: "ann" })
    yield* journal.flush
    const before = yield* Effect.provide(found, program)
    const restored = yield* backup.restore({ _tag: "Latest" }, { journal: whose })
    const again = Effect.provide(found, program).pipe(
      // The connections of before were ended, and the pool has to learn it.
      Effect.retry(Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(100)))
    )
    const after = yield* again
    const orders = yield* sql<{ readonly id: number }>`SELECT id FROM orders`
    const own = yield* sql<{ readonly id: number }>`SELECT id FROM holter_state_machine`
    // It comes back, and the program of before says so in the journal that it has open.
    for (const step of steps.slice(opened)) yield* journal.commit(step)
    yield* settled(journal)
    const rows = [orders, own].map((all) => all.map(({ id }) => id))
    return { before, restored, after, rows, end: yield* again }
  })

/** All is written, over a connection that may have to be opened anew. */
const settled = (journal: typeof Journal.Journal.Service) =>
  journal.flush.pipe(
    Effect.zipRight(journal.health),
    Effect.repeat({
      until: ({ down, waiting }) => down === undefined && waiting === 0,
      schedule: Schedule.spaced("50 millis")
    })
  )

/** The earlier outage is over, and was of another time. */
const later = 24 * 60 * 60 * 1000

const survives = (given: Given) =>
  Effect.gen(function* () {
    const { after, before, end, restored, rows } = yield* story(given)
    assert.deepStrictEqual(rows, [[1], [1]])
    const isSecond = given.moment === "after an earlier outage"
    assert.deepStrictEqual(before.incidents.filter(Boolean), [true])
    assert.isAbove(before.owed, 0)
    assert.strictEqual(before.requests, 1)
    assert.deepStrictEqual(after, before)
    assert.deepStrictEqual(end.incidents, isSecond ? [false, false] : [false])
    assert.deepStrictEqual(
      restored?.warnings.filter((line) => /journal|holter_/.test(line)),
      []
    )
    const keeps = (restored?.keeps ?? []).map((name) =>
      name.replace(/^(?:public|"bot data")\./, "")
    )
    assert.deepStrictEqual(keeps.toSorted(), JournalTables.tables.toSorted())
  })

const moments: ReadonlyArray<Moment> = ["before the journal", "after an earlier outage"]

describe("A SQLite database with the journal in it", () => {
  const made = (wal: boolean) =>
    Effect.map(TempDir.make("kept"), (folder) => {
      const filename = path.join(folder, "bot.db")
      return {
        client: SqliteClient.layer({ filename, disableWAL: !wal }),
        strategy: strategy(filename)
      }
    })

  for (const wal of [true, false]) {
    for (const moment of moments) {
      it.scopedLive(`keeps it over a restore, ${wal ? "WAL" : "rollback"}, ${moment}`, () =>
        Effect.flatMap(made(wal), (given) => survives({ ...given, moment }))
      )
    }
  }

  it.scopedLive("gets that of the backup where it is asked for", () =>
    Effect.gen(function* () {
      const given = yield* made(true)
      const moment = "after an earlier outage"
      const { after, restored } = yield* story({ ...given, moment, journal: "backup" })
      assert.deepStrictEqual(after.incidents, [false])
      assert.strictEqual(after.requests, 0)
      assert.deepStrictEqual(restored?.keeps, [])
    })
  )
})

describeWithServices("postgres", "A PostgreSQL database with the journal in it", () => {
  const made = (createDatabase: boolean, schema = "public") =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      if (createDatabase) yield* server.query("ALTER ROLE holter CREATEDB")
      if (schema !== "public") {
        yield* server.query(`CREATE SCHEMA "${schema}" AUTHORIZATION holter`)
        yield* server.query(`ALTER ROLE holter SET search_path = "${schema}"`)
      }
      return {
        client: PgClient.layer({ url: Redacted.make(server.url), maxConnections: 2 }),
        strategy: strategyOf(server.url)
      }
    })

  for (const createDatabase of [true, false]) {
    for (const moment of moments) {
      const way = createDatabase ? "into a new database" : "in place"
      it.scopedLive(`keeps it over a restore ${way}, ${moment}`, () =>
        Effect.flatMap(made(createDatabase), (given) => survives({ ...given, moment }))
      )
      it.scopedLive(`keeps it in a schema of the program over a restore ${way}, ${moment}`, () =>
        Effect.flatMap(made(createDatabase, "bot data"), (given) => survives({ ...given, moment }))
      )
    }
  }

  it.scopedLive("loses nothing that is written to it while a new database takes its place", () =>
    Effect.gen(function* () {
      const given = yield* made(true)
      const store = path.join(yield* TempDir.make("backups"), "store")
      const backup = yield* Layer.build(
        Backup.layer({ app: "Bot" }).pipe(
          Layer.provide(BackupStore.layerDirectory({ path: store })),
          Layer.provide(Layer.effect(BackupStrategy, given.strategy))
        )
      ).pipe(Effect.map(Context.get(Backup.Backup)))
      yield* backup.create()
      const program = yield* Layer.build(given.client)
      const context = yield* Effect.provide(Layer.build(Journal.layer({ gather: 0 })), program)
      const journal = Context.get(context, Journal.Journal)
      let recorded = 0
      const write = Effect.suspend(() =>
        journal.record(checkResult(recorded++, "redis", "healthy"))
      )
      const writer = yield* Effect.fork(
        Effect.repeat(Effect.zipRight(write, journal.flush), Schedule.spaced("5 millis"))
      )
      yield* backup.restore({ _tag: "Latest" })
      yield* Fiber.interrupt(writer)
      yield* settled(journal)
      const { length } = yield* journal.results({ limit: recorded + 1 })
      assert.isAbove(recorded, 10)
      assert.strictEqual(length, recorded)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
})
