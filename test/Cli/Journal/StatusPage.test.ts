import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import type { Status } from "../../../src/Check/CheckResult.js"
import type { Alert } from "../../../src/Alert/Alert.js"
import type { Trouble } from "../../../src/Alert/Outbox.js"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import * as StatusPage from "../../../src/Cli/Journal/StatusPage.js"
import * as StatusReport from "../../../src/Cli/Journal/StatusReport.js"
import * as WallTime from "../../../src/Common/WallTime.js"
import type { JournaledResult } from "../../../src/Monitor/Journal.js"
import {
  type Event,
  inOrder,
  minute,
  policy,
  restarted,
  results,
  second,
  times
} from "./recorder.js"

const now = Date.UTC(2025, 11, 11, 12, 0, 0)
const plain = { emoji: false, color: false }
const emoji = { emoji: true, color: true }

const journaled = (events: ReadonlyArray<Event>, service: string): ReadonlyArray<JournaledResult> =>
  events.flatMap((one) =>
    one._tag === "Result" && one.service === service
      ? [
          {
            at: one.at,
            service,
            status: one.status,
            message: one.message,
            response_time_ms: 12.5,
            reason: null,
            retry_after_ms: one.retryAfter,
            details: {}
          }
        ]
      : []
  )

const owedOf = (events: ReadonlyArray<Event>): ReadonlyArray<Alert> => {
  let state = AlertPolicy.initial
  return events.flatMap((event) => {
    const [next, decisions] = AlertPolicy.advance(policy, state, event)
    state = next
    return decisions.flatMap(({ alerts }) => alerts)
  })
}

const reportOf = (events: ReadonlyArray<Event>, more: Partial<StatusReport.Facts> = {}) => {
  let state = AlertPolicy.initial
  for (const event of events) state = AlertPolicy.advance(policy, state, event)[0]
  return StatusReport.make({
    now,
    place: "/app/data/holter.db",
    policy,
    state,
    results: new Map(["redis", "web"].map((name) => [name, journaled(events, name)])),
    owed: [],
    deliveries: new Map(),
    requests: 0,
    ...more
  })
}

const down = (last: number, web: Status = "healthy") =>
  inOrder(
    restarted(last - 10 * minute),
    ...results("redis", last - 3 * second, [...times(10, "healthy"), ...times(10, "unhealthy")]),
    ...results("web", last - 5 * second, times(20, web))
  )

const pageOf = (
  report: StatusReport.StatusReport,
  look: Parameters<typeof StatusPage.lines>[1],
  zone = WallTime.utc
) => StatusPage.lines(report, look, zone)

describe("the page of holter status", () => {
  it("has the worst first, then each service and what is known of its incident", () => {
    assert.strictEqual(pageOf(reportOf(down(now)), emoji).join("\n"), sample)
  })

  it("has its times in the zone of who reads", () => {
    const page = pageOf(
      reportOf(down(now)),
      plain,
      DateTime.zoneUnsafeMakeNamed("America/New_York")
    )
    assert.match(
      page.at(-1) ?? "",
      /since 2025-12-11 06:55:27 -05:00 .*at 2025-12-11 07:11:37 -05:00$/
    )
  })

  it("knows nothing where nobody has looked for a while", () => {
    const report = reportOf(down(now - 60 * minute))
    assert.strictEqual(report.overall_status, "unknown")
    assert.isFalse(report.watch.running)
    assert.strictEqual(report.watch.last_known_status, "unhealthy")
    const [first, second] = pageOf(report, plain)
    assert.strictEqual(first, "[unknown] Nothing is known now; it was unhealthy")
    assert.match(second ?? "", /does not seem to run: the last result is from 1h|60m ago/)
  })

  it("knows nothing where there is nothing", () => {
    const report = reportOf([], { results: new Map() })
    assert.strictEqual(report.overall_status, "unknown")
    assert.isNull(report.watch.last_result)
    assert.isFalse(report.watch.running)
    assert.isNotEmpty(pageOf(report, plain))
  })

  it("does not call stale what was never checked", () => {
    const started = inOrder(restarted(now - minute), ...results("redis", now, ["healthy"]))
    const report = reportOf(started)
    assert.isFalse(report.services["web"]?.stale)
    assert.isTrue(report.watch.running)
    assert.strictEqual(pageOf(report, plain)[0], "[ok] 1 of 2 services healthy; unknown: web")
  })

  it("allows a service that asked to be left alone no more than an hour, as alerts do", () => {
    const asked = (minutes: number): ReadonlyArray<Event> =>
      results("redis", now - minutes * minute, ["degraded"]).map((one) =>
        one._tag === "Result" ? { ...one, retryAfter: 24 * 60 * minute } : one
      )
    assert.isFalse(reportOf(asked(60)).services["redis"]?.stale)
    assert.isTrue(reportOf(asked(70)).services["redis"]?.stale)
  })

  it("is no worse than degraded because of what is not critical", () => {
    const events = inOrder(
      ...results("redis", now, times(5, "healthy")),
      ...results("web", now, times(5, "unhealthy"))
    )
    assert.strictEqual(reportOf(events).overall_status, "degraded")
  })

  it("counts results in a row, and what the policy counted before those that were read", () => {
    const report = reportOf(down(now))
    assert.deepStrictEqual(report.failure_counts, { redis: 10, web: 0 })
    assert.deepStrictEqual(report.success_counts, { redis: 0, web: 20 })
    const results = new Map([["web", journaled(down(now), "web").slice(-3)]])
    assert.strictEqual(reportOf(down(now), { results }).success_counts["web"], 20)
  })

  it("says who is not told, and what is owed", () => {
    const silenced: Event = {
      _tag: "Silenced",
      at: now - minute,
      id: "a1",
      services: null,
      until: now + 60 * minute,
      why: "moving\nhouse"
    }
    const disabled: Event = {
      _tag: "ChannelDisabled",
      at: now - 30 * second,
      channel: "ops",
      why: "chat not found",
      pending: []
    }
    const page = pageOf(
      reportOf(inOrder(...down(now - 2 * minute), silenced, disabled), { requests: 2 }),
      plain
    ).join("\n")
    assert.include(page, "every service: silence a1, until 2025-12-11 13:00:00 UTC (moving house)")
    assert.include(page, "ops: chat not found")
    assert.include(page, "2 requests not taken by it yet")
  })

  it("says who has not been told yet, and why", () => {
    const [opened] = owedOf(down(now))
    if (opened === undefined) return assert.fail("nothing is owed")
    const pageWith = (trouble: Trouble | null) =>
      pageOf(
        reportOf(down(now), {
          owed: [opened],
          deliveries: new Map([[opened.key, { outcome: "queued" as const, at: null, trouble }]])
        }),
        plain
      ).join("\n")
    assert.match(pageWith(null), /no channel has been notified yet .*; pending for: ops; next/)
    assert.match(pageWith(null), /\n {2}ops: opened, redis, since 2025-12-11 11:56:37 UTC$/)
    const trouble = { at: now, failures: 2, error: "HTTP\n500", nextAttempt: now + 4000 }
    assert.match(
      pageWith(trouble),
      /11:56:37 UTC: 2 attempts failed \(HTTP 500\), the next one is at 2025-12-11 12:00:04 UTC$/
    )
    assert.match(
      pageWith({ ...trouble, nextAttempt: null }),
      /11:56:37 UTC: the channel is disabled \(HTTP 500\)$/
    )
  })
})

const sample = `❌ unhealthy: redis
   holter watch runs: the last result is from 3s ago

   SERVICE  STATUS     FOR    RESPONSE  CHECKED  MESSAGE
❌ redis    unhealthy  5m        13 ms  3s ago   connection refused
✅ web      healthy    > 10m     13 ms  5s ago   PONG

Open incidents:
  redis: unhealthy since 2025-12-11 11:55:27 UTC (5m); notified: ops; next reminder at 2025-12-11 12:11:37 UTC`
