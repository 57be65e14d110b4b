import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Queue, TestClock } from "effect"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as scripted from "./scripted.js"

const { check, ok, orphansOf, program, runCheck } = scripted

describe("fibers that outlive their deadline", () => {
  const leaking = (gate: Deferred.Deferred<void>) =>
    Effect.uninterruptible(Effect.as(Deferred.await(gate), ok))

  it.effect("are counted; after three the check is not started until one ends", () =>
    Effect.gen(function* () {
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let starts = 0
      const probe = () => leaking(gates[starts++ === 0 ? 0 : 1] ?? assert.fail("no gate"))
      const other = check("other", Effect.succeed(ok))
      yield* Effect.gen(function* () {
        const run = Effect.gen(function* () {
          const fiber = yield* Effect.fork(runCheck("it"))
          yield* TestClock.adjust("10 seconds")
          return yield* Fiber.join(fiber)
        })
        for (const leaked of [1, 2, 3]) {
          assert.strictEqual((yield* run).reason, "Timeout")
          assert.strictEqual(yield* orphansOf("it"), leaked)
        }
        const refused = yield* runCheck("it") // the clock stands still: this is at once
        assert.strictEqual(refused.status, "unhealthy")
        assert.strictEqual(refused.reason, "StillRunning")
        assert.strictEqual(
          refused.message,
          "Not started: 3 earlier runs are past their deadline and cannot be stopped"
        )
        assert.strictEqual(starts, 3)
        assert.strictEqual((yield* runCheck("other")).status, "healthy")

        yield* Deferred.succeed(gates[0] ?? assert.fail("no gate"), undefined)
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 2)
        assert.strictEqual((yield* run).reason, "Timeout")
        assert.strictEqual(starts, 4)
        assert.strictEqual((yield* runCheck("it")).reason, "StillRunning")

        yield* Deferred.succeed(gates[1] ?? assert.fail("no gate"), undefined)
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 0)
        assert.strictEqual((yield* runCheck("it")).status, "healthy")
      }).pipe(Effect.provide(program(Layer.merge(check("it", probe), other))))
    })
  )

  it.effect("are not counted when they end on being interrupted", () =>
    Effect.gen(function* () {
      for (let beat = 0; beat < 5; beat++) {
        const fiber = yield* Effect.fork(runCheck("it"))
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).reason, "Timeout")
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 0)
      }
    }).pipe(Effect.provide(program(check("it", Effect.never))))
  )

  it.effect("are counted once, when the deadline and an interruption come together", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(runCheck("it"))
      yield* Effect.repeatN(Effect.yieldNow(), 60)
      // Wakes in the same turn as the deadline, before who waits for the result can go on.
      yield* Effect.fork(Effect.delay(Fiber.interruptFork(fiber), "10 seconds"))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.await(fiber)
      assert.strictEqual(yield* orphansOf("it"), 1)
    }).pipe(Effect.provide(program(check("it", Effect.uninterruptible(Effect.never)))))
  )

  it.effect("are counted after an attempt too", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let starts = 0
      const probe = () => (starts++ < 2 ? leaking(gate) : Effect.succeed(ok))
      const script = {
        attemptTimeout: "1 second",
        set: { retry: { times: 3, base: "100 millis" } }
      } as const
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(runCheck("it"))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).status, "healthy")
        assert.strictEqual(yield* orphansOf("it"), 2)
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 0)
      }).pipe(Effect.provide(program(check("it", probe, script))))
    })
  )

  it.effect("stop the attempts of a run too, when there are three", () => {
    let starts = 0
    const probe = () => {
      starts += 1
      return Effect.uninterruptible(Effect.never)
    }
    const script = {
      attemptTimeout: "1 second",
      set: { retry: { times: 9, base: "1 millis" } }
    } as const
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(runCheck("it"))
      yield* TestClock.adjust("9 seconds")
      const result = yield* Fiber.join(fiber)
      assert.strictEqual(result.message, "No answer within 1s")
      assert.deepStrictEqual(result.details, { orphaned_runs: 3 })
      assert.strictEqual(starts, 3)
      assert.strictEqual(yield* orphansOf("it"), 3)
      assert.strictEqual((yield* runCheck("it")).reason, "StillRunning")
    }).pipe(Effect.provide(program(check("it", probe, script))))
  })

  it.effect("are counted at the deadline of the run, also in the midst of an attempt", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(runCheck("it"))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).message, "No answer within 10s")
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      // The attempt that was given up after 7 seconds, and the one that began at 8.
      assert.strictEqual(yield* orphansOf("it"), 2)
    }).pipe(
      Effect.provide(
        program(
          check("it", Effect.uninterruptible(Effect.never), {
            attemptTimeout: "7 seconds",
            set: { retry: { times: 9, base: "1 second" } }
          })
        )
      )
    )
  )

  it.effect("stand in the details of the results that come after them", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let starts = 0
      const probe = () => (starts++ < 3 ? leaking(gate) : Effect.succeed(ok))
      yield* Effect.gen(function* () {
        const timedOut = Effect.gen(function* () {
          const fiber = yield* Effect.fork(runCheck("it"))
          yield* TestClock.adjust("10 seconds")
          return (yield* Fiber.join(fiber)).details
        })
        assert.deepStrictEqual(yield* timedOut, {})
        assert.deepStrictEqual(yield* timedOut, { orphaned_runs: 1 })
        assert.deepStrictEqual(yield* timedOut, { orphaned_runs: 2 })
        const monitor = yield* HealthMonitor
        assert.deepStrictEqual((yield* runCheck("it")).details, { orphaned_runs: 3 })
        const { services } = yield* monitor.statusSummary
        assert.deepStrictEqual(services["it"]?.details, { orphaned_runs: 3 })
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.deepStrictEqual((yield* runCheck("it")).details, {})
      }).pipe(Effect.provide(program(check("it", probe))))
    })
  )
})

describe("a run that is interrupted from outside", () => {
  /** Begins a run of `it`, and interrupts it once its probe runs. */
  const interruptRun = (began: Queue.Dequeue<void>) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(runCheck("it"))
      yield* Queue.take(began)
      yield* Fiber.interrupt(fiber)
      yield* Effect.repeatN(Effect.yieldNow(), 20)
    })

  it.effect("is no orphan while it takes a moment to end", () =>
    Effect.gen(function* () {
      const began = yield* Queue.unbounded<void>()
      const tidying = Effect.onInterrupt(Effect.never, () => Effect.sleep("200 millis"))
      let starts = 0
      const probe = () =>
        Effect.zipRight(began.offer(undefined), starts++ < 4 ? tidying : Effect.succeed(ok))
      yield* Effect.gen(function* () {
        for (let run = 0; run < 4; run++) yield* interruptRun(began)
        assert.strictEqual(yield* orphansOf("it"), 0)
        assert.deepInclude(yield* runCheck("it"), { status: "healthy", details: {} })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* orphansOf("it"), 0)
      }).pipe(Effect.provide(program(check("it", probe))))
    })
  )

  it.effect("is one when it has not ended after 250 ms, until it ends", () =>
    Effect.gen(function* () {
      const began = yield* Queue.unbounded<void>()
      const gate = yield* Deferred.make<void>()
      const ignoring = Effect.uninterruptible(Effect.as(Deferred.await(gate), ok))
      const probe = Effect.zipRight(began.offer(undefined), ignoring)
      yield* Effect.gen(function* () {
        yield* interruptRun(began)
        yield* TestClock.adjust("248 millis")
        assert.strictEqual(yield* orphansOf("it"), 0)
        yield* TestClock.adjust("2 millis")
        assert.strictEqual(yield* orphansOf("it"), 1)
        yield* interruptRun(began)
        yield* interruptRun(began)
        assert.strictEqual(yield* orphansOf("it"), 1)
        yield* TestClock.adjust("250 millis")
        assert.strictEqual(yield* orphansOf("it"), 3)
        assert.strictEqual((yield* runCheck("it")).reason, "StillRunning")
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 0)
      }).pipe(Effect.provide(program(check("it", probe))))
    })
  )
})
