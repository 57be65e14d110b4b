/**
 * The table "What is sent" of docs/alerts.md, line by line: each line is told by a trace that would be
 * answered otherwise if the line were not true. A line without a trace fails, and a trace without one.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { parse } from "yaml"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import type { Status } from "../../../src/Check/CheckResult.js"
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

const docs = readFileSync(new URL("../../../docs/alerts.md", import.meta.url), "utf8")

/** The situations, as they stand in the first column. */
const situations = (/## What is sent\n(.*?)\n## /s.exec(docs)?.[1] ?? "")
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(2)
  .map((line) => line.split("|")[1]?.trim() ?? "")

const begin: ReadonlyArray<Event> = [
  restarted(0),
  ...["redis", "web"].map((name) => result(seconds(15), name, "healthy"))
]
const down = (count: number) => repeat(count, "unhealthy")
const up = repeat(2, "healthy")
/** Beats of redis from 45 s on. */
const redis = (...statuses: ReadonlyArray<ReadonlyArray<Status>>) =>
  beats(seconds(45), "redis", statuses.flat())

/** What comes of it under the defaults, with the times left out where they say nothing. */
const told = (
  events: ReadonlyArray<Event>,
  options: AlertPolicy.Options = {},
  before?: AlertPolicy.State
) => fold(policy(options), events, before).told
const kinds = (events: ReadonlyArray<Event>, options: AlertPolicy.Options = {}) =>
  told(events, options).map((line) => line.split(" @")[0])

const dependent = { checks: [check("redis"), check("web", { dependsOn: ["redis"] })] }

const quiet = (kind: "Maintenance" | "Silence", from: number, to: number): ReadonlyArray<Event> => {
  const begins = { at: start + from, id: "a", services: null, until: null, why: "known" }
  const ends = { at: start + to, id: "a" }
  return kind === "Maintenance"
    ? [
        { _tag: "MaintenanceStarted", ...begins },
        { _tag: "MaintenanceEnded", ...ends }
      ]
    : [
        { _tag: "Silenced", ...begins },
        { _tag: "Unsilenced", ...ends }
      ]
}
type Quietly = (from: number, to: number) => ReadonlyArray<Event>

const bothWays = (events: (of: Quietly) => ReadonlyArray<Event>) =>
  (["Maintenance", "Silence"] as const).map((kind) =>
    kinds([...begin, ...events((from, to) => quiet(kind, from, to))])
  )

const twice = <A>(value: A) => [value, value]

/** By the first words of each situation. */
const lines: Readonly<Record<string, () => void>> = {
  "fewer failures in a row than": () => {
    assert.deepStrictEqual(told([...begin, ...redis(down(2), up, down(2), up)]), [])
  },
  "the third failure in a row": () => {
    // 1m45s is the third; the others are waited for until then.
    const both = merge(redis(down(9)), beats(seconds(54), "web", down(9)))
    assert.deepStrictEqual(told([...begin, ...both]), ["ops opened redis+web @1m55s"])
    assert.deepStrictEqual(told([...begin, ...redis(down(9))]), ["ops opened redis @1m55s"])
  },
  "the second success in a row": () => {
    const everybody = { routes: [{ severity: "unhealthy", to: ["ops", "hook"] }] } as const
    const events = [...begin, ...redis(down(5), ["healthy", "unhealthy"], up), time(minutes(9))]
    assert.deepStrictEqual(told(events, everybody).slice(2), [
      "ops resolved redis @4m55s",
      "hook resolved redis @4m55s"
    ])
  },
  "healthy again before a channel was notified": () => {
    const quick: AlertPolicy.Options = {
      checks: [check("redis", { recoveryThreshold: 1 })],
      groupWindow: "1 minute"
    }
    assert.deepStrictEqual(told([...begin, ...redis(down(3), up), time(minutes(9))], quick), [])
  },
  "several services go down within 10 seconds": () => {
    const web = beats(seconds(42), "web", down(9))
    const within = fold(policy(dependent), [...begin, ...merge(web, redis(down(9)))])
    assert.deepStrictEqual(within.told, ["ops opened redis (affects web) @1m55s"])
    const apart = merge(redis(down(9)), beats(seconds(56), "web", down(9)))
    assert.lengthOf(told([...begin, ...apart]), 2)
  },
  "a service is down because one that it": () => {
    const both = merge(redis(down(9)), beats(seconds(90), "web", down(9)))
    assert.deepStrictEqual(kinds([...begin, ...both], dependent), ["ops opened redis"])
    const first = merge(redis(down(9)), beats(seconds(46), "web", down(9)))
    const { alerts } = fold(policy(dependent), [...begin, ...first])
    assert.deepStrictEqual(alerts[0]?.affected, ["web"])
    assert.notProperty(alerts[0], "affectedLabels")
    const guidance = { label: "The web", link: "https://g.example.com/", runbook: "Restart it" }
    const described = dependent.checks?.map((one) =>
      one.name === "web" ? { ...one, ...guidance } : one
    )
    const own = fold(policy({ ...dependent, checks: described }), [...begin, ...first])
    assert.deepStrictEqual(own.alerts[0]?.affectedLabels, ["The web"])
  },
  "the dependency is back and the service is not": () => {
    const both = merge(redis(down(5), up), beats(seconds(46), "web", down(20)))
    assert.deepStrictEqual(kinds([...begin, ...both], dependent), [
      "ops opened redis (affects web)",
      "ops resolved redis",
      "ops opened web"
    ])
  },
  "`degraded`": () => {
    const events = [...begin, ...redis(repeat(3, "degraded"), up), time(minutes(9))]
    assert.deepStrictEqual(told(events), ["log opened redis @1m55s", "log resolved redis @2m55s"])
  },
  "degraded becomes unhealthy": () => {
    assert.deepStrictEqual(kinds([...begin, ...redis(repeat(4, "degraded"), down(5))]), [
      "log opened redis",
      "ops opened redis",
      "log escalated redis"
    ])
  },
  "unhealthy becomes degraded, and unhealthy again": () => {
    const statuses = [down(4), repeat(4, "degraded"), down(4)]
    assert.deepStrictEqual(kinds([...begin, ...redis(...statuses)]), ["ops opened redis"])
  },
  "still down": () => {
    const each = (every: number) =>
      told([
        ...begin,
        ...beats(seconds(45), "redis", down(Math.ceil(hours(10) / every)), every)
      ]).map((line) => line.replace(/5s$/, "?s").split(" @")[1])
    const often = each(seconds(30))
    assert.deepStrictEqual(often, ["1m5?s", "16m5?s", "1h16m5?s", "5h16m5?s", "9h16m5?s"])
    assert.lengthOf(each(minutes(5)), often.length)
  },
  "it was acknowledged": () => {
    const seen: Event = {
      _tag: "Acknowledged",
      at: start + minutes(5),
      service: "redis",
      by: "ann"
    }
    assert.deepStrictEqual(kinds([...begin, ...merge(redis(down(300)), [seen])]), [
      "ops opened redis"
    ])
    const worse = redis(repeat(100, "degraded"), down(60))
    assert.deepStrictEqual(kinds([...begin, ...merge(worse, [seen])]), [
      "log opened redis",
      "ops opened redis",
      "log escalated redis",
      "log reminder redis",
      "ops reminder redis"
    ])
  },
  "the last result was healthy, but too few were": () => {
    // The reminder is due at 16m55s, and the success came at 16m45s.
    const last = (status: Status) => [
      ...begin,
      ...redis(down(32), [status]),
      time(minutes(17) + seconds(10))
    ]
    assert.deepStrictEqual(kinds(last("unhealthy")), ["ops opened redis", "ops reminder redis"])
    assert.deepStrictEqual(kinds(last("healthy")), ["ops opened redis"])
  },
  "a suppression ends while the last result is healthy": () => {
    const held = (...last: ReadonlyArray<Status>) =>
      bothWays((of) => merge(of(seconds(30), minutes(4)), redis(down(6), last)))
    assert.deepStrictEqual(held("healthy", "healthy", "healthy"), twice([]))
    const failing = held("healthy", "unhealthy", ...repeat(3, "healthy"))
    assert.deepStrictEqual(failing, twice(["ops opened redis", "ops resolved redis"]))
  },
  "a suppression ends while the service is less bad than before": () => {
    const within = bothWays((of) =>
      merge(of(seconds(30), minutes(4)), redis(down(4), repeat(8, "degraded")))
    )
    assert.deepStrictEqual(within, twice(["log opened redis"]))
    const known = bothWays((of) =>
      merge(
        of(minutes(3), minutes(7)),
        redis(repeat(5, "degraded"), down(4), repeat(8, "degraded"))
      )
    )
    assert.deepStrictEqual(known, twice(["log opened redis"]))
  },
  "maintenance or silence, down before and after": () => {
    const found = bothWays((of) => merge(redis(down(25)), of(minutes(4), minutes(9))))
    assert.deepStrictEqual(found, twice(["ops opened redis"]))
  },
  "maintenance or silence, goes down in it and stays down": () => {
    const found = bothWays((of) => merge(of(seconds(30), minutes(9)), redis(down(25))))
    assert.deepStrictEqual(found, twice(["ops opened redis"]))
  },
  "maintenance or silence, comes back in it": () => {
    const before = bothWays((of) => merge(redis(down(4), up), of(minutes(2), minutes(9))))
    assert.deepStrictEqual(before, twice(["ops opened redis", "ops resolved redis"]))
    const within = bothWays((of) => merge(of(seconds(30), minutes(9)), redis(down(4), up)))
    assert.deepStrictEqual(within, twice([]))
  },
  "the fifth outage within 30 minutes": () => {
    const flaps = Array.from({ length: 8 }, () => [...down(3), ...repeat(3, "healthy")])
    const found = told([...begin, ...redis(...flaps, repeat(30, "healthy"))])
    assert.deepStrictEqual(
      found.slice(0, 8).map((line) => line.split(" ")[1]),
      [0, 1, 2, 3].flatMap(() => ["opened", "resolved"])
    )
    // The last change was at 23m45s.
    assert.deepStrictEqual(found.slice(8), [
      "ops flapping redis @13m55s",
      "ops resolved redis @33m55s"
    ])
  },
  "more than 10 messages of one check on one channel within an hour": () => {
    const loose = { flapping: { openings: 100, within: "1 hour", calm: "1 hour" } } as const
    const flaps = Array.from({ length: 12 }, () => [...down(4), ...up])
    const found = told([...begin, ...redis(...flaps, down(100))], loose)
    const opened = found.filter((line) => line.startsWith("ops opened"))
    assert.lengthOf(opened, 11)
    assert.strictEqual(opened.at(-1), "ops opened redis @1h2m5s")
  },
  "no result for three intervals": () => {
    const events = [...begin, ...beats(seconds(45), "web", repeat(9, "healthy"))]
    assert.deepStrictEqual(told(events, { staleAfter: 3 }), ["ops stale redis @1m55s"])
  },
  "the machine slept, or its clock was set": () => {
    const before = fold(policy(), [...begin, ...redis(down(4))])
    for (const by of [hours(8), -hours(1)]) {
      const at = minutes(3) + by
      // Nobody heard of the time meanwhile.
      const [woken] = AlertPolicy.step(policy(), before.state, time(at))
      const after = fold(policy(), beats(at + seconds(1), "redis", down(3)), woken)
      // Eight hours later the reminder is due, once it was seen again.
      const due = by > 0 ? ["reminder"] : []
      assert.deepStrictEqual(
        after.told.map((line) => line.split(" ")[1]),
        due
      )
    }
  },
  "Holter starts, a check fails in the first 10 seconds": () => {
    const early = [2, 5, 8].map((at) => result(seconds(at), "redis", "unhealthy"))
    const later = [12, 42].map((at) => result(seconds(at), "redis", "unhealthy"))
    assert.deepStrictEqual(told([restarted(0), ...early, ...later, time(minutes(2))]), [])
  },
  "Holter starts again, still down": () => {
    const events = [...begin, ...redis(down(4)), restarted(hours(1))]
    assert.deepStrictEqual(kinds([...events, time(hours(2))]), ["ops opened redis"])
    const again = beats(hours(1) + seconds(20), "redis", down(4))
    assert.deepStrictEqual(kinds([...events, ...again]), ["ops opened redis", "ops reminder redis"])
  },
  "Holter starts again, healthy meanwhile": () => {
    const events = [...begin, ...redis(down(4)), restarted(hours(1))]
    const again = beats(hours(1) + seconds(20), "redis", up)
    const found = kinds([...events, ...again, time(hours(1) + minutes(2))])
    assert.deepStrictEqual(found, ["ops opened redis", "ops resolved redis"])
  },
  "a check is taken out of the configuration while it is down": () => {
    const { state } = fold(policy(), [...begin, ...redis(down(4))])
    const events = [restarted(minutes(9)), time(minutes(10))]
    assert.deepStrictEqual(told(events, { checks: [check("web")] }, state), [
      "ops resolved redis @9m10s"
    ])
  },
  "`unknown`": () => {
    const statuses = [down(2), repeat(20, "unknown"), down(1), repeat(20, "unknown")]
    assert.deepStrictEqual(kinds([...begin, ...redis(...statuses)]), ["ops opened redis"])
    assert.deepStrictEqual(kinds([...begin, ...redis(repeat(50, "unknown"))]), [])
  }
}

describe('docs/alerts.md, "What is sent"', () => {
  it("is followed by the limits as they are", () => {
    const block = /```yaml\nalerts:\n  limits:\n(.*?)```/s.exec(docs)?.[1] ?? ""
    const limits = parse(block) as AlertPolicy.Options
    assert.hasAllKeys(limits, [
      ...["startGrace", "groupWindow", "reminders", "cap", "flapping", "staleAfter"]
    ])
    assert.deepStrictEqual(AlertPolicy.make(limits), AlertPolicy.make())
  })

  it("is decided by the rules that are listed", () => {
    const listed = (/\| rule \| decides \|\n(.*?)\n\n/s.exec(docs)?.[1] ?? "")
      .split("\n")
      .slice(1)
      .flatMap((line) =>
        [...(line.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, rule]) => rule)
      )
    assert.sameMembers(listed, [...AlertPolicy.Rule.literals])
  })

  it("has a trace for each line, and each trace a line", () => {
    assert.isAbove(situations.length, 20)
    const traced = Object.keys(lines)
    assert.deepStrictEqual(
      situations.map((line) => traced.find((words) => line.startsWith(words)) ?? `no: ${line}`),
      traced
    )
  })

  for (const [words, holds] of Object.entries(lines)) it(words, holds)
})
