/** The kit's `Holter.layer`, as somebody uses it who tests a bot: with and without a test clock around it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HealthMonitor } from "../../src/index.js"
import { HealthTest, ScriptedCheck } from "../../src/testing/index.js"

const { fail, healthy } = ScriptedCheck

const redis = ScriptedCheck.layer([healthy(), fail("Unreachable")], {
  name: "redis",
  interval: "30 seconds"
})

const outage = Effect.gen(function* () {
  const { pass, story } = yield* HealthTest.HealthTest
  yield* pass("30 seconds")
  assert.deepStrictEqual(yield* story, [])
  yield* pass("10 minutes")
  assert.deepStrictEqual(yield* story, ["opened redis"])
  const monitor = yield* HealthMonitor.HealthMonitor
  assert.strictEqual(yield* monitor.overallStatus, "unhealthy")
  yield* pass("2 hours")
  assert.include(yield* story, "reminder redis")
})

describe("HealthTest.layer", () => {
  it.effect("tells the story of an outage, inside a test clock", () =>
    Effect.provide(outage, HealthTest.layer({ checks: redis }))
  )

  it.live("tells it without one as well", () =>
    Effect.provide(outage, HealthTest.layer({ checks: redis }))
  )

  it.effect("has channels of the names that routes lead to", () =>
    Effect.gen(function* () {
      const { alerts, pass } = yield* HealthTest.HealthTest
      yield* pass("10 minutes")
      assert.deepStrictEqual(
        (yield* alerts).map(({ channel }) => channel),
        ["phone"]
      )
    }).pipe(
      Effect.provide(
        HealthTest.layer({
          checks: redis,
          channels: ["phone", "chat"],
          routes: [
            { severity: "unhealthy", to: ["phone"] },
            { severity: "degraded", to: ["chat"] }
          ]
        })
      )
    )
  )
})
