import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, FastCheck as fc } from "effect"
import type { CheckResult, Status } from "../../src/Check/CheckResult.js"
import * as HealthState from "../../src/Monitor/HealthState.js"

const result = (status: Status, index: number): CheckResult => ({
  service: "it",
  status,
  message: `result ${index}`,
  note: undefined,
  responseTime: Duration.millis(index),
  lastCheck: DateTime.unsafeMake(index),
  details: {},
  reason: undefined,
  retryAfter: undefined
})

const history = fc
  .array(fc.constantFrom<Status>("healthy", "degraded", "unhealthy", "unknown"), { maxLength: 40 })
  .map((statuses) => statuses.map(result))

const fold = (results: ReadonlyArray<CheckResult>) =>
  results.reduce(HealthState.next, HealthState.initial)

const holds = (law: (results: ReadonlyArray<CheckResult>) => void) =>
  fc.assert(fc.property(history, law), { numRuns: 500 })

/** How many at the end in a row are so, when those that tell nothing are left out. */
const run = (results: ReadonlyArray<CheckResult>, isSo: (status: Status) => boolean) => {
  const known = results.map(({ status }) => status).filter((status) => status !== "unknown")
  return known.length - 1 - known.findLastIndex((status) => !isSo(status))
}

describe("HealthState", () => {
  it("keeps the last result, whatever it is", () => {
    holds((results) => assert.strictEqual(fold(results).last, results.at(-1)))
  })

  it("counts the successes and failures at the end; unknown neither counts nor resets", () => {
    holds((results) => {
      const state = fold(results)
      assert.strictEqual(
        state.successes,
        run(results, (status) => status === "healthy")
      )
      assert.strictEqual(
        state.failures,
        run(results, (status) => status !== "healthy")
      )
    })
  })

  it("never has successes and failures at once", () => {
    holds((results) => {
      const { failures, successes } = fold(results)
      assert.isTrue(failures === 0 || successes === 0)
    })
  })

  it("is started from the first result that is not unhealthy, for good", () => {
    holds((results) => {
      assert.strictEqual(
        fold(results).started,
        results.some(({ status }) => status !== "unhealthy")
      )
    })
  })

  it("does not change the state that it was given", () => {
    holds((results) => {
      const before = fold(results)
      const copy = { ...before }
      HealthState.next(before, result("unhealthy", 99))
      assert.deepStrictEqual(before, copy)
    })
  })
})
