/**
 * What was held back is told only if it is true when it is told: by the last result, and not by what
 * the incident was at its worst.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Status } from "../../../src/Check/CheckResult.js"
import {
  beats,
  check,
  type Event,
  fold,
  minutes,
  policy,
  repeat,
  restarted,
  result,
  seconds,
  start,
  time
} from "../trace.js"

const begin: ReadonlyArray<Event> = [
  restarted(0),
  result(seconds(15), "redis", "healthy"),
  result(seconds(15), "web", "healthy")
]

const from = seconds(45)
const atOnce = policy({ groupWindow: 0 })

const redis = (at: number, ...statuses: ReadonlyArray<Status>) => beats(at, "redis", statuses)
const down = (count = 3) => redis(from, ...repeat(count, "unhealthy"))

const quiet = (
  tag: "MaintenanceStarted" | "Silenced",
  at: number,
  until: number | null
): Event => ({
  _tag: tag,
  at: start + at,
  id: "q1",
  services: ["redis"],
  until: until === null ? null : start + until,
  why: "the database moves"
})
const loud = (tag: "MaintenanceEnded" | "Unsilenced", at: number): Event => ({
  _tag: tag,
  at: start + at,
  id: "q1"
})

const told = (events: ReadonlyArray<Event>, under = atOnce) => fold(under, events).told

/** What held the opening back ends at two minutes; the service was healthy once, five seconds before. */
const ways: Readonly<Record<string, readonly [ReadonlyArray<Event>, Event]>> = {
  "a maintenance that is ended": [
    [quiet("MaintenanceStarted", seconds(20), null), ...down()],
    loud("MaintenanceEnded", minutes(2))
  ],
  "a maintenance that ends": [
    [quiet("MaintenanceStarted", seconds(20), minutes(2)), ...down()],
    time(minutes(2))
  ],
  "a silence that is removed": [
    [quiet("Silenced", seconds(20), null), ...down()],
    loud("Unsilenced", minutes(2))
  ],
  "a silence that ends": [[quiet("Silenced", seconds(20), minutes(2)), ...down()], time(minutes(2))]
}

describe("an opening that was held back", () => {
  for (const [way, [before, end]] of Object.entries(ways)) {
    const once = [...begin, ...before, ...redis(minutes(2) - seconds(5), "healthy"), end]

    it(`is not told after ${way}, while the last result is healthy`, () => {
      const { decided, told: all } = fold(atOnce, [...once, time(minutes(20))])
      assert.deepStrictEqual(all, [])
      assert.include(decided, "Nothing redis Recovering")
    })

    it(`is never told after ${way}, where the next result is healthy too`, () => {
      assert.deepStrictEqual(told([...once, ...redis(minutes(2) + seconds(25), "healthy")]), [])
    })

    it(`is told after ${way} at the next failure, and so is its end`, () => {
      const rest = redis(minutes(2) + seconds(25), "unhealthy", "healthy", "healthy")
      assert.deepStrictEqual(told([...once, ...rest]), [
        "ops opened redis @2m25s",
        "ops resolved redis @3m25s"
      ])
    })
  }

  it("waits for the next result when its service was healthy within the window of a group", () => {
    const events = [...begin, ...down(), ...redis(minutes(1) + seconds(50), "healthy")]
    const again = redis(minutes(2) + seconds(20), "unhealthy")
    assert.deepStrictEqual(told([...events, time(minutes(3))], policy()), [])
    assert.deepStrictEqual(told([...events, ...again, time(minutes(3))], policy()), [
      "ops opened redis @2m30s"
    ])
  })

  it("waits when the dependency that explained it is back, and it was healthy once", () => {
    const under = policy({
      checks: [check("redis", { dependsOn: ["web"] }), check("web", { recoveryThreshold: 1 })],
      groupWindow: 0
    })
    const web = beats(seconds(40), "web", [...repeat(4, "unhealthy"), ...repeat(8, "healthy")])
    const all = [...down(), ...redis(minutes(4), "healthy"), ...web]
    const sorted = [...begin, ...all.sort((one, other) => one.at - other.at), time(minutes(10))]
    assert.deepStrictEqual(told(sorted, under), [
      "ops opened web @1m40s",
      "ops resolved web @2m40s"
    ])
  })

  it("waits when its channel returns", () => {
    const off: Event = { _tag: "ChannelDisabled", at: start, channel: "ops", why: "x", pending: [] }
    const back: Event = { _tag: "ChannelEnabled", at: start + minutes(2), channel: "ops" }
    const once = [...begin, off, ...down(), ...redis(minutes(2) - seconds(5), "healthy"), back]
    const before = ["hook opened redis @1m45s"]
    assert.deepStrictEqual(told([...once, time(minutes(10))]), before)
    assert.deepStrictEqual(told([...once, ...redis(minutes(3), "unhealthy")]), [
      ...before,
      "ops opened redis @3m"
    ])
  })

  it("waits after a restart, which came while it was held back", () => {
    const before = [...begin, quiet("MaintenanceStarted", seconds(20), minutes(2)), ...down()]
    const after = [restarted(minutes(5)), ...redis(minutes(5) + seconds(15), "healthy")]
    assert.deepStrictEqual(told([...before, ...after, time(minutes(20))]), [])
  })

  it("waits when a cap has room again", () => {
    const under = policy({ groupWindow: 0, cap: { messages: 1, within: "10 minutes" } })
    const twice = redis(
      from,
      ...repeat(2, "unhealthy", "unhealthy", "unhealthy", "healthy", "healthy")
    )
    const capped = twice.slice(0, 9)
    assert.deepStrictEqual(told([...begin, ...capped, time(minutes(20))], under), [
      "ops opened redis @1m45s",
      "ops resolved redis @2m45s"
    ])
  })

  it("is not told as flapping while it is up", () => {
    const under = policy({
      groupWindow: 0,
      flapping: { openings: 1, within: "30 minutes", calm: "1 hour" },
      cap: { messages: 1, within: "10 minutes" }
    })
    const flaps = redis(from, "unhealthy", "unhealthy", "unhealthy", "healthy")
    const silenced = quiet("Silenced", minutes(1) + seconds(45), minutes(3))
    assert.deepStrictEqual(
      told([...begin, ...flaps.slice(0, 2), silenced, ...flaps.slice(2), time(minutes(10))], under),
      []
    )
  })
})

describe("an escalation that was held back", () => {
  const known = redis(from, ...repeat(3, "degraded"))
  const held = quiet("MaintenanceStarted", minutes(2), minutes(5))
  const worse = redis(minutes(2) + seconds(15), ...repeat(3, "unhealthy"))

  it("is not told of what is no longer so bad, until it is again", () => {
    const better = redis(minutes(4), "degraded")
    const events = [...begin, ...known, held, ...worse, ...better, time(minutes(6))]
    assert.deepStrictEqual(told(events), ["log opened redis @1m45s"])
    assert.deepStrictEqual(told([...events, ...redis(minutes(7), "unhealthy")]), [
      "log opened redis @1m45s",
      "ops opened redis @7m",
      "log escalated redis @7m"
    ])
  })

  it("is told to those of the severity that it has, where nobody knows of it", () => {
    const events = [...begin, held, ...worse, ...redis(minutes(4), "degraded"), time(minutes(6))]
    const { alerts, told: all } = fold(atOnce, events)
    assert.deepStrictEqual(all, ["log opened redis @5m"])
    assert.deepStrictEqual(
      alerts.map(({ severity }) => severity),
      ["degraded"]
    )
  })

  it("says how bad it is in a reminder, and not how bad it was", () => {
    const events = [...begin, ...down(), ...redis(minutes(3), "degraded"), time(minutes(20))]
    const { alerts, told: all } = fold(atOnce, events)
    assert.deepStrictEqual(all, ["ops opened redis @1m45s", "ops reminder redis @16m45s"])
    assert.deepStrictEqual(
      alerts.map(({ severity }) => severity),
      ["unhealthy", "degraded"]
    )
  })
})

it("a check that was stale is not told to be so, when it has results by then", () => {
  const under = policy({ groupWindow: 0, staleAfter: 3, checks: [check("redis")] })
  const events = [
    restarted(0),
    result(seconds(15), "redis", "healthy"),
    quiet("MaintenanceStarted", seconds(20), minutes(4)),
    ...redis(minutes(3), "unhealthy"),
    time(minutes(4))
  ]
  assert.deepStrictEqual(told(events, under), ["ops opened redis @4m"])
})
