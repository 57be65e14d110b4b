import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import * as scripted from "./scripted.js"

const { ok, runFor, runOnce, ScriptedError } = scripted

const timedOut = {
  status: "unhealthy",
  reason: "Timeout",
  message: "No answer within 10s"
} as const

/** Blocks the event loop, as a synchronous driver does. */
const block = (millis: number) => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

describe("the deadline is hard", () => {
  const never: Record<string, scripted.Probe> = {
    "never ends": Effect.never,
    "ignores interruption": Effect.uninterruptible(Effect.never),
    "has a promise that ignores its AbortSignal": Effect.promise(
      () => new Promise<never>(() => {})
    ),
    "has a promise that ignores its AbortSignal, uninterruptibly": Effect.uninterruptible(
      Effect.promise((_signal) => new Promise<never>(() => {}))
    ),
    "answers after its deadline": Effect.as(Effect.sleep("11 seconds"), ok),
    "answers after its deadline and ignores interruption": Effect.uninterruptible(
      Effect.as(Effect.sleep("11 seconds"), ok)
    ),
    "fails after its deadline": Effect.delay(
      Effect.fail(new ScriptedError({ reason: "Denied" })),
      "11 seconds"
    ),
    "answers, but a finalizer hangs": Effect.as(
      Effect.addFinalizer(() => Effect.never),
      ok
    ),
    "hangs in the finalizer of its interruption": Effect.onInterrupt(
      Effect.never,
      () => Effect.never
    )
  }
  for (const [what, probe] of Object.entries(never)) {
    it.effect(`a probe that ${what} is timed out, at its time and not before`, () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(runOnce(probe))
        yield* TestClock.adjust("9999 millis")
        assert.isNull(fiber.unsafePoll())
        yield* TestClock.adjust("1 millis")
        const result = yield* Fiber.join(fiber)
        assert.include(result, timedOut)
        assert.strictEqual(Duration.toMillis(result.responseTime), 10_000)
      })
    )
  }

  it.live("on the wall clock: within 250 ms of the limit, uninterruptible or not", () =>
    Effect.forEach(
      [Effect.never, Effect.uninterruptible(Effect.never)],
      (probe) =>
        Effect.gen(function* () {
          const [took, result] = yield* Effect.timed(runOnce(probe, { timeout: "50 millis" }))
          assert.strictEqual(result.reason, "Timeout")
          assert.isAtLeast(Duration.toMillis(result.responseTime), 49)
          assert.isBelow(Duration.toMillis(took), 300)
        }),
      { concurrency: 2 }
    )
  )

  it.live("a probe that blocks the CPU past its limit: its value comes too late", () =>
    Effect.gen(function* () {
      const probe = Effect.sync(() => {
        block(120)
        return ok
      })
      const [took, result] = yield* Effect.timed(runOnce(probe, { timeout: "40 millis" }))
      assert.strictEqual(result.reason, "Timeout")
      assert.isAtLeast(Duration.toMillis(result.responseTime), 119)
      assert.isBelow(Duration.toMillis(took), 120 + 250)
    })
  )

  it.effect("what answers at the last moment has answered", () =>
    Effect.gen(function* () {
      const result = yield* runFor("10 seconds", Effect.as(Effect.sleep("9999 millis"), ok))
      assert.strictEqual(result.status, "healthy")
    })
  )

  it.effect("the limit holds for the run, retries included", () =>
    Effect.gen(function* () {
      const probe = Effect.delay(Effect.fail(new ScriptedError({ reason: "Down" })), "3 seconds")
      const result = yield* runFor("10 seconds", probe, {
        set: { retry: { times: 9, base: "1 second" } }
      })
      assert.include(result, timedOut)
    })
  )

  it.effect("closing the runner does not wait for a sleeper", () =>
    Effect.gen(function* () {
      // The clock does not move: a sleeper that cannot be interrupted would hang this test.
      yield* runOnce(Effect.succeed(ok))
      yield* runOnce(Effect.succeed(ok), { timeout: "1 minute" })
    })
  )
})
