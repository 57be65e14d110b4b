import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, TestClock } from "effect"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"

const run = (scripted: ScriptedCheck.ScriptedCheck) =>
  Effect.flatMap(CheckRunner.CheckRunner, (runner) => runner.run(scripted.check))

describe("ScriptedCheck", () => {
  it.effect("takes its steps in turn, and stays at the last", () =>
    Effect.gen(function* () {
      const scripted = yield* ScriptedCheck.make(
        [
          ScriptedCheck.healthy("fine", { load_percent: 3 }),
          ScriptedCheck.degraded(),
          ScriptedCheck.fail("Limited", { retryAfter: Duration.seconds(7) }),
          ScriptedCheck.fail("Down", { details: { code: 5 } }),
          ScriptedCheck.die(new Error("boom"))
        ],
        { statuses: { Limited: "degraded" } }
      )
      const results = yield* Effect.replicateEffect(run(scripted), 6)
      assert.deepStrictEqual(
        results.map(({ reason, status }) => [status, reason]),
        [
          ["healthy", undefined],
          ["degraded", undefined],
          ["degraded", "Limited"],
          ["unhealthy", "Down"],
          ["unhealthy", "Crashed"],
          ["unhealthy", "Crashed"]
        ]
      )
      assert.deepStrictEqual(results[0]?.details, { load_percent: 3 })
      assert.deepStrictEqual(results[2]?.retryAfter, Duration.seconds(7))
      assert.deepStrictEqual(results[3]?.details, { code: 5 })
      assert.strictEqual(yield* scripted.runs, 6)
    }).pipe(Effect.provide(CheckRunner.layer()))
  )

  it.effect("hangs and delays on the virtual clock", () =>
    Effect.gen(function* () {
      const scripted = yield* ScriptedCheck.make(
        [ScriptedCheck.hang, ScriptedCheck.after("3 seconds", ScriptedCheck.healthy())],
        { timeout: "5 seconds" }
      )
      const hung = yield* Effect.fork(run(scripted))
      yield* scripted.awaitRuns(1)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(hung)).reason, "Timeout")
      const delayed = yield* Effect.fork(run(scripted))
      yield* scripted.awaitRuns(2)
      yield* TestClock.adjust("3 seconds")
      const result = yield* Fiber.join(delayed)
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(Duration.toMillis(result.responseTime), 3000)
    }).pipe(Effect.provide(CheckRunner.layer()))
  )

  it.effect("ignores interruption until it is released", () =>
    Effect.gen(function* () {
      const scripted = yield* ScriptedCheck.make([ScriptedCheck.ignoreInterruption], {
        timeout: "1 second"
      })
      const runner = yield* CheckRunner.CheckRunner
      const fiber = yield* Effect.fork(run(scripted))
      yield* scripted.awaitRuns(1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "Timeout")
      assert.deepStrictEqual([...(yield* runner.orphans)], [["scripted", 1]])
      yield* scripted.release
      yield* Effect.repeat(runner.orphans, { until: (orphans) => orphans.size === 0 })
      assert.strictEqual((yield* run(scripted)).status, "healthy")
    }).pipe(Effect.provide(CheckRunner.layer()))
  )

  it.effect("follows another script", () =>
    Effect.gen(function* () {
      const scripted = yield* ScriptedCheck.make([ScriptedCheck.healthy()])
      assert.strictEqual((yield* run(scripted)).status, "healthy")
      yield* scripted.rescript(ScriptedCheck.fail("Down"), ScriptedCheck.degraded())
      assert.strictEqual((yield* run(scripted)).status, "unhealthy")
      assert.strictEqual((yield* run(scripted)).status, "degraded")
    }).pipe(Effect.provide(CheckRunner.layer()))
  )

  it.effect("registers under its name and hides its secrets", () =>
    Effect.gen(function* () {
      const registry = yield* CheckRegistry.CheckRegistry
      const runner = yield* CheckRunner.CheckRunner
      const [first, second] = yield* registry.all
      assert.deepStrictEqual([first?.name, second?.name], ["a", "b"])
      assert.strictEqual(first?.policy.critical, false)
      assert.isDefined(second)
      if (second === undefined) return
      const result = yield* runner.run(second)
      assert.strictEqual(result.message, "key <redacted> refused")
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          ScriptedCheck.layer([ScriptedCheck.healthy()], { name: "a", critical: false }),
          ScriptedCheck.layer(
            [ScriptedCheck.fail("Down", { message: "key hunter2hunter2 refused" })],
            {
              name: "b",
              secrets: ["hunter2hunter2"]
            }
          )
        ).pipe(Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer())))
      )
    )
  )
})
