import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Logger, TestClock } from "effect"
import * as Beacon from "../../src/Lifecycle/Beacon.js"
import * as Lifecycle from "../../src/Lifecycle/Lifecycle.js"
import * as ShutdownReport from "../../src/Lifecycle/ShutdownReport.js"

const quiet = Logger.remove(Logger.defaultLogger)

const program = (options: Lifecycle.Options & Beacon.Options = {}) =>
  Layer.provideMerge(Beacon.layer(options), Lifecycle.layer(options)).pipe(
    Layer.provideMerge(quiet)
  )

const both = Effect.all([Lifecycle.Lifecycle, Beacon.Beacon])

/** Work that tells when it began, and lasts until it is told. */
const work = Effect.gen(function* () {
  const began = yield* Deferred.make<void>()
  const end = yield* Deferred.make<string>()
  return {
    began,
    end,
    effect: Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(end))
  }
})

describe("a beacon", () => {
  it.effect("is counted, named and aged while its work runs", () =>
    Effect.gen(function* () {
      const beacon = yield* Beacon.make
      const { began, effect, end } = yield* work
      const fiber = yield* Effect.fork(beacon.track("order 17")(effect))
      yield* Deferred.await(began)
      yield* TestClock.adjust("12 seconds")
      const [only, ...others] = yield* beacon.inFlight
      assert.isEmpty(others)
      assert.strictEqual(only?.name, "order 17")
      assert.strictEqual(Duration.toSeconds(only?.age ?? 0), 12)
      yield* Deferred.succeed(end, "done")
      assert.strictEqual(yield* Fiber.join(fiber), "done")
      assert.isEmpty(yield* beacon.inFlight)
    })
  )

  it.effect("keeps the value and the error of its work", () =>
    Effect.gen(function* () {
      const { track } = yield* Beacon.make
      assert.strictEqual(yield* track("a")(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(track("a")(Effect.fail("no" as const))), "no")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(track("a")(Effect.die("bug")))))
    })
  )

  it.effect("passes an interruption of its caller on, and waits for the end of the work", () =>
    Effect.gen(function* () {
      const beacon = yield* Beacon.make
      const began = yield* Deferred.make<void>()
      let cleaned = false
      const effect = Effect.onInterrupt(
        Effect.zipRight(Deferred.succeed(began, undefined), Effect.never),
        () =>
          Effect.sync(() => {
            cleaned = true
          })
      )
      const fiber = yield* Effect.fork(beacon.track("a")(effect))
      yield* Deferred.await(began)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(cleaned)
      assert.isEmpty(yield* beacon.inFlight)
    })
  )

  it.effect("is refused with a typed error once new work is", () =>
    Effect.gen(function* () {
      const beacon = yield* Beacon.make
      yield* beacon.refuse
      const error = yield* Effect.flip(beacon.track("order 17")(Effect.void))
      assert.strictEqual(error._tag, "BeaconRefused")
      assert.include(error.message, "order 17 was not started")
    })
  )

  it.effect("within accepted work goes on though new work is refused", () =>
    Effect.gen(function* () {
      const beacon = yield* Beacon.make
      const go = yield* Deferred.make<void>()
      const began = yield* Deferred.make<void>()
      const inner = beacon.track("inner")(Effect.succeed("part"))
      const outer = Deferred.succeed(began, undefined).pipe(
        Effect.zipRight(Deferred.await(go)),
        Effect.zipRight(inner)
      )
      const fiber = yield* Effect.fork(beacon.track("outer")(outer))
      yield* Deferred.await(began)
      yield* beacon.refuse
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual(yield* Fiber.join(fiber), "part")
    })
  )

  it.effect("that is cancelled does not end the loop that asked for its work", () =>
    Effect.gen(function* () {
      const beacon = yield* Beacon.make
      const { began, effect } = yield* work
      const loop = yield* Effect.fork(Effect.exit(beacon.track("poll")(effect)))
      yield* Deferred.await(began)
      yield* beacon.cancel
      const exit = yield* Fiber.join(loop)
      assert.isTrue(Exit.isInterrupted(exit))
    })
  )

  it.effect("is waited for until the last is out", () =>
    Effect.gen(function* () {
      const beacon = yield* Beacon.make
      yield* beacon.idle
      const fibers = yield* Effect.forEach(["2 seconds", "5 seconds"] as const, (time) =>
        Effect.fork(beacon.track(time)(Effect.sleep(time)))
      )
      yield* Effect.yieldNow()
      const idle = yield* Effect.fork(beacon.idle)
      yield* TestClock.adjust("4 seconds")
      assert.isNull(idle.unsafePoll())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(idle)
      yield* Fiber.joinAll(fibers)
    })
  )
})

describe("beacons in a shutdown", () => {
  it.effect("are waited for within the limit", () =>
    Effect.gen(function* () {
      const [lifecycle, beacon] = yield* both
      const fiber = yield* Effect.fork(
        beacon.track("order 17")(Effect.as(Effect.sleep("4 seconds"), "done"))
      )
      yield* Effect.yieldNow()
      const shutdown = yield* Effect.fork(lifecycle.shutdown)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "done")
      const report = yield* Fiber.join(shutdown)
      assert.strictEqual(ShutdownReport.exitCode(report), 0)
      assert.include(ShutdownReport.text(report), "waited for order 17 (")
    }).pipe(Effect.provide(program()))
  )

  it.scoped("are refused from intake on, not in the lame-duck time", () =>
    Effect.gen(function* () {
      const [lifecycle, { track }] = yield* both
      const refused = Effect.flip(track("too late")(Effect.void))
      yield* lifecycle.on(
        "intake",
        "look",
        Effect.flatMap(refused, ({ message }) => lifecycle.note(message))
      )
      lifecycle.requestStop({ _tag: "Signal", signal: "SIGTERM" })
      const shutdown = yield* Effect.fork(lifecycle.shutdown)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* track("late")(Effect.succeed("served")), "served")
      yield* TestClock.adjust("1 second")
      const report = yield* Fiber.join(shutdown)
      assert.strictEqual(ShutdownReport.exitCode(report), 0)
      assert.include(ShutdownReport.text(report), "too late was not started")
    }).pipe(Effect.provide(program({ lameDuck: "2 seconds" })))
  )

  it.scoped("that are left are cancelled, and reported by name and age", () =>
    Effect.gen(function* () {
      const [lifecycle, beacon] = yield* both
      let released = ""
      const thenBot = Effect.sync(() => {
        released += " then bot"
      })
      yield* lifecycle.on("bot", "after", thenBot)
      const stuck = Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          released += "order 17"
        })
      )
      const fiber = yield* Effect.fork(beacon.track("order 17")(stuck))
      yield* Effect.yieldNow()
      yield* TestClock.adjust("1 minute")
      const shutdown = yield* Effect.fork(lifecycle.shutdown)
      yield* TestClock.adjust("3 seconds")
      const report = yield* Fiber.join(shutdown)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(fiber)))
      assert.strictEqual(released, "order 17 then bot")
      assert.strictEqual(ShutdownReport.exitCode(report), 1)
      const text = ShutdownReport.text(report)
      assert.match(text, /drain +work in flight .* overran 3 s/)
      assert.include(text, "cancelled order 17 (63 s)")
    }).pipe(Effect.provide(program({ drainTimeout: "3 seconds" })))
  )

  it.effect("that ignore their cancellation hold nothing up", () =>
    Effect.gen(function* () {
      const [lifecycle, beacon] = yield* both
      yield* Effect.forkDaemon(beacon.track("deaf")(Effect.uninterruptible(Effect.never)))
      yield* Effect.yieldNow()
      const shutdown = yield* Effect.fork(lifecycle.shutdown)
      yield* TestClock.adjust("30 seconds")
      const report = yield* Fiber.join(shutdown)
      const ends = report.entries.map(({ ended, phase }) => `${phase} ${ended}`)
      assert.deepStrictEqual(ends, ["drain overran", "cancel overran"])
      assert.include(ShutdownReport.text(report), "cancelled deaf (")
    }).pipe(Effect.provide(program()))
  )
})
