/** The sequence under the virtual clock. */
import { assert, describe, it } from "@effect/vitest"
import {
  Data,
  type Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Ref,
  Scope,
  TestClock
} from "effect"
import * as Lifecycle from "../../src/Lifecycle/Lifecycle.js"
import * as Phase from "../../src/Lifecycle/Phase.js"
import * as ShutdownReport from "../../src/Lifecycle/ShutdownReport.js"

class HookError extends Data.TaggedError("HookError")<{ readonly message: string }> {}

const make = (options: Lifecycle.Options = {}) =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.make(options)
    const log = yield* Ref.make<ReadonlyArray<string>>([])
    return {
      lifecycle,
      /** What ran, in order. */
      log: Ref.get(log),
      mark: (text: string) => Ref.update(log, (all) => [...all, text])
    }
  })

/** The shutdown, with the time that it takes. */
const shutdownAfter = (lifecycle: Lifecycle.Lifecycle["Type"], time: Duration.DurationInput) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(lifecycle.shutdown)
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  })

const quiet = Logger.remove(Logger.defaultLogger)

const entryOf = (report: ShutdownReport.ShutdownReport, hook: string) => {
  const entry = report.entries.find((entry) => entry.hook === hook)
  assert.isDefined(entry, `${hook} is not in\n${ShutdownReport.text(report)}`)
  return entry
}

const endsOf = (report: ShutdownReport.ShutdownReport) =>
  report.entries.map(({ ended, hook }) => `${hook} ${ended}`)

describe("phases", () => {
  it.scoped("run in order, whatever the order of registration", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make()
      for (const phase of [...Phase.names].reverse()) {
        yield* lifecycle.on(phase, phase, mark(phase))
      }
      const report = yield* lifecycle.shutdown
      assert.deepStrictEqual(yield* log, [...Phase.names])
      assert.strictEqual(ShutdownReport.exitCode(report), 0)
      assert.deepStrictEqual(
        report.entries.map(({ phase }) => phase),
        [...Phase.names]
      )
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("run one after the other: none begins before the one before it has ended", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make()
      yield* lifecycle.on("intake", "slow", Effect.sleep("1 second"))
      yield* lifecycle.on("monitoring", "next", Effect.sleep("200 millis"))
      const report = yield* shutdownAfter(lifecycle, "5 seconds")
      assert.deepInclude(entryOf(report, "slow"), { started_ms: 0, took_ms: 1000 })
      assert.deepInclude(entryOf(report, "next"), { started_ms: 1000, took_ms: 200 })
      assert.strictEqual(report.took_ms, 1200)
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("of the program's own run where they were inserted", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make({
        phases: [
          { name: "queue", after: "drain" },
          { name: "leader", before: "intake" },
          { name: "after queue", after: "queue" }
        ]
      })
      for (const phase of ["after queue", "cancel", "queue", "intake", "drain", "leader"]) {
        yield* lifecycle.on(phase, phase, mark(phase))
      }
      yield* lifecycle.shutdown
      assert.deepStrictEqual(yield* log, [
        "leader",
        "intake",
        "drain",
        "queue",
        "after queue",
        "cancel"
      ])
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("that do not exist are a typed error", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make()
      const error = yield* Effect.flip(lifecycle.on("databse", "sqlite", Effect.void))
      assert.strictEqual(error.reason, "UnknownPhase")
      const order = yield* Effect.flip(
        Lifecycle.make({ phases: [{ name: "a", after: "nowhere" }] })
      )
      assert.strictEqual(order.reason, "UnknownPhase")
    })
  )

  it.scoped("run their hooks from the last to the first, and what must be first before them", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make()
      yield* lifecycle.on("cancel", "pool", mark("pool"))
      yield* lifecycle.on("cancel", "work", mark("work"), { first: true })
      yield* lifecycle.on("cancel", "client", mark("client"))
      const planned = (yield* lifecycle.plan).phases.flatMap(({ hooks }) => hooks)
      assert.deepStrictEqual(
        planned.map(({ name }) => name),
        ["work", "client", "pool"]
      )
      yield* lifecycle.shutdown
      assert.deepStrictEqual(yield* log, ["work", "client", "pool"])
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("release what was acquired in their scope", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make()
      const scope = yield* lifecycle.scope("connections", "redis")
      yield* Scope.addFinalizer(scope, mark("socket"))
      yield* Scope.addFinalizer(scope, mark("client"))
      yield* lifecycle.on("bot", "bot", mark("bot"))
      const report = yield* lifecycle.shutdown
      assert.deepStrictEqual(yield* log, ["bot", "client", "socket"])
      assert.strictEqual(entryOf(report, "redis").phase, "connections")
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("forget a hook whose scope has closed", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make()
      yield* Effect.scoped(lifecycle.on("bot", "gone", mark("gone")))
      const hooks = (yield* lifecycle.plan).phases.flatMap(({ hooks }) => hooks)
      assert.isEmpty(hooks)
      yield* lifecycle.shutdown
      assert.isEmpty(yield* log)
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("that are over run a late hook at once", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make()
      yield* lifecycle.on(
        "bot",
        "bot",
        lifecycle.on("intake", "late", mark("late")).pipe(Effect.scoped)
      )
      yield* lifecycle.on("database", "database", mark("database"))
      const report = yield* lifecycle.shutdown
      assert.deepStrictEqual(yield* log, ["late", "database"])
      assert.strictEqual(entryOf(report, "late").phase, "intake")
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("run once, also when two ask for it", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make()
      yield* lifecycle.on("bot", "bot", Effect.zipRight(Effect.sleep("1 second"), mark("bot")))
      const both = yield* Effect.fork(
        Effect.all([lifecycle.shutdown, lifecycle.shutdown], { concurrency: 2 })
      )
      yield* TestClock.adjust("1 second")
      const [one, other] = yield* Fiber.join(both)
      assert.deepStrictEqual(yield* log, ["bot"])
      assert.strictEqual(one, other)
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("run to their end though who waits for them is interrupted", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make()
      yield* lifecycle.on("bot", "bot", Effect.zipRight(Effect.sleep("1 second"), mark("bot")))
      const waiting = yield* Effect.fork(lifecycle.shutdown)
      yield* Effect.yieldNow()
      yield* Effect.forkDaemon(Fiber.interrupt(waiting))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* log, ["bot"])
    }).pipe(Effect.provide(quiet))
  )
})

describe("a hook", () => {
  const troubles: ReadonlyArray<
    readonly [what: string, effect: Effect.Effect<unknown, HookError>, ended: string]
  > = [
    ["fails", new HookError({ message: "no route" }), "failed"],
    ["dies", Effect.die(new Error("a bug")), "died"],
    ["throws", Effect.sync((): unknown => JSON.parse("{")), "died"],
    ["interrupts itself", Effect.interrupt, "interrupted"],
    ["hangs", Effect.never, "overran"],
    ["ignores its interruption", Effect.uninterruptible(Effect.never), "overran"],
    ["hangs in its finalizer", Effect.onInterrupt(Effect.never, () => Effect.never), "overran"],
    [
      "waits for a promise that never settles",
      Effect.promise(() => new Promise<never>(() => {})),
      "overran"
    ]
  ]
  for (const [what, effect, ended] of troubles) {
    it.scoped(`that ${what} is recorded as ${ended}, and the sequence goes on`, () =>
      Effect.gen(function* () {
        const { lifecycle, log, mark } = yield* make()
        yield* lifecycle.on("connections", "before", mark("before"))
        yield* lifecycle.on("bot", "trouble", effect, { timeout: "300 millis" })
        yield* lifecycle.on("database", "after", mark("after"))
        const report = yield* shutdownAfter(lifecycle, "300 millis")
        assert.deepStrictEqual(yield* log, ["before", "after"])
        assert.deepStrictEqual(endsOf(report), [
          `trouble ${ended}`,
          "before completed",
          "after completed"
        ])
        assert.strictEqual(ShutdownReport.exitCode(report), 1)
        if (ended === "overran") assert.strictEqual(entryOf(report, "trouble").took_ms, 300)
      }).pipe(Effect.provide(quiet))
    )
  }

  it.scoped("has its own limit, to the millisecond", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make()
      yield* lifecycle.on("bot", "in time", Effect.sleep("499 millis"), { timeout: "500 millis" })
      yield* lifecycle.on("bot", "late", Effect.sleep("501 millis"), { timeout: "500 millis" })
      const report = yield* shutdownAfter(lifecycle, "5 seconds")
      assert.deepStrictEqual(endsOf(report), ["late overran", "in time completed"])
      assert.strictEqual(report.took_ms, 999)
    }).pipe(Effect.provide(quiet))
  )

  it.scopedLive("that blocks the event loop past its limit is late though it brings a value", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make()
      const block = Effect.sync(() => {
        for (const end = performance.now() + 150; performance.now() < end; );
        return "done"
      })
      yield* lifecycle.on("bot", "blocking", block, { timeout: "50 millis" })
      const report = yield* lifecycle.shutdown
      assert.deepStrictEqual(endsOf(report), ["blocking overran"])
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("that overran is interrupted", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make()
      yield* lifecycle.on(
        "bot",
        "late",
        Effect.onInterrupt(Effect.never, () => mark("interrupted")),
        { timeout: "1 second" }
      )
      yield* shutdownAfter(lifecycle, "2 seconds")
      assert.deepStrictEqual(yield* log, ["interrupted"])
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("adds notes of its own to the report", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make()
      yield* lifecycle.on("bot", "bot", lifecycle.note("3 messages left"))
      yield* lifecycle.on("bot", "other", Effect.void)
      const report = yield* lifecycle.shutdown
      assert.deepStrictEqual(entryOf(report, "bot").notes, ["3 messages left"])
      assert.isEmpty(entryOf(report, "other").notes)
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("tells why it failed, on one line", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make()
      yield* lifecycle.on("bot", "bot", new HookError({ message: "no route\nto host" }))
      const report = yield* lifecycle.shutdown
      assert.strictEqual(entryOf(report, "bot").message, "HookError: no route")
    }).pipe(Effect.provide(quiet))
  )
})

describe("a requested stop", () => {
  it.scoped("turns readiness at once, and begins the phases after the lame-duck time", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make({ lameDuck: "5 seconds" })
      yield* lifecycle.on("intake", "server", mark("closed"))
      assert.isTrue(lifecycle.isAccepting())
      lifecycle.requestStop({ _tag: "Signal", signal: "SIGTERM" })
      assert.isFalse(lifecycle.isAccepting())
      assert.isFalse(lifecycle.hasBegun("intake"))
      const fiber = yield* Effect.fork(lifecycle.shutdown)
      yield* TestClock.adjust("4999 millis")
      assert.isEmpty(yield* log)
      yield* TestClock.adjust("1 millis")
      const report = yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* log, ["closed"])
      assert.strictEqual(report.reason, "SIGTERM")
      assert.strictEqual(entryOf(report, "server").started_ms, 5000)
      assert.isTrue(lifecycle.hasBegun("intake"))
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("can be waited for, and its first reason stays", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make()
      const waiting = yield* Effect.fork(lifecycle.requested)
      lifecycle.requestStop({ _tag: "Asked", by: "the admin" })
      lifecycle.requestStop({ _tag: "Signal", signal: "SIGTERM" })
      assert.deepStrictEqual(yield* Fiber.join(waiting), { _tag: "Asked", by: "the admin" })
      assert.strictEqual((yield* lifecycle.shutdown).reason, "the admin")
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("gives a report at any moment, and tells who watches", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make()
      const seen: Array<string> = []
      lifecycle.watch(() => {
        const report = Option.getOrThrow(lifecycle.report())
        seen.push(...ShutdownReport.running(report).map(({ hook }) => hook))
      })
      assert.isTrue(Option.isNone(lifecycle.report()))
      yield* lifecycle.on("bot", "slow", Effect.sleep("1 second"))
      const fiber = yield* Effect.fork(lifecycle.shutdown)
      yield* TestClock.adjust("400 millis")
      const report = Option.getOrThrow(lifecycle.report())
      assert.strictEqual(report.phase, "bot")
      assert.deepInclude(entryOf(report, "slow"), { ended: "running", took_ms: 400 })
      assert.include(seen, "slow")
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(quiet))
  )
})

describe("a fault", () => {
  const fault = { _tag: "Fault", kind: "uncaughtException", fault: new Error("boom") } as const

  it.scoped("runs the same phases within the short deadline, without a lame-duck time", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make({
        lameDuck: "5 seconds",
        faultGrace: "2 seconds"
      })
      yield* lifecycle.on("drain", "hangs", Effect.never, { timeout: "10 seconds" })
      yield* lifecycle.on("database", "sqlite", mark("closed"), { timeout: "5 seconds" })
      lifecycle.requestStop(fault)
      const report = yield* shutdownAfter(lifecycle, "2 seconds")
      // Each hook has its share of the time, so that the first does not take it all.
      assert.deepStrictEqual(endsOf(report), ["hangs overran", "sqlite completed"])
      assert.isBelow(entryOf(report, "hangs").took_ms, 1900)
      assert.deepStrictEqual(yield* log, ["closed"])
      assert.strictEqual(report.fault, "uncaughtException: Error: boom")
      assert.strictEqual(ShutdownReport.exitCode(report), 70)
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("during a shutdown cuts the lame-duck time and the hook that runs short", () =>
    Effect.gen(function* () {
      const { lifecycle, log, mark } = yield* make({
        lameDuck: "5 seconds",
        faultGrace: "1 second"
      })
      yield* lifecycle.on("drain", "hangs", Effect.never, { timeout: "10 seconds" })
      yield* lifecycle.on("database", "sqlite", mark("closed"))
      lifecycle.requestStop({ _tag: "Signal", signal: "SIGTERM" })
      const fiber = yield* Effect.fork(lifecycle.shutdown)
      yield* TestClock.adjust("7 seconds")
      lifecycle.requestStop(fault)
      yield* TestClock.adjust("1 second")
      const report = yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* log, ["closed"])
      assert.strictEqual(report.reason, "SIGTERM")
      assert.strictEqual(ShutdownReport.exitCode(report), 70)
      assert.isAtMost(report.took_ms, 8000)
      assert.match(ShutdownReport.text(report), /hangs .* overran, cut short$/m)
    }).pipe(Effect.provide(quiet))
  )
})

describe("time", () => {
  it.scoped("is shared out when the plan does not fit any more", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make({ grace: "10 seconds", hookTimeout: "6 seconds" })
      for (const phase of ["intake", "bot", "database"] as const) {
        yield* lifecycle.on(phase, phase, Effect.never)
      }
      const report = yield* shutdownAfter(lifecycle, "10 seconds")
      assert.deepStrictEqual(endsOf(report), ["intake overran", "bot overran", "database overran"])
      assert.isAtMost(report.took_ms, 9500)
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("that earlier hooks left unused is for a hook that set no limit", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make({ grace: "10 seconds" })
      yield* lifecycle.on("intake", "quick", Effect.void)
      yield* lifecycle.on("connections", "ping", Effect.sleep("8 seconds"))
      yield* lifecycle.on("database", "sqlite", Effect.void, { timeout: "1 second" })
      const report = yield* shutdownAfter(lifecycle, "10 seconds")
      assert.deepStrictEqual(endsOf(report), [
        "quick completed",
        "ping completed",
        "sqlite completed"
      ])
      // All but what the hook after it asked for, and what is kept for the last words.
      assert.strictEqual(entryOf(report, "ping").limit_ms, 8500)
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("that is unused leaves the limits that were set as they are", () =>
    Effect.gen(function* () {
      const { lifecycle } = yield* make({ grace: "10 seconds", hookTimeout: "1 second" })
      yield* lifecycle.on("bot", "default", Effect.never)
      yield* lifecycle.on("database", "own", Effect.never, { timeout: "2 seconds" })
      const report = yield* shutdownAfter(lifecycle, "10 seconds")
      assert.deepStrictEqual(endsOf(report), ["default overran", "own overran"])
      assert.strictEqual(report.took_ms, 3000)
    }).pipe(Effect.provide(quiet))
  )

  it.effect("left is the grace, less what it takes to say so", () =>
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle.make({ grace: "10 seconds" })
      lifecycle.requestStop({ _tag: "Signal", signal: "SIGTERM" })
      yield* TestClock.adjust("4 seconds")
      const left = lifecycle.timeLeft()
      assert.isTrue(Math.abs(Number(left.value._tag === "Millis" && left.value.millis) - 5750) < 1)
    })
  )
})

describe("guarded layers", () => {
  it.scoped("close in phases before any of them is released", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const mark = (text: string) => Effect.sync(() => void log.push(text))
      const Connection = Layer.scopedDiscard(Effect.addFinalizer(() => mark("connection")))
      const Server = Layer.scopedDiscard(
        Effect.gen(function* () {
          const lifecycle = yield* Lifecycle.Lifecycle
          yield* Effect.addFinalizer(() => mark("server"))
          yield* lifecycle.on("intake", "server", mark("intake"))
          yield* lifecycle.on("bot", "server", mark("bot"))
        })
      )
      const Database = Layer.scopedDiscard(Effect.addFinalizer(() => mark("database"))).pipe(
        Lifecycle.within("database", "sqlite")
      )
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(
        Lifecycle.guarded(Layer.mergeAll(Server, Database).pipe(Layer.provide(Connection))),
        scope
      )
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log.slice(0, 3), ["intake", "bot", "database"])
      assert.sameMembers(log.slice(3), ["server", "connection"])
    }).pipe(Effect.provide(quiet))
  )

  it.scoped("are refused with the sum when the plan does not fit", () =>
    Effect.gen(function* () {
      const App = Layer.scopedDiscard(
        Effect.flatMap(Lifecycle.Lifecycle, ({ on }) =>
          on("drain", "queue", Effect.void, { timeout: "31 seconds" })
        )
      )
      const error = yield* Effect.flip(Layer.build(Lifecycle.guarded(App)))
      assert.strictEqual(error.reason, "OverGrace")
      assert.include(error.message, "up to 31 s")
    }).pipe(Effect.provide(quiet))
  )
})
