/**
 * The thirteen rules of alerts, one after the other.
 */
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import {
  beats,
  check,
  type Event,
  fold,
  hours,
  merge,
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

/** Messages at once, so that the tests of other rules need not wait for the window. */
const atOnce = policy({ groupWindow: 0 })

const outage = (from: number, service: string, failures = 3, successes = 2) =>
  beats(from, service, [...repeat(failures, "unhealthy"), ...repeat(successes, "healthy")])

const maintenance = (from: number, to: number, services: ReadonlyArray<string> | null = null) =>
  [
    {
      _tag: "MaintenanceStarted",
      at: start + from,
      id: "move",
      services,
      until: null,
      why: "the database moves"
    },
    { _tag: "MaintenanceEnded", at: start + to, id: "move" }
  ] satisfies ReadonlyArray<Event>

const silence = (from: number, to: number) =>
  [
    {
      _tag: "Silenced",
      at: start + from,
      id: "a1",
      services: ["redis"],
      until: null,
      why: "known"
    },
    { _tag: "Unsilenced", at: start + to, id: "a1" }
  ] satisfies ReadonlyArray<Event>

const why = (outcome: ReturnType<typeof fold>, tag: AlertPolicy.Decision["_tag"]) =>
  outcome.decisions.filter((decision) => decision._tag === tag).map((decision) => decision.why)

describe("thresholds", () => {
  it("open at the third failure in a row and resolve at the second success", () => {
    const { told } = fold(atOnce, [...begin, ...outage(seconds(45), "redis")])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s", "ops resolved redis @2m45s"])
  })

  it("stay silent below the threshold, and a success starts the count anew", () => {
    const statuses = repeat(5, "unhealthy", "unhealthy", "healthy")
    const { decided, told } = fold(atOnce, [...begin, ...beats(seconds(45), "redis", statuses)])
    assert.deepStrictEqual(told, [])
    assert.include(decided, "Nothing redis BelowThreshold")
  })

  it("are those of the check's own policy", () => {
    const rules = policy({
      groupWindow: 0,
      checks: [check("redis", { failureThreshold: 1, recoveryThreshold: 1 }), check("web")]
    })
    const { told } = fold(rules, [...begin, ...outage(seconds(45), "redis", 1, 1)])
    assert.deepStrictEqual(told, ["ops opened redis @45s", "ops resolved redis @1m15s"])
  })

  it("count a crashed check like any failure (10)", () => {
    const crashes = [45, 75, 105].map(
      (at) =>
        ({ ...result(seconds(at), "redis", "unhealthy"), message: "The check crashed" }) as Event
    )
    const outcome = fold(atOnce, [...begin, ...crashes])
    assert.deepStrictEqual(outcome.told, ["ops opened redis @1m45s"])
    assert.include(outcome.alerts[0]?.subjects[0].message, "crashed")
  })

  it("say since when, from the first failure on", () => {
    const { alerts } = fold(atOnce, [...begin, ...outage(seconds(45), "redis")])
    const [opened, resolved] = alerts.map(({ subjects }) => subjects[0])
    assert.strictEqual(opened?.since.epochMillis, start + seconds(45))
    assert.strictEqual(resolved?.since.epochMillis, start + seconds(45))
    assert.strictEqual(resolved === undefined ? 0 : Duration.toSeconds(resolved.duration), 120)
    assert.deepInclude(opened, { previous: "healthy", status: "unhealthy", over: false })
    assert.deepInclude(resolved, { previous: "unhealthy", status: "healthy", over: true })
  })
})

describe("degraded, unhealthy and unknown (12)", () => {
  it("opens an incident of that severity, and worse escalates it", () => {
    const statuses = [...repeat(3, "degraded"), ...repeat(3, "unhealthy"), ...repeat(2, "healthy")]
    const { told } = fold(atOnce, [...begin, ...beats(seconds(45), "redis", statuses)])
    assert.deepStrictEqual(told, [
      "log opened redis @1m45s",
      "ops opened redis @3m15s",
      "log escalated redis @3m15s",
      "log resolved redis @4m15s",
      "ops resolved redis @4m15s"
    ])
  })

  it("is degraded while not enough failures in a row were unhealthy", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...beats(seconds(45), "redis", ["degraded", "degraded", "unhealthy", "unhealthy"]),
      ...beats(seconds(165), "redis", ["unhealthy"])
    ])
    assert.deepStrictEqual(told, [
      "log opened redis @1m45s",
      "ops opened redis @2m45s",
      "log escalated redis @2m45s"
    ])
  })

  it("does not escalate twice when it becomes better in between", () => {
    const statuses = repeat(4, "unhealthy", "unhealthy", "unhealthy", "degraded")
    const { told } = fold(atOnce, [...begin, ...beats(seconds(45), "redis", statuses)])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s"])
  })

  it("neither counts nor resets what is unknown", () => {
    const statuses = ["unhealthy", "unknown", "unhealthy", "unknown", "unhealthy"] as const
    const { told } = fold(atOnce, [...begin, ...beats(seconds(45), "redis", statuses)])
    assert.deepStrictEqual(told, ["ops opened redis @2m45s"])
  })

  it("is never worse than degraded for a check that is not critical", () => {
    const rules = policy({ groupWindow: 0, checks: [check("redis", { critical: false })] })
    const { told } = fold(rules, [...begin, ...outage(seconds(45), "redis", 6)])
    assert.deepStrictEqual(told, ["log opened redis @1m45s", "log resolved redis @4m15s"])
  })

  it("tells nobody where no route is for it, and says so", () => {
    const rules = policy({ groupWindow: 0, routes: [{ severity: "unhealthy", to: ["ops"] }] })
    const { decided, told } = fold(rules, [
      ...begin,
      ...beats(seconds(45), "redis", repeat(5, "degraded"))
    ])
    assert.deepStrictEqual(told, [])
    assert.strictEqual(decided.filter((one) => one === "Nothing redis NoRoute").length, 1)
  })
})

describe("maintenance and silence (2, 3)", () => {
  it("unchanged: nothing is said, neither in it nor after it", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...merge(
        beats(seconds(45), "redis", repeat(30, "unhealthy")),
        maintenance(minutes(4), minutes(9))
      )
    ])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s"])
  })

  it("newly down: one alert when it ends", () => {
    const outcome = fold(atOnce, [
      ...begin,
      ...merge(
        maintenance(seconds(30), minutes(5)),
        beats(seconds(45), "redis", repeat(20, "unhealthy"))
      )
    ])
    assert.deepStrictEqual(outcome.told, ["ops opened redis @5m"])
    assert.strictEqual(
      outcome.decided.filter((one) => one === "Suppressed redis Maintenance").length,
      1
    )
    assert.include(why(outcome, "Suppressed")[0], "the database moves")
  })

  it("recovered: resolved at once if it was told before, else never", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...merge(
        outage(seconds(45), "redis"),
        outage(seconds(130), "web"),
        maintenance(seconds(125), minutes(10))
      )
    ])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s", "ops resolved redis @2m45s"])
  })

  it("ends by itself at its time", () => {
    const silence: Event = {
      _tag: "Silenced",
      at: start + seconds(30),
      id: "night",
      services: ["redis"],
      until: start + minutes(7),
      why: "known"
    }
    const { decided, told } = fold(atOnce, [
      ...begin,
      silence,
      ...beats(seconds(45), "redis", repeat(20, "unhealthy"))
    ])
    assert.deepStrictEqual(told, ["ops opened redis @7m"])
    assert.include(decided, "Suppressed redis Silence")
  })

  for (const [kind, quiet] of [
    ["maintenance", maintenance],
    ["silence", silence]
  ] as const) {
    it(`${kind}: told at its end is what began in it, and at once what ended in it`, () => {
      const down = beats(seconds(45), "redis", repeat(20, "unhealthy"))
      const unchanged = fold(atOnce, [...begin, ...merge(down, quiet(minutes(4), minutes(6)))])
      assert.deepStrictEqual(unchanged.told, ["ops opened redis @1m45s"])
      const newly = fold(atOnce, [...begin, ...merge(quiet(seconds(30), minutes(5)), down)])
      assert.deepStrictEqual(newly.told, ["ops opened redis @5m"])
      const over = [...begin, ...merge(outage(seconds(45), "redis"), quiet(minutes(2), minutes(9)))]
      const told = ["ops opened redis @1m45s", "ops resolved redis @2m45s"]
      assert.deepStrictEqual(fold(atOnce, over).told, told)
      const within = merge(quiet(seconds(30), minutes(5)), outage(seconds(45), "redis"))
      assert.deepStrictEqual(fold(atOnce, [...begin, ...within]).told, [])
    })
  }

  it("is for the services that it names only", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...merge(
        maintenance(seconds(30), minutes(10), ["web"]),
        outage(seconds(45), "redis"),
        outage(seconds(45), "web")
      )
    ])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s", "ops resolved redis @2m45s"])
  })

  it("says so when there is nothing to end", () => {
    const outcome = fold(atOnce, [{ _tag: "Unsilenced", at: start, id: "nightt" }])
    assert.deepStrictEqual(why(outcome, "Nothing"), ["There is no silence nightt to end"])
  })
})

describe("start and restart (4)", () => {
  it("counts successes in the grace, and neither failures nor the transition", () => {
    const statuses = [...repeat(3, "unhealthy"), ...repeat(3, "unhealthy")]
    const { decided, told } = fold(atOnce, [
      restarted(0),
      ...beats(seconds(1), "redis", statuses, seconds(4))
    ])
    assert.deepStrictEqual(decided.slice(1, 4), repeat3("Suppressed redis Start"))
    assert.deepStrictEqual(told, ["ops opened redis @21s"])
  })

  it("does not tell a known outage again", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...outage(seconds(45), "redis", 3, 0),
      restarted(minutes(10)),
      ...beats(minutes(10) + seconds(20), "redis", repeat(5, "unhealthy"))
    ])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s"])
  })

  it("sends the recovery that it slept through", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...outage(seconds(45), "redis", 3, 0),
      restarted(hours(5)),
      ...beats(hours(5) + seconds(5), "redis", repeat(2, "healthy"))
    ])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s", "ops resolved redis @5h35s"])
  })

  it("holds back no end that somebody is owed, though it is known at once", () => {
    const rules = policy({ groupWindow: 0, checks: [check("redis", { recoveryThreshold: 1 })] })
    const { told } = fold(rules, [
      ...begin.slice(0, 2),
      ...outage(seconds(45), "redis", 3, 0),
      restarted(minutes(10)),
      result(minutes(10) + seconds(2), "redis", "healthy")
    ])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s", "ops resolved redis @10m2s"])
  })

  it("reminds of what was down before only when it was seen again", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...outage(seconds(45), "redis", 3, 0),
      restarted(hours(5)),
      time(hours(5) + seconds(11)),
      ...beats(hours(5) + seconds(20), "redis", repeat(2, "unhealthy"))
    ])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s", "ops reminder redis @5h20s"])
  })

  it("does not take old failures and new ones together, unless it was away for a moment only", () => {
    const alone = policy({ groupWindow: 0, staleAfter: 3, checks: [check("redis")] })
    const before = beats(seconds(45), "redis", repeat(2, "unhealthy"))
    const long = fold(alone, [
      ...begin,
      ...before,
      restarted(hours(1)),
      ...beats(hours(1) + seconds(20), "redis", repeat(2, "unhealthy"))
    ])
    const short = fold(alone, [
      ...begin,
      ...before,
      restarted(seconds(80)),
      ...beats(seconds(105), "redis", ["unhealthy"])
    ])
    assert.deepStrictEqual(long.told, [])
    assert.deepStrictEqual(short.told, ["ops opened redis @1m45s"])
  })

  it("resolves the incident of a check that is gone from the configuration", () => {
    const before = fold(atOnce, [...begin, ...outage(seconds(45), "redis", 3, 0)])
    const without = policy({ groupWindow: 0, checks: [check("web")] })
    const { told } = fold(without, [restarted(minutes(5))], before.state)
    assert.deepStrictEqual(told, ["ops resolved redis @5m"])
  })
})

const repeat3 = (text: string) => [text, text, text]

describe("reminders (7)", () => {
  it("come by time with growing gaps, however many beats there are", () => {
    const beatsOf = (every: number) =>
      beats(seconds(45), "redis", repeat(Math.round(hours(10) / every), "unhealthy"), every)
    const rules = (interval: string) =>
      policy({ groupWindow: 0, checks: [check("redis", { interval: interval as "1 minute" })] })
    const slow = fold(rules("5 minutes"), [...begin.slice(0, 2), ...beatsOf(minutes(5))])
    const fast = fold(rules("30 seconds"), [...begin.slice(0, 2), ...beatsOf(seconds(30))])
    assert.deepStrictEqual(fast.told, [
      "ops opened redis @1m45s",
      "ops reminder redis @16m45s",
      "ops reminder redis @1h16m45s",
      "ops reminder redis @5h16m45s",
      "ops reminder redis @9h16m45s"
    ])
    assert.strictEqual(slow.told.length, 5)
  })

  it("stop when somebody has acknowledged, and begin again when it becomes worse", () => {
    const acknowledged: Event = {
      _tag: "Acknowledged",
      at: start + minutes(2),
      service: "redis",
      by: "ann"
    }
    const { told } = fold(atOnce, [
      ...begin,
      ...merge(
        beats(seconds(45), "redis", [
          ...repeat(130, "degraded"),
          ...repeat(40, "unhealthy"),
          ...repeat(2, "healthy")
        ]),
        [acknowledged]
      )
    ])
    assert.deepStrictEqual(
      told.map((line) => line.split(" @")[0]),
      [
        "log opened redis",
        "ops opened redis",
        "log escalated redis",
        "log reminder redis",
        "ops reminder redis",
        "log resolved redis",
        "ops resolved redis"
      ]
    )
  })

  it("wait while it seems to come back, and come when it does not", () => {
    const rules = policy({ groupWindow: 0, reminders: ["920 seconds"] })
    const seen = (...last: ReadonlyArray<"healthy" | "unhealthy">) =>
      fold(rules, [
        ...begin,
        ...beats(seconds(45), "redis", [...repeat(32, "unhealthy"), ...last])
      ]).told.slice(1)
    assert.deepStrictEqual(seen("unhealthy", "unhealthy"), ["ops reminder redis @17m5s"])
    // Due at 17m5s, with a success at 16m45s before it.
    assert.deepStrictEqual(seen("healthy", "healthy"), ["ops resolved redis @17m15s"])
    assert.deepStrictEqual(seen("healthy", "unhealthy"), ["ops reminder redis @17m15s"])
  })

  it("are left out in maintenance, and are not made up for after it", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...merge(
        beats(seconds(45), "redis", repeat(240, "unhealthy")),
        maintenance(minutes(10), minutes(30))
      )
    ])
    assert.deepStrictEqual(told, ["ops opened redis @1m45s", "ops reminder redis @1h16m45s"])
  })
})

describe("caps (8)", () => {
  const capped = policy({
    groupWindow: 0,
    cap: { messages: 3, within: "1 hour" },
    flapping: { openings: 100, within: "1 hour", calm: "10 minutes" }
  })

  it("are not reset by a recovery, and bind no resolve that is owed", () => {
    const outages = Array.from({ length: 6 }, (_, index) =>
      outage(seconds(45) + index * minutes(5), "redis", 4, 6)
    ).flat()
    const outcome = fold(capped, [...begin, ...outages])
    assert.deepStrictEqual(
      outcome.told.map((line) => line.split(" ")[1]),
      ["opened", "resolved", "opened", "resolved", "opened", "resolved"]
    )
    assert.include(why(outcome, "Suppressed")[0], "ops had 3 messages")
  })

  it("let the message through when there is room again", () => {
    const outages = [0, 5, 10].flatMap((at) => outage(seconds(45) + minutes(at), "redis", 4, 6))
    const last = beats(seconds(45) + minutes(15), "redis", repeat(100, "unhealthy"))
    const { told } = fold(capped, [...begin, ...outages, ...last])
    assert.strictEqual(told.at(-1), "ops opened redis @1h1m45s")
  })
})

describe("the default cap (8)", () => {
  const quick = (name: string) =>
    check(name, { interval: "10 seconds", failureThreshold: 1, recoveryThreshold: 1 })
  const rules = policy({
    groupWindow: 0,
    checks: [quick("redis"), quick("web")],
    flapping: { openings: 1000, within: "1 hour", calm: "10 minutes" }
  })
  const outages = (service: string, count: number) =>
    Array.from({ length: count }, (_, index) =>
      beats(seconds(45) + index * minutes(2), service, ["unhealthy", "healthy"], seconds(10))
    ).flat()

  it("is ten messages within an hour, of one check, and no end is one of them", () => {
    const { told } = fold(rules, [...begin, ...merge(outages("redis", 15), outages("web", 3))])
    const count = (what: string) => told.filter((line) => line.includes(what)).length
    assert.strictEqual(count("opened redis"), 10)
    assert.strictEqual(count("resolved redis"), 10)
    assert.strictEqual(count("opened web"), 3)
  })

  it("is one of each channel, and binds reminders and what became worse too", () => {
    const tight = policy({
      groupWindow: 0,
      routes: [
        { severity: "unhealthy", to: ["ops", "hook"] },
        { severity: "degraded", to: ["ops"] }
      ],
      cap: { messages: 1, within: "10 hours" }
    })
    const statuses = [...repeat(3, "degraded"), ...repeat(40, "unhealthy"), ...repeat(2, "healthy")]
    const outcome = fold(tight, [...begin, ...beats(seconds(45), "redis", statuses)])
    assert.deepStrictEqual(outcome.told, [
      "ops opened redis @1m45s",
      "hook opened redis @3m15s",
      "ops resolved redis @22m45s",
      "hook resolved redis @22m45s"
    ])
    assert.isAtLeast(outcome.decided.filter((one) => one === "Suppressed redis Cap").length, 3)
  })
})

describe("flapping (8)", () => {
  const flaps = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      outage(seconds(45) + index * minutes(3), "redis", 3, 3)
    ).flat()

  it("is one message, and its end sends that it is up", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...flaps(9),
      ...beats(seconds(45) + minutes(27), "redis", repeat(30, "healthy"))
    ])
    assert.deepStrictEqual(told.slice(8), [
      "ops flapping redis @13m45s",
      "ops resolved redis @36m45s"
    ])
  })

  it("is one message, and its end sends that it stays down", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...flaps(7),
      ...beats(seconds(45) + minutes(21), "redis", repeat(40, "unhealthy"))
    ])
    assert.deepStrictEqual(told.slice(8), [
      "ops flapping redis @13m45s",
      "ops reminder redis @32m45s"
    ])
  })

  it("is five outages within half an hour, and not four, nor five that lie further apart", () => {
    const kinds = (outages: ReadonlyArray<Event>) =>
      fold(atOnce, [...begin, ...outages]).told.map((line) => line.split(" ")[1])
    const apart = (count: number, gap: number) =>
      Array.from({ length: count }, (_, index) =>
        outage(seconds(45) + index * gap, "redis", 3, 3)
      ).flat()
    assert.include(kinds(apart(5, minutes(7))), "flapping")
    assert.notInclude(kinds(apart(4, minutes(3))), "flapping")
    assert.notInclude(kinds(apart(9, minutes(8))), "flapping")
  })

  it("does not count what nobody would have heard of", () => {
    const { told } = fold(atOnce, [
      ...begin,
      ...merge(maintenance(seconds(30), minutes(27)), flaps(9)),
      ...outage(seconds(45) + minutes(27), "redis")
    ])
    assert.deepStrictEqual(told, ["ops opened redis @28m45s", "ops resolved redis @29m45s"])
  })
})

describe("grouping and dependencies (9)", () => {
  const grouped = policy({
    checks: [
      check("web", { dependsOn: ["bot"] }),
      check("bot", { dependsOn: ["redis"] }),
      check("redis"),
      check("disk")
    ]
  })
  const fresh: ReadonlyArray<Event> = [
    restarted(0),
    ...["web", "bot", "redis", "disk"].map((name) => result(seconds(15), name, "healthy"))
  ]

  it("makes one message of what starts together, root cause first", () => {
    const { told } = fold(grouped, [
      ...fresh,
      ...merge(
        outage(seconds(43), "web", 3, 0),
        outage(seconds(44), "disk", 3, 0),
        outage(seconds(45), "bot", 3, 0),
        outage(seconds(46), "redis", 3, 0)
      ),
      time(minutes(2))
    ])
    assert.deepStrictEqual(told, ["ops opened redis+disk (affects web, bot) @1m54s"])
  })

  it("makes one message of what ends together, and none for who was only affected", () => {
    const { told } = fold(grouped, [
      ...fresh,
      ...merge(
        outage(seconds(43), "web"),
        outage(seconds(44), "disk"),
        outage(seconds(45), "bot"),
        outage(seconds(46), "redis")
      ),
      time(minutes(20))
    ])
    assert.deepStrictEqual(told, [
      "ops opened redis+disk (affects web, bot) @1m54s",
      "ops resolved redis+disk @2m54s"
    ])
  })

  it("names the root cause to who asks why nothing was said", () => {
    const outcome = fold(grouped, [
      ...fresh,
      ...merge(outage(seconds(45), "redis", 9, 0), outage(seconds(75), "web", 6, 0))
    ])
    assert.include(
      why(outcome, "Suppressed").join("\n"),
      "web depends on redis, which is unhealthy"
    )
  })

  it("tells what stays down after its dependency is back, when it had the time to come back", () => {
    const { told } = fold(grouped, [
      ...fresh,
      ...merge(outage(seconds(44), "redis", 5), outage(seconds(45), "bot", 20, 0)),
      time(minutes(12))
    ])
    assert.deepStrictEqual(told, [
      "ops opened redis (affects bot) @1m54s",
      "ops resolved redis @3m54s",
      "ops opened bot @5m24s"
    ])
  })

  it("tells the end of what was told, though what it depends on is down by then", () => {
    const { told } = fold(grouped, [
      ...fresh,
      ...merge(outage(seconds(45), "bot", 10, 2), outage(minutes(3), "redis", 20, 0))
    ])
    assert.include(told, "ops resolved bot @6m25s")
  })

  it("does not take a slow dependency for the reason of an outage", () => {
    const { told } = fold(grouped, [
      ...fresh,
      ...merge(beats(seconds(44), "redis", repeat(8, "degraded")), outage(seconds(45), "bot", 8, 0))
    ])
    assert.deepStrictEqual(told, ["log opened redis @1m54s", "ops opened bot @1m54s"])
  })

  it("waits for a dependency that has begun to fail, but not for ever", () => {
    const failing = [result(seconds(60), "redis", "unhealthy")]
    const unknown = beats(seconds(90), "redis", repeat(20, "unknown"))
    const { told } = fold(grouped, [
      ...fresh,
      ...merge(outage(seconds(45), "bot", 20, 0), failing, unknown)
    ])
    assert.deepStrictEqual(told, ["ops opened bot @3m25s"])
  })

  it("never tells what is over before the window ends", () => {
    const rules = policy({
      checks: [check("redis", { interval: "1 second", recoveryThreshold: 1 })]
    })
    const { decided, told } = fold(rules, [
      ...begin.slice(0, 2),
      ...beats(seconds(16), "redis", [...repeat(4, "unhealthy"), "healthy"], seconds(1)),
      time(minutes(1) + seconds(10))
    ])
    assert.deepStrictEqual(
      told.filter((line) => !line.includes("stale")),
      []
    )
    assert.include(decided, "Nothing redis NeverTold")
  })
})

describe("staleness (10)", () => {
  const watchful = policy({ groupWindow: 0, staleAfter: 3 })

  it("says when a check had no result for three intervals, and when it has again", () => {
    const { told } = fold(watchful, [
      ...begin,
      ...beats(seconds(45), "web", repeat(10, "healthy")),
      ...beats(minutes(4), "redis", repeat(2, "healthy"))
    ])
    assert.deepStrictEqual(told.slice(0, 2), [
      "ops stale redis @1m45s",
      "ops resolved redis @4m30s"
    ])
  })

  it("is found for a check that never had a result", () => {
    const { told } = fold(watchful, [
      restarted(0),
      ...beats(seconds(15), "web", repeat(6, "healthy"))
    ])
    assert.deepStrictEqual(told, ["ops stale redis @1m30s"])
  })

  it("allows for the time that a service asked to be left alone", () => {
    const { told } = fold(watchful, [
      ...begin,
      result(seconds(45), "redis", "degraded", minutes(10)),
      ...beats(seconds(45), "web", repeat(23, "healthy")),
      result(minutes(12), "redis", "healthy")
    ])
    assert.deepStrictEqual(told, [])
  })

  it("allows for no more of it than the heartbeat does", () => {
    const { told } = fold(watchful, [
      ...begin,
      result(seconds(45), "redis", "degraded", hours(24)),
      ...beats(seconds(45), "web", repeat(200, "healthy"))
    ])
    assert.strictEqual(told[0], "ops stale redis @1h2m15s")
  })

  it("is not what a machine was that slept for an hour", () => {
    const asleep = fold(watchful, [
      ...begin,
      ...merge(
        beats(seconds(45), "web", repeat(3, "healthy")),
        beats(seconds(45), "redis", repeat(3, "healthy"))
      )
    ])
    let state = asleep.state
    const told: Array<AlertPolicy.Decision> = []
    for (const event of [
      time(hours(1)),
      ...merge(
        beats(hours(1) + seconds(1), "web", repeat(2, "unhealthy"), seconds(2)),
        beats(hours(1) + seconds(12), "redis", repeat(2, "healthy"))
      )
    ]) {
      const [next, decisions] = AlertPolicy.step(watchful, state, event)
      state = next
      told.push(...decisions.filter(({ alerts }) => alerts.length > 0))
    }
    assert.deepStrictEqual(told, [])
  })
})

describe("a clock that is set", () => {
  it("is not what events show that overtook each other on their way", () => {
    const swapped = [time(seconds(200)), result(seconds(199.5), "redis", "healthy")]
    assert.strictEqual(fold(atOnce, [...begin, ...swapped]).state.offset, 0)
    const set = [time(seconds(200)), result(seconds(190), "redis", "healthy")]
    assert.strictEqual(fold(atOnce, [...begin, ...set]).state.offset, seconds(10))
  })

  it("back an hour: nothing is lost, and spans stay true", () => {
    const before = fold(atOnce, [...begin, ...outage(seconds(45), "redis", 3, 0)])
    const later = seconds(135) - hours(1)
    const { alerts, told } = fold(
      atOnce,
      beats(later, "redis", [...repeat(35, "unhealthy"), ...repeat(2, "healthy")]),
      before.state
    )
    assert.deepStrictEqual(
      told.map((line) => line.split(" ")[1]),
      ["reminder", "resolved"]
    )
    const [subject] = alerts.at(-1)?.subjects ?? []
    assert.strictEqual(subject && Duration.toMinutes(subject.duration), 19)
  })

  it("forward a day: one reminder, and no storm", () => {
    const before = fold(atOnce, [...begin, ...outage(seconds(45), "redis", 3, 0)])
    const [woken, decisions] = AlertPolicy.step(atOnce, before.state, time(hours(24)))
    const after = beats(hours(24) + seconds(3), "redis", repeat(20, "unhealthy"))
    const { told } = fold(atOnce, after, woken)
    assert.deepStrictEqual(
      decisions.flatMap(({ alerts }) => alerts),
      []
    )
    assert.deepStrictEqual(told, ["ops reminder redis @1d10s"])
  })
})

describe("channels that fail for good (5, 12)", () => {
  const disabled = (at: number, outcome?: ReturnType<typeof fold>): Event => ({
    _tag: "ChannelDisabled",
    at: start + at,
    channel: "ops",
    why: "chat not found",
    pending: outcome?.alerts.filter(({ channel }) => channel === "ops") ?? []
  })

  it("have their fallback told of what is open, and of its end", () => {
    const before = fold(atOnce, [...begin, ...outage(seconds(45), "redis", 3, 0)])
    const { told } = fold(
      atOnce,
      [disabled(seconds(106), before), ...beats(seconds(135), "redis", repeat(2, "healthy"))],
      before.state
    )
    assert.deepStrictEqual(told, ["hook opened redis @1m46s", "hook resolved redis @2m45s"])
  })

  it("hand an end that they did not take to their fallback", () => {
    const before = fold(atOnce, [...begin, ...outage(seconds(45), "redis")])
    const pending = before.alerts.slice(-1)
    const event = { ...disabled(minutes(3)), pending } as Event
    assert.isTrue(pending.every((alert) => AlertPolicy.isHandedOn(atOnce, before.state, alert)))
    const { alerts, told } = fold(atOnce, [event], before.state)
    assert.deepStrictEqual(told, ["hook resolved redis @2m45s"])
    assert.strictEqual(alerts[0]?.insteadOf, "ops")
  })

  it("are told the end of what they were told, when they are back, although the fallback was", () => {
    const before = fold(atOnce, [...begin, ...outage(seconds(45), "redis", 3, 0)])
    const { told } = fold(
      atOnce,
      [disabled(minutes(2)), ...beats(seconds(135), "redis", repeat(2, "healthy"))],
      before.state
    )
    assert.deepStrictEqual(told, [
      "hook opened redis @2m",
      "ops resolved redis @2m45s",
      "hook resolved redis @2m45s"
    ])
  })

  it("hand on an end that still waits for others, when they did not take the beginning", () => {
    const grouped = policy()
    const before = fold(grouped, [...begin, ...outage(seconds(45), "redis")])
    const { alerts, told } = fold(
      grouped,
      [
        disabled(seconds(166), before),
        { _tag: "ChannelEnabled", at: start + seconds(167), channel: "ops" },
        time(seconds(180))
      ],
      before.state
    )
    assert.deepStrictEqual(told, ["hook resolved redis @2m55s"])
    assert.strictEqual(alerts[0]?.insteadOf, "ops")
  })

  it("have no end handed on to a fallback that was told of it itself", () => {
    const before = fold(atOnce, [
      ...begin,
      ...outage(seconds(45), "redis", 3, 0),
      disabled(minutes(2)),
      ...beats(seconds(135), "redis", repeat(2, "healthy")),
      // It was away for a while only, says the next start, and is not.
      restarted(minutes(5)),
      result(minutes(6), "redis", "healthy")
    ])
    const pending = before.alerts.filter(
      ({ channel, kind }) => `${channel} ${kind}` === "ops resolved"
    )
    assert.lengthOf(pending, 1)
    assert.isFalse(pending.some((alert) => AlertPolicy.isHandedOn(atOnce, before.state, alert)))
    const { told } = fold(atOnce, [{ ...disabled(minutes(7)), pending } as Event], before.state)
    assert.deepStrictEqual(told, [])
  })

  it("are named to whoever is told in their place, from the first message on", () => {
    const rules = policy({
      groupWindow: 0,
      routes: [
        { severity: "unhealthy", to: ["ops"], fallback: "hook" },
        { severity: "degraded", to: ["hook"] }
      ]
    })
    const { alerts } = fold(rules, [
      ...begin,
      disabled(seconds(20)),
      ...beats(seconds(45), "redis", [...repeat(40, "unhealthy"), ...repeat(2, "healthy")]),
      ...beats(minutes(30), "web", [...repeat(3, "degraded"), ...repeat(3, "unhealthy")])
    ])
    assert.deepStrictEqual(
      alerts.map(({ channel, insteadOf, kind }) => [channel, kind, insteadOf]),
      [
        ["hook", "opened", "ops"],
        ["hook", "reminder", "ops"],
        ["hook", "resolved", "ops"],
        // Of this it is told for its own sake, until it is bad enough for the other one.
        ["hook", "opened", null],
        ["hook", "escalated", "ops"]
      ]
    )
  })

  it("are not named when they are back", () => {
    const { alerts } = fold(atOnce, [
      ...begin,
      disabled(seconds(20)),
      ...beats(seconds(45), "redis", repeat(3, "unhealthy")),
      { _tag: "ChannelEnabled", at: start + minutes(2), channel: "ops" },
      ...beats(seconds(135), "redis", repeat(2, "healthy"))
    ])
    assert.deepStrictEqual(
      alerts.map(({ channel, insteadOf, kind }) => [channel, kind, insteadOf]),
      [
        ["hook", "opened", "ops"],
        ["ops", "opened", null],
        ["hook", "resolved", null],
        ["ops", "resolved", null]
      ]
    )
  })

  it("are told as before after a restart", () => {
    const before = fold(atOnce, [...begin, disabled(seconds(20))])
    const { told } = fold(
      atOnce,
      [restarted(seconds(30)), ...outage(seconds(45), "redis", 3, 0)],
      before.state
    )
    assert.deepStrictEqual(told, ["ops opened redis @1m45s"])
  })
})

describe("a channel that wants each change at once (11)", () => {
  it("is told apart, without the window and without reminders", () => {
    const rules = policy({
      routes: [{ severity: "unhealthy", to: ["ops", "bot"] }],
      channels: { bot: { grouped: false, reminders: false } }
    })
    const { told } = fold(rules, [
      ...begin,
      ...merge(outage(seconds(44), "redis", 40), outage(seconds(45), "web", 40)),
      time(minutes(22))
    ])
    assert.deepStrictEqual(
      told.filter((line) => line.startsWith("bot")),
      [
        "bot opened redis @1m44s",
        "bot opened web @1m45s",
        "bot resolved redis @21m14s",
        "bot resolved web @21m15s"
      ]
    )
    assert.deepStrictEqual(
      told.filter((line) => line.startsWith("ops")),
      [
        "ops opened redis+web @1m54s",
        "ops reminder redis+web @16m54s",
        "ops resolved redis+web @21m24s"
      ]
    )
  })
})
