/** One program at a time on a journal: who is refused, who takes over, and who gives way. */
import { assert, describe, it } from "@effect/vitest"
import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Exit, Fiber, Layer, Logger, Option, Scope, TestClock } from "effect"
import * as Journal from "../../../src/Monitor/Journal.js"
import { start } from "../../Alert/trace.js"
import { PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import * as clients from "./clients.js"
import { postgresClient, sqliteClient } from "./clients.js"
import { commits, outage } from "./steps.js"

const file = Effect.map(TempDir.make("journal"), (dir) => `${dir}/journal.db`)

/** Known to be dead are those that are named here. */
const holder = (name: string, dead: ReadonlyArray<string> = []): Journal.Holder => ({
  name: `process ${name}`,
  identity: name,
  isDead: (identity) => Effect.succeed(dead.includes(identity))
})

/** A program that takes the journal, and how it ends: in order, or by a kill. */
const program = (path: string, own: Journal.Holder) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.provideMerge(
      Journal.layer({ ...clients.own, holder: own, gather: 0 }),
      sqliteClient(path)
    ).pipe(Layer.buildWithScope(scope), Effect.provide(Logger.remove(Logger.defaultLogger)))
    return {
      journal: Context.get(context, Journal.Journal),
      sql: Context.get(context, SqlClient),
      stop: Scope.close(scope, Exit.void)
    }
  })

/** A row as a program leaves it that was killed. */
const killed = (path: string, name: string) =>
  Effect.gen(function* () {
    const left = yield* program(path, holder(name))
    const [row] = yield* left.sql`SELECT * FROM holter_lease`
    yield* left.stop
    const sql = yield* SqlClient
    yield* sql`INSERT INTO holter_lease ${sql.insert(row as Record<string, string>)}`
  }).pipe(Effect.provide(sqliteClient(path)))

const begin = TestClock.setTime(start)

/** Still waiting, how often the clock was moved on by a second, in the end ready. */
const secondsUntil = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.gen(function* () {
    for (let seconds = 0; seconds < 60; seconds++) {
      if (Option.isSome(yield* Fiber.poll(fiber))) return seconds
      yield* TestClock.adjust("1 second")
    }
    return Number.POSITIVE_INFINITY
  })

describe("A journal with one holder", () => {
  it.scoped("refuses a second one that finds the first alive, after a while, and names it", () =>
    Effect.gen(function* () {
      yield* begin
      const path = yield* file
      const first = yield* program(path, holder("1 on a"))
      const second = yield* Effect.fork(Effect.flip(program(path, holder("2 on b"))))
      assert.strictEqual(yield* secondsUntil(second), 15)
      const error = yield* Fiber.join(second)
      assert.strictEqual(error.reason, "Held")
      assert.match(error.message, /found process 1 on a, since 20.*, with a sign of life at 20/)
      assert.match(error.message, /End that one first.*a journal of its own/)
      // The first one has noticed nothing.
      yield* TestClock.adjust("1 minute")
      for (const step of commits(outage())) yield* first.journal.commit(step)
      assert.deepStrictEqual(yield* first.journal.health, { down: undefined, waiting: 0, lost: 0 })
      yield* first.stop
    })
  )

  it.scoped("is the next one's as soon as the first has ended", () =>
    Effect.gen(function* () {
      yield* begin
      const path = yield* file
      const first = yield* program(path, holder("1"))
      const second = yield* Effect.fork(program(path, holder("2")))
      yield* TestClock.adjust("7 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(second)))
      yield* first.stop
      yield* TestClock.adjust("1 second")
      yield* (yield* Fiber.join(second)).stop
      const third = yield* program(path, holder("3"))
      yield* third.stop
    })
  )

  it.scoped("is taken over at once from one that is known to be dead", () =>
    Effect.gen(function* () {
      yield* begin
      const path = yield* file
      yield* killed(path, "1")
      const second = yield* program(path, holder("2", ["1"]))
      yield* second.stop
    })
  )

  it.scoped("is taken over from one that gives no sign of life, whatever the clocks say", () =>
    Effect.gen(function* () {
      yield* begin
      const path = yield* file
      yield* killed(path, "1")
      // The clock of this machine is a day behind that of the other.
      yield* TestClock.setTime(start - 86_400_000)
      const second = yield* Effect.fork(program(path, holder("2")))
      assert.strictEqual(yield* secondsUntil(second), 15)
      yield* (yield* Fiber.join(second)).stop
    })
  )

  it.scoped("is one program's only, of several that find it free", () =>
    Effect.gen(function* () {
      yield* begin
      const path = yield* file
      yield* killed(path, "1")
      const all = yield* Effect.forEach(["2", "3", "4"], (name) =>
        Effect.fork(Effect.either(program(path, holder(name, ["1"]))))
      )
      yield* TestClock.adjust("1 minute")
      const ends = yield* Fiber.joinAll(all)
      assert.deepStrictEqual(ends.map(({ _tag }) => _tag).sort(), ["Left", "Left", "Right"])
      for (const end of ends) if (end._tag === "Right") yield* end.right.stop
    })
  )

  it.scoped("is left alone by one that was succeeded while it slept", () =>
    Effect.gen(function* () {
      yield* begin
      const path = yield* file
      const first = yield* program(path, holder("1"))
      yield* first.sql`UPDATE holter_lease SET token = 'other', name = 'process 2 on b'`
      const [step] = commits(outage())
      if (step === undefined) return assert.fail("no step")
      yield* first.journal.commit(step)
      assert.include((yield* first.journal.health).down, "process 2 on b")
      assert.isTrue(Option.isNone(yield* first.journal.state))
      const lost = yield* Effect.fork(first.journal.lost)
      yield* TestClock.adjust("5 seconds")
      const error = yield* Fiber.join(lost)
      assert.strictEqual(error.reason, "Held")
      assert.include(error.message, "process 2 on b")
      yield* first.stop
      const rows = yield* Effect.flatMap(
        SqlClient,
        (sql) => sql`SELECT name FROM holter_lease`
      ).pipe(Effect.provide(sqliteClient(path)))
      assert.deepStrictEqual(rows, [{ name: "process 2 on b" }])
    })
  )

  it.scoped("is nobody's for programs that do not ask for that", () =>
    Effect.gen(function* () {
      const path = yield* file
      const first = yield* program(path, holder("1"))
      yield* Effect.provide(
        Effect.flatMap(Journal.Journal, (journal) => journal.results({})),
        Layer.provide(Journal.layer(clients.own), sqliteClient(path))
      )
      yield* first.stop
    })
  )
})

describeWithServices("postgres", "A journal with one holder on PostgreSQL", () => {
  it.scopedLive("does the same", () =>
    Effect.gen(function* () {
      const { url } = yield* PostgresServer.make()
      const layer = (own: Journal.Holder) =>
        Layer.provideMerge(Journal.layer({ holder: own }), postgresClient(url)).pipe(
          Layer.provideMerge(Logger.remove(Logger.defaultLogger))
        )
      yield* Effect.gen(function* () {
        const journal = yield* Journal.Journal
        const sql = yield* SqlClient
        for (const step of commits(outage())) yield* journal.commit(step)
        assert.isUndefined((yield* journal.health).down)
        yield* sql`UPDATE holter_lease SET token = 'other', identity = '2', name = 'process 2'`
        const [step] = commits(outage())
        if (step !== undefined) yield* journal.commit(step)
        assert.include((yield* journal.health).down, "process 2")
      }).pipe(Effect.provide(layer(holder("1"))))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient
        const rows = yield* sql`SELECT name FROM holter_lease`
        assert.deepStrictEqual(rows, [{ name: "process 3" }])
      }).pipe(Effect.provide(layer(holder("3", ["2"]))))
      const rows = yield* Effect.flatMap(
        SqlClient,
        (sql) => sql`SELECT name FROM holter_lease`
      ).pipe(Effect.provide(postgresClient(url)))
      assert.deepStrictEqual(rows, [])
    })
  )
})
