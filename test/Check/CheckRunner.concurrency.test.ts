import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, TestClock } from "effect"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as scripted from "./scripted.js"

const { check, ok, program } = scripted

describe("many checks at once", () => {
  const hanging = Effect.uninterruptible(Effect.never)
  const crowd = (timeout: Duration.DurationInput) =>
    Layer.mergeAll(
      check("first", Effect.succeed(ok), { timeout }),
      ...Array.from({ length: 199 }, (_, index) =>
        index % 2 === 0
          ? check(`hanging-${index}`, hanging, { timeout })
          : check(`sound-${index}`, Effect.as(Effect.sleep("10 millis"), ok), { timeout })
      )
    )

  it.effect("200 of which 100 hang: the others are there on time", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      yield* TestClock.adjust("10 millis")
      const early = yield* monitor.statusSummary
      const healthy = Object.values(early.services).filter(({ status }) => status === "healthy")
      assert.strictEqual(healthy.length, 100)
      yield* TestClock.adjust("10 seconds")
      const results = [...(yield* Fiber.join(fiber)).values()]
      assert.strictEqual(results.filter(({ reason }) => reason === "Timeout").length, 100)
      assert.strictEqual(results.filter(({ status }) => status === "healthy").length, 100)
    }).pipe(Effect.provide(program(crowd("10 seconds"))))
  )

  it.live("200 of which 100 hang, on the wall clock", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const [took, results] = yield* Effect.timed(monitor.runAllChecks)
      const reports = [...results.values()]
      const healthy = reports.filter(({ status }) => status === "healthy")
      assert.strictEqual(healthy.length, 100)
      assert.strictEqual(reports.filter(({ reason }) => reason === "Timeout").length, 100)
      assert.isBelow(Duration.toMillis(took), 500 + 250)
      for (const { responseTime } of healthy) assert.isBelow(Duration.toMillis(responseTime), 500)
    }).pipe(Effect.provide(program(crowd("500 millis"))))
  )

  it.effect("with a bound on how many run at once, queueing is not on the clock", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      for (const finished of [2, 4, 5]) {
        yield* TestClock.adjust("9 seconds")
        const { success_counts } = yield* monitor.statusSummary
        assert.strictEqual(
          Object.values(success_counts).reduce((sum, count) => sum + count, 0),
          finished
        )
      }
      const results = [...(yield* Fiber.join(fiber)).values()]
      assert.deepStrictEqual(
        results.map(({ status }) => status),
        ["healthy", "healthy", "healthy", "healthy", "healthy"]
      )
      for (const { responseTime } of results)
        assert.deepStrictEqual(Duration.toMillis(responseTime), 9000)
    }).pipe(
      Effect.provide(
        program(
          Layer.mergeAll(
            check("a", Effect.as(Effect.sleep("9 seconds"), ok)),
            check("b", Effect.as(Effect.sleep("9 seconds"), ok)),
            check("c", Effect.as(Effect.sleep("9 seconds"), ok)),
            check("d", Effect.as(Effect.sleep("9 seconds"), ok)),
            check("e", Effect.as(Effect.sleep("9 seconds"), ok))
          ),
          { concurrency: 2 }
        )
      )
    )
  )

  it.effect("a hanging check gives its turn back at its deadline", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      yield* TestClock.adjust("10 seconds")
      const results = yield* Fiber.join(fiber)
      assert.strictEqual(results.get("hanging")?.reason, "Timeout")
      assert.strictEqual(results.get("sound")?.status, "healthy")
    }).pipe(
      Effect.provide(
        program(Layer.mergeAll(check("hanging", hanging), check("sound", Effect.succeed(ok))), {
          concurrency: 1
        })
      )
    )
  )
})
