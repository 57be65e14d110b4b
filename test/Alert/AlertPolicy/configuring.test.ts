/** Another policy while Holter runs: what is known goes on, but of checks that are others now. */
import { assert, describe, it } from "@effect/vitest"
import { HashMap, Option, Schema } from "effect"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import {
  beats,
  check,
  type Event,
  fold,
  merge,
  policy,
  repeat,
  restarted,
  seconds,
  start
} from "../trace.js"

const before = policy({ groupWindow: 0 })

const reconfigured = (at: number, ...started: ReadonlyArray<string>): Event => ({
  _tag: "Reconfigured",
  at: start + at,
  started,
  asked: null,
  by: "a test",
  why: "The configuration was read again"
})

/** Two failures of redis, of the three that open an incident, and web is well. */
const counting = merge(
  [restarted(0)],
  beats(seconds(30), "redis", ["healthy", "unhealthy", "unhealthy"]),
  beats(seconds(30), "web", repeat(3, "healthy"))
)

const checkOf = (state: AlertPolicy.State, service: string) =>
  Option.getOrUndefined(HashMap.get(state.checks, service))

describe("a policy that is exchanged", () => {
  it("keeps the counts of what is as before, and no start grace begins", () => {
    const { state } = fold(before, counting)
    const after = fold(
      before,
      [reconfigured(seconds(91)), ...beats(seconds(92), "redis", ["unhealthy"])],
      state
    )
    assert.deepStrictEqual(after.told, ["ops opened redis @1m32s"])
    assert.strictEqual(after.state.awakeSince, state.awakeSince)
  })

  it("counts anew what is another check now, and is owed a result of it in time", () => {
    const next = policy({ groupWindow: 0, staleAfter: 3 })
    const { state } = fold(before, counting)
    const after = fold(
      next,
      [reconfigured(seconds(91), "redis"), ...beats(seconds(92), "redis", ["unhealthy"])],
      state
    )
    assert.deepStrictEqual(after.told, [])
    assert.strictEqual(checkOf(after.state, "redis")?.failures, 1)
    const silent = fold(next, [reconfigured(seconds(91), "redis")], state)
    assert.strictEqual(checkOf(silent.state, "redis")?.expectedBy, start + seconds(91 + 90))
  })

  it("ends what is open of a check that is gone, and of nobody else", () => {
    const outage = [...counting, ...beats(seconds(120), "redis", repeat(2, "unhealthy"))]
    const { state, told } = fold(before, outage)
    assert.lengthOf(told, 1)
    const next = policy({ groupWindow: 0, checks: [check("web"), check("shop")] })
    const after = fold(next, [reconfigured(seconds(151), "shop")], state)
    assert.deepStrictEqual(after.told, ["ops resolved redis @2m31s"])
    assert.deepStrictEqual([...HashMap.keys(after.state.checks)].sort(), ["shop", "web"])
    assert.deepStrictEqual(after.state.incidents, {})
  })

  it("calls what is gone at its end as at its beginning, also from a journal", () => {
    const guided = {
      label: "Session cache",
      link: "https://example.org/redis",
      runbook: "restart it"
    }
    const known = policy({ groupWindow: 0, checks: [{ ...check("redis"), ...guided }] })
    const outage = [...counting, ...beats(seconds(120), "redis", repeat(2, "unhealthy"))]
    const { alerts, state } = fold(known, outage)
    assert.include(alerts[0]?.subjects[0], guided)
    const next = policy({ groupWindow: 0, checks: [check("web")] })
    const read = Schema.decodeUnknownSync(AlertPolicy.State)(
      JSON.parse(JSON.stringify(Schema.encodeSync(AlertPolicy.State)(state)))
    )
    for (const [from, event] of [
      [state, reconfigured(seconds(151))],
      [read, restarted(seconds(151))]
    ] as const) {
      const [end] = fold(next, [event], from).alerts
      assert.include(end?.subjects[0], { ...guided, over: true, status: "unknown" })
    }
    const renamed = policy({
      groupWindow: 0,
      checks: [{ ...check("redis"), label: "Cache" }]
    })
    const ended = [
      reconfigured(seconds(151)),
      ...beats(seconds(160), "redis", repeat(2, "healthy"))
    ]
    assert.strictEqual(fold(renamed, ended, state).alerts[0]?.subjects[0].label, "Cache")
  })

  it("reads an incident of a journal that has no guidance yet", () => {
    const outage = [...counting, ...beats(seconds(120), "redis", repeat(2, "unhealthy"))]
    const { state } = fold(before, outage)
    const incidents = Object.fromEntries(
      Object.entries(state.incidents).map(([service, { guidance: _, ...old }]) => [service, old])
    )
    const read = Schema.decodeUnknownSync(AlertPolicy.State)(
      Schema.encodeSync(AlertPolicy.State)({ ...state, incidents })
    )
    const next = policy({ groupWindow: 0, checks: [check("web")] })
    const [end] = fold(next, [restarted(seconds(151))], read).alerts
    assert.include(end?.subjects[0], { label: "redis", over: true })
  })

  it("leaves an incident of a check that is another one now open, and tells its end", () => {
    const outage = [...counting, ...beats(seconds(120), "redis", repeat(2, "unhealthy"))]
    const { state } = fold(before, outage)
    const after = fold(
      before,
      [
        reconfigured(seconds(151), "redis"),
        ...beats(seconds(160), "redis", repeat(4, "unhealthy")),
        ...beats(seconds(280), "redis", repeat(2, "healthy"))
      ],
      state
    )
    assert.deepStrictEqual(after.told, ["ops resolved redis @5m10s"])
  })

  it("is noted, and so is one that cannot be used, which changes nothing", () => {
    const { state } = fold(before, counting)
    const refused: Event = {
      _tag: "ReconfigurationRefused",
      at: start + seconds(91),
      asked: "1f2e3d4c",
      by: "a test",
      problems: ["It cannot be used:", "  checks: expected a mapping, found 5"]
    }
    const after = fold(before, [refused], state)
    assert.deepStrictEqual(after.decided, ["Nothing - Noted"])
    assert.strictEqual(
      after.decisions[0]?.why,
      "All goes on as before: It cannot be used: checks: expected a mapping, found 5"
    )
    assert.deepStrictEqual({ ...after.state, now: 0 }, { ...state, now: 0 })
  })
})
