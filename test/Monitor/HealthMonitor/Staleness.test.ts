import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { Staleness } from "../../../src/Monitor/HealthMonitor/Staleness.js"

const check = (interval: Duration.DurationInput) => ({
  policy: { interval: Duration.decode(interval) }
})
const result = { retryAfter: undefined }

/** Looks as the watch does, until `until` is over; when each check became stale. */
const watch = (
  staleness: Staleness<ReturnType<typeof check>>,
  checks: ReadonlyArray<ReturnType<typeof check>>,
  from: number,
  until: number
) => {
  const stale: Array<readonly [number, number]> = []
  for (let now = from; now <= until; now += staleness.every) {
    for (const one of staleness.look(checks, now)) stale.push([checks.indexOf(one), now])
  }
  return stale
}

describe("Staleness", () => {
  it("is reached after three intervals without a result, each check by its own, once", () => {
    const checks = [check("10 seconds"), check("30 seconds")]
    const staleness = new Staleness<ReturnType<typeof check>>(0)
    const stale = watch(staleness, checks, 0, 200_000)
    assert.deepStrictEqual(stale, [
      [0, 40_000],
      [1, 100_000]
    ])
    assert.isTrue(checks.every((one) => staleness.isStale(one)))
  })

  it("is over with the next result, and counts from there", () => {
    const one = check("10 seconds")
    const staleness = new Staleness<ReturnType<typeof check>>(0)
    watch(staleness, [one], 0, 50_000)
    staleness.noteResult(one, result, 55_000)
    assert.isFalse(staleness.isStale(one))
    assert.deepStrictEqual(watch(staleness, [one], 60_000, 85_000), [])
    assert.deepStrictEqual(watch(staleness, [one], 90_000, 90_000), [[0, 90_000]])
  })

  it("comes later for a service that asked to be left alone", () => {
    const one = check("10 seconds")
    const staleness = new Staleness<ReturnType<typeof check>>(0)
    staleness.look([one], 0)
    staleness.noteResult(one, { retryAfter: Duration.seconds(60) }, 0)
    assert.deepStrictEqual(watch(staleness, [one], 10_000, 90_000), [])
    assert.deepStrictEqual(watch(staleness, [one], 100_000, 100_000), [[0, 100_000]])
  })

  it("is not reached by sleeping: after an hour the checks get the time to beat first", () => {
    const one = check("10 seconds")
    const staleness = new Staleness<ReturnType<typeof check>>(0)
    watch(staleness, [one], 0, 20_000)
    staleness.noteResult(one, result, 20_000)
    assert.deepStrictEqual(staleness.look([one], 3_630_000), [])
    staleness.noteResult(one, result, 3_630_010)
    assert.deepStrictEqual(watch(staleness, [one], 3_640_000, 3_660_000), [])
  })

  it("forgets a check that is gone: one that comes back starts afresh", () => {
    const one = check("10 seconds")
    const staleness = new Staleness<ReturnType<typeof check>>(0)
    watch(staleness, [one], 0, 50_000)
    staleness.look([], 60_000)
    assert.isFalse(staleness.isStale(one))
    assert.deepStrictEqual(watch(staleness, [one], 61_000, 80_000), [])
  })
})
