import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as scripted from "./scripted.js"

const { check, orphansOf, program, runCheck, runOnce } = scripted

describe("an interruption from outside passes through", () => {
  const probes: ReadonlyArray<readonly [string, scripted.Probe]> = [
    ["interruptible", Effect.never],
    ["uninterruptible", Effect.uninterruptible(Effect.never)],
    ["with a hanging finalizer", Effect.onInterrupt(Effect.never, () => Effect.never)]
  ]
  for (const [what, probe] of probes) {
    it.effect(`at once, from an ${what} probe`, () =>
      Effect.gen(function* () {
        const began = yield* Deferred.make<void>()
        const run = runOnce(Effect.zipRight(Deferred.succeed(began, undefined), probe))
        const fiber = yield* Effect.fork(run)
        yield* Deferred.await(began)
        // The clock stands still: nothing but the interruption can end this.
        const exit = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
      })
    )
  }

  it.effect("and interrupts the probe", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const probe = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
      const watched = Effect.onInterrupt(probe, () => Deferred.succeed(interrupted, undefined))
      const fiber = yield* Effect.fork(runOnce(watched))
      yield* Deferred.await(began)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(interrupted)
    })
  )

  it.effect("at every point of a run: no probe is left running, none is counted for good", () => {
    let open = 0
    const probe = Effect.acquireUseRelease(
      Effect.sync(() => {
        open += 1
      }),
      () => Effect.never,
      () =>
        Effect.sync(() => {
          open -= 1
        })
    )
    return Effect.gen(function* () {
      let met = 0
      for (let steps = 0; steps < 150; steps++) {
        // Yields after every few operations, so that the interruption meets each of them.
        const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(runCheck("it"), 16))
        yield* Effect.repeatN(Effect.yieldNow(), steps)
        if (open > 0) met += 1
        yield* Fiber.interrupt(fiber)
        yield* Effect.repeatN(Effect.yieldNow(), 300)
        assert.strictEqual(open, 0, `probes left when interrupted after ${steps} steps`)
        assert.strictEqual(yield* orphansOf("it"), 0, `counted after ${steps} steps`)
      }
      assert.isTrue(met > 0 && met < 150, `${met} interruptions came while the probe ran`)
    }).pipe(Effect.provide(program(check("it", probe))))
  })

  it.effect("when the whole of runAllChecks is interrupted", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      yield* Effect.yieldNow()
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
    }).pipe(
      Effect.provide(
        program(
          Layer.merge(check("a", Effect.never), check("b", Effect.uninterruptible(Effect.never)))
        )
      )
    )
  )
})
