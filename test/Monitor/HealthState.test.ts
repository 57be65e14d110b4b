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

const thresholds = { critical: true, failureThreshold: 3, recoveryThreshold: 2 }

const step = (state: HealthState.HealthState, one: CheckResult) =>
  HealthState.next(state, one, thresholds)

const fold = (results: ReadonlyArray<CheckResult>) =>
  results.reduce<HealthState.HealthState>(step, HealthState.initial)

/** The statuses before and after each change, as `healthy>unhealthy@3`: with which result, from 1. */
const changes = (...statuses: ReadonlyArray<Status>) => {
  let state = HealthState.initial
  return statuses.map(result).flatMap((one, index) => {
    const before = state
    state = step(state, one)
    const change = HealthState.changeBetween(before, state)
    if (change === undefined) return []
    assert.strictEqual(change.result, one)
    return [`${change.previous?.status ?? "nothing"}>${change.result.status}@${index + 1}`]
  })
}

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

  it("does not change the state that it was given", () => {
    holds((results) => {
      const before = fold(results)
      const copy = { ...before }
      step(before, result("unhealthy", 99))
      assert.deepStrictEqual(before, copy)
    })
  })
})

const H = "healthy"
const D = "degraded"
const U = "unhealthy"
const X = "unknown"

describe("the confirmed status", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Status>, ReadonlyArray<string>]> = [
    ["that a check is healthy from its start is no change", [H, H, H], []],
    ["a blip is none", [H, U, U, H, U, U, H], []],
    [
      "the third failure in a row is one, and no other after it",
      [H, U, U, U, U, U],
      ["healthy>unhealthy@4"]
    ],
    ["one success is no recovery", [H, U, U, U, H, U, H, U], ["healthy>unhealthy@4"]],
    [
      "two successes in a row are one",
      [H, U, U, U, H, H, H],
      ["healthy>unhealthy@4", "unhealthy>healthy@6"]
    ],
    ["a check that is down from its start has nothing before", [U, U, U], ["nothing>unhealthy@3"]],
    ["degraded is one by the same threshold", [H, D, D, D], ["healthy>degraded@4"]],
    [
      "failures of both kinds count together, and the last says which it is",
      [H, D, D, U],
      ["healthy>unhealthy@4"]
    ],
    [
      "worse takes the threshold again",
      [D, D, D, U, U, U],
      ["nothing>degraded@3", "degraded>unhealthy@6"]
    ],
    ["worse only now and then is none", [D, D, D, U, U, D, U, U, D], ["nothing>degraded@3"]],
    [
      "less bad takes the threshold of recovery",
      [U, U, U, D, D],
      ["nothing>unhealthy@3", "unhealthy>degraded@5"]
    ],
    [
      "a success on the way to degraded counts as not unhealthy",
      [U, U, U, H, D],
      ["nothing>unhealthy@3", "unhealthy>degraded@5"]
    ],
    ["unknown neither counts nor resets", [H, U, X, U, X, U], ["healthy>unhealthy@6"]],
    ["unknown is never the confirmed status", [X, X, X, X], []]
  ]
  for (const [name, statuses, expected] of cases) {
    it(name, () => assert.deepStrictEqual(changes(...statuses), expected))
  }

  it("what was before is the latest result of the status before", () => {
    const before = fold([H, H, U, U].map((status, index) => result(status as Status, index)))
    const after = step(before, result(U, 4))
    assert.strictEqual(HealthState.changeBetween(before, after)?.previous?.message, "result 1")
  })

  it("two changes that follow each other are never to the same status", () => {
    holds((results) => {
      const told = changes(...results.map(({ status }) => status))
      for (const change of told) {
        const [from, to] = change.replace(/@.*/, "").split(">")
        assert.notStrictEqual(from, to)
      }
      told.slice(1).forEach((change, index) => {
        const reached = told[index]?.replace(/@.*/, "").split(">")[1]
        assert.isTrue(change.startsWith(`${reached}>`))
      })
    })
  })

  it("never leaves a status without as many results in a row that are not of it", () => {
    holds((results) => {
      let state = HealthState.initial
      for (const [index, one] of results.entries()) {
        const before = state
        state = step(state, one)
        const change = HealthState.changeBetween(before, state)
        if (change === undefined) continue
        const known = results.slice(0, index + 1).filter(({ status }) => status !== "unknown")
        const left = change.previous?.status ?? "healthy"
        const needed = change.result.status === "healthy" ? 2 : left === "unhealthy" ? 2 : 3
        for (const other of known.slice(-needed)) assert.notStrictEqual(other.status, left)
      }
    })
  })
})

describe("a check that is not critical", () => {
  const lax = { ...thresholds, critical: false }
  const told = (...statuses: ReadonlyArray<Status>) => {
    let state = HealthState.initial
    return statuses.map(result).flatMap((one) => {
      const before = state
      state = HealthState.next(state, one, lax)
      return HealthState.changeBetween(before, state) === undefined ? [] : [state.confirmedStatus]
    })
  }

  it("is never confirmed to be worse than degraded, as in alerts", () => {
    const down = ["unhealthy", "unhealthy", "unhealthy"] as const
    const slow = ["degraded", "degraded", "degraded"] as const
    assert.deepStrictEqual(told(...down), ["degraded"])
    assert.deepStrictEqual(told(...slow, ...down, ...slow), ["degraded"])
    assert.deepStrictEqual(told(...down, "healthy", "healthy"), ["degraded", "healthy"])
  })

  it("is shown with the status that it has", () => {
    const state = HealthState.next(HealthState.initial, result("unhealthy", 0), lax)
    assert.strictEqual(state.last?.status, "unhealthy")
  })
})
