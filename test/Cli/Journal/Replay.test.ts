import { assert, describe, it } from "@effect/vitest"
import { DateTime, Either, FastCheck } from "effect"
import * as WallTime from "../../../src/Common/WallTime.js"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import * as Maintenance from "../../../src/Alert/Maintenance.js"
import * as Replay from "../../../src/Cli/Journal/Replay.js"
import * as SimulatePage from "../../../src/Cli/Journal/SimulatePage.js"
import { check } from "../../Alert/trace.js"
import { type Event, inOrder, minute, policy, restarted, results, times } from "./recorder.js"

const now = Date.UTC(2025, 11, 11, 12, 0, 0)

const past = inOrder(
  restarted(now - 38 * minute),
  ...results("web", now, times(75, "healthy")),
  ...results("redis", now, [
    ...times(40, "healthy"),
    ...times(5, "unhealthy"),
    ...times(30, "healthy")
  ])
)

const sentBy = (one: AlertPolicy.Policy, events: ReadonlyArray<Event> = past) => {
  const replay = Replay.make(one, [])
  for (const event of events) replay.take(event)
  return replay.sent()
}

const patient = AlertPolicy.make({
  checks: [check("redis", { failureThreshold: 10 }), check("web")],
  routes: policy.routes
})

const shown = (sent: ReadonlyArray<Replay.Sent>) =>
  sent.map(({ channel, kind }) => `${channel} ${kind}`)

describe("Replay", () => {
  it("tells what another policy would have sent", () => {
    const redis = sentBy(policy).filter(({ services }) => services.includes("redis"))
    assert.deepStrictEqual(shown(redis), ["ops opened", "ops resolved"])
    assert.deepStrictEqual(
      sentBy(patient).filter(({ services }) => services.includes("redis")),
      []
    )
  })

  it("puts the windows of the other configuration in the place of those of the past", () => {
    const window = Maintenance.make({
      name: "move",
      from: DateTime.formatIso(DateTime.unsafeMake(now - 30 * minute)),
      until: DateTime.formatIso(DateTime.unsafeMake(now - minute))
    })
    const replay = Replay.make(policy, Either.isRight(window) ? [window.right] : [])
    for (const event of past) replay.take(event)
    assert.deepStrictEqual(
      replay.sent().filter(({ services }) => services.includes("redis")),
      []
    )
    const started: Event = {
      _tag: "MaintenanceStarted",
      at: now - 30 * minute,
      id: "window:old",
      services: null,
      until: now,
      why: "old"
    }
    assert.deepStrictEqual(shown(sentBy(policy, inOrder(started, ...past))), shown(sentBy(policy)))
  })

  it("leaves out services that the other configuration does not have, and counts them", () => {
    const onlyWeb = AlertPolicy.make({ checks: [check("web")], routes: policy.routes })
    const replay = Replay.make(onlyWeb, [])
    for (const event of past) replay.take(event)
    assert.strictEqual(replay.results(), 75)
    assert.deepStrictEqual(replay.leftOut(), { results: 75, services: ["redis"] })
    assert.deepStrictEqual(replay.sent(), [])
    assert.deepStrictEqual(replay.span(), { from: now - 38 * minute, to: now })
    const was = sentBy(policy)
    const known = Replay.known(onlyWeb, was)
    assert.isFalse(known.some(({ services }) => services.includes("redis")))
    const [one] = was
    if (one === undefined) return assert.fail("nothing was sent")
    const both = { ...one, services: ["redis", "web"] }
    assert.deepStrictEqual(Replay.known(onlyWeb, [both]), [{ ...both, services: ["web"] }])
    const leftOut = { ...replay.leftOut(), alerts: was.length - known.length }
    const report = { results: 75, span: replay.span(), rows: [], leftOut }
    assert.strictEqual(
      SimulatePage.lines(report, WallTime.utc)[1],
      "Left out: 75 results and 2 alerts of 1 service that this configuration does not have (redis)"
    )
    assert.deepStrictEqual(Replay.toDocument(report).left_out, leftOut)
  })

  it("finds what is on both sides, though a program looked a little later", () => {
    const was = sentBy(policy)
    const late = was.map((one) => ({ ...one, at: one.at + 150 }))
    const rows = Replay.compare(late, was)
    assert.strictEqual(rows.length, was.length)
    assert.isTrue(rows.every((row) => row.was !== undefined && row.would !== undefined))
    assert.deepStrictEqual(
      Replay.counts(Replay.compare(was, sentBy(patient))).find(({ channel }) => channel === "ops"),
      { channel: "ops", was_sent: 2, would_be_sent: 0, in_both: 0 }
    )
  })

  it("puts the nearest two side by side, though another one is near as well", () => {
    const [one] = sentBy(policy)
    if (one === undefined) return assert.fail("nothing was sent")
    const was = [one, { ...one, at: one.at + 50_000 }]
    const would = [{ ...one, at: one.at + 49_999 }]
    assert.deepStrictEqual(
      Replay.compare(was, would).map((row) => row.would?.at),
      [undefined, one.at + 49_999]
    )
  })

  it("sends the same again where a channel failed for good, and came back", () => {
    const at = now - 15.5 * minute
    let state = AlertPolicy.initial
    const pending = past
      .filter((event) => event.at <= at)
      .flatMap((event) => {
        const [next, decisions] = AlertPolicy.advance(policy, state, event)
        state = next
        return decisions.flatMap(({ alerts }) => alerts)
      })
      .filter(({ channel }) => channel === "ops")
    assert.deepStrictEqual(
      pending.map(({ kind }) => kind),
      ["opened"]
    )
    const failed: Event = {
      _tag: "ChannelDisabled",
      at: at + 1,
      channel: "ops",
      why: "403",
      pending
    }
    const back: Event = { _tag: "ChannelEnabled", at: at + 2, channel: "ops" }
    const redis = sentBy(policy, inOrder(...past, failed, back)).filter(
      ({ channel, services }) => channel === "ops" && services.includes("redis")
    )
    assert.deepStrictEqual(shown(redis), ["ops opened", "ops opened", "ops resolved"])
  })

  it("loses nothing of either side", () => {
    const sent = FastCheck.array(
      FastCheck.record({
        at: FastCheck.nat(500_000),
        channel: FastCheck.constantFrom("ops", "log"),
        kind: FastCheck.constantFrom("opened" as const, "resolved" as const),
        services: FastCheck.constantFrom(["redis"], ["web"], ["redis", "web"]),
        title: FastCheck.constant("a title")
      })
    )
    FastCheck.assert(
      FastCheck.property(sent, sent, (was, would) => {
        const rows = Replay.compare(was, would)
        const of = (side: "was" | "would") => rows.flatMap((row) => row[side] ?? [])
        assert.sameMembers(of("was"), was)
        assert.sameMembers(of("would"), would)
        assert.deepStrictEqual(
          rows.map(({ at }) => at),
          rows.map(({ at }) => at).sort((one, other) => one - other)
        )
      })
    )
  })
})

describe("the page of holter simulate", () => {
  it("has both columns and the sums", () => {
    const rows = Replay.compare(sentBy(policy), sentBy(patient)).filter(
      ({ channel }) => channel === "ops"
    )
    const page = SimulatePage.lines(
      {
        results: 75,
        span: { from: now - minute, to: now },
        rows,
        leftOut: nothing
      },
      WallTime.utc
    )
    assert.strictEqual(page.join("\n"), sample)
  })

  it("says that there is nothing", () => {
    assert.deepStrictEqual(
      SimulatePage.lines({ results: 0, span: undefined, rows: [], leftOut: nothing }, WallTime.utc),
      ["Nothing was recorded in that time"]
    )
    const quiet = SimulatePage.lines(
      {
        results: 3,
        span: { from: now, to: now },
        rows: [],
        leftOut: nothing
      },
      WallTime.utc
    )
    assert.strictEqual(quiet.at(-1), "No alert was sent, and none would be")
  })

  it("tells how far it is", () => {
    assert.strictEqual(
      SimulatePage.progress(1200, now - minute, now - 4 * minute, now, WallTime.utc),
      "Replaying  75 %  1,200 results, up to 2025-12-11 11:59:00 UTC"
    )
  })
})

const nothing = { results: 0, services: [], alerts: 0 }

const sample = `Replayed 75 results, 2025-12-11 11:59:00 to 2025-12-11 12:00:00 UTC

CHANNEL  WAS SENT  WOULD BE SENT  IN BOTH
ops             2              0        0
in all          2              0        0

WHEN (UTC)           CHANNEL  WAS SENT                         WOULD BE SENT
2025-12-11 11:44:10  ops      redis is unhealthy               -
2025-12-11 11:46:10  ops      redis is healthy again after 3m  -`
