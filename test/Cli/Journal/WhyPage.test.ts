import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import type { Alert } from "../../../src/Alert/Alert.js"
import type { Delivery } from "../../../src/Monitor/Journal.js"
import * as WallTime from "../../../src/Common/WallTime.js"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import * as Suppressions from "../../../src/Cli/Journal/Suppressions.js"
import * as WhyPage from "../../../src/Cli/Journal/WhyPage.js"
import * as WhyStory from "../../../src/Cli/Journal/WhyStory.js"
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
const look = { emoji: true, color: true }

const storyOf = (
  events: ReadonlyArray<Event>,
  withIncident = true,
  became: (alert: Alert) => Delivery | undefined = () => undefined
) => {
  let state = AlertPolicy.initial
  const decisions: Array<AlertPolicy.Decision> = []
  for (const event of events) {
    const [next, decided] = AlertPolicy.advance(policy, state, event)
    state = next
    decisions.push(...decided.filter(({ rule, _tag }) => _tag !== "Nothing" || rule !== "steady"))
  }
  const open = state.incidents["redis"]
  return WhyStory.make({
    service: "redis",
    at: now,
    now,
    policy,
    isConfigured: policy.checks.has("redis"),
    incident:
      open === undefined || !withIncident
        ? undefined
        : {
            id: open.id,
            service: "redis",
            severity: open.severity,
            cause: open.cause,
            since: open.since,
            opened_at: open.opened,
            ended_at: null
          },
    results: events.flatMap((one) =>
      one._tag === "Result" && one.service === "redis"
        ? [{ ...one, response_time_ms: 12, reason: null, retry_after_ms: null, details: {} }]
        : []
    ),
    decisions: decisions.filter(({ service }) => service === "redis" || service === null),
    alerts: decisions.flatMap(({ alerts }) => alerts),
    quiet: Suppressions.documents(state),
    deliveries: new Map(
      decisions
        .flatMap(({ alerts }) => alerts)
        .flatMap((alert) => {
          const delivery = became(alert)
          return delivery === undefined ? [] : [[alert.key, delivery] as const]
        })
    )
  })
}

const outage = results("redis", now - 3 * second, [
  ...times(6, "healthy"),
  ...times(4, "unhealthy")
])
const silenced: Event = {
  _tag: "Silenced",
  at: now - 5 * minute,
  id: "a1",
  services: ["redis"],
  until: now + minute,
  why: "deploy"
}

const pageOf = (
  story: WhyStory.WhyStory,
  look: Parameters<typeof WhyPage.lines>[1],
  zone = WallTime.utc
) => WhyPage.lines(story, look, zone)

describe("the page of holter why", () => {
  it("says what holds messages back now, also of a service that is healthy", () => {
    const maintained = (services: ReadonlyArray<string>): Event => ({
      ...silenced,
      _tag: "MaintenanceStarted",
      id: "b2",
      services
    })
    const page = (services: ReadonlyArray<string>) =>
      pageOf(
        storyOf(
          inOrder(
            restarted(now - 9 * minute),
            ...results("redis", now, times(9, "healthy")),
            maintained(services)
          )
        ),
        look
      )
    const line = "   Held back now by maintenance b2, until 2025-12-11 12:01:00 UTC (deploy)"
    assert.include(page(["redis"]), line)
    assert.notInclude(page(["web"]), line)
  })

  it("tells the results, the rules, and who was told", () => {
    const page = pageOf(storyOf(outage), look)
    assert.strictEqual(page.join("\n"), sample)
  })

  it("shows no thresholds of a check that is not configured any more, and says so", () => {
    const gone = { ...storyOf(outage), configured: false, thresholds: null }
    const page = pageOf(gone, look).join("\n")
    assert.include(
      page,
      "   The configuration does not check it any more; this is what the journal"
    )
    assert.notMatch(page, /is due every/)
    assert.include(page, "What happened (UTC):")
  })

  it("has its times in the zone of who reads", () => {
    const page = pageOf(storyOf(outage), look, DateTime.zoneUnsafeMakeNamed("Europe/Berlin"))
    assert.match(page[0] ?? "", /since 2025-12-11 12:58:27 \+01:00 \(2m\)/)
    assert.include(page, "What happened (Europe/Berlin):")
    assert.include(page, "  2025-12-11 12:58:27  ❌ unhealthy: connection refused")
    assert.notMatch(page.join("\n"), / 11:5/)
  })

  const told = / notified ops \(opened/
  const untold = /not taken by ops \(opened/

  for (const [what, delivery, line, entry] of [
    [
      "has it",
      { outcome: "delivered", at: now - second, trouble: null },
      "Notified: ops (opened) at 2025-12-11 11:59:59 UTC",
      told
    ],
    [
      "is about to be asked",
      { outcome: "queued", at: null, trouble: null },
      "Not delivered yet: ops (opened), queued since 2025-12-11 11:59:37 UTC",
      untold
    ],
    [
      "did not take it, and is tried again",
      {
        outcome: "queued",
        at: null,
        trouble: { at: now, failures: 4, error: "it answered 500", nextAttempt: now + 8 * second }
      },
      "Not delivered yet: ops (opened), pending since 2025-12-11 11:59:37 UTC: 4 attempts failed (it answered 500), the next one is at 2025-12-11 12:00:08 UTC",
      untold
    ],
    [
      "is disabled",
      {
        outcome: "queued",
        at: null,
        trouble: { at: now, failures: 0, error: "chat not found", nextAttempt: null }
      },
      "Not delivered yet: ops (opened), pending since 2025-12-11 11:59:37 UTC: the channel is disabled (chat not found)",
      untold
    ],
    [
      "is replaced by its fallback",
      { outcome: "handed on", at: now, trouble: null },
      "Not notified: ops (opened), handed on at 2025-12-11 12:00:00 UTC to another channel",
      untold
    ],
    [
      "is no longer there",
      { outcome: "given up", at: now, trouble: null },
      "Not notified: ops (opened), given up at 2025-12-11 12:00:00 UTC, as the channel is no longer configured",
      untold
    ]
  ] as const satisfies ReadonlyArray<readonly [string, Delivery, string, RegExp]>) {
    it(`tells apart whether the channel ${what}`, () => {
      const page = pageOf(
        storyOf(outage, true, () => delivery),
        look
      )
      assert.strictEqual(page[1], `   ${line}`)
      assert.match(page.find((one) => one.includes("ops (opened, rule")) ?? "", entry)
    })
  }

  it("finds the alert of a service that was told together with another one", () => {
    const both = inOrder(
      ...outage,
      ...results("db", now - 4 * second, [...times(6, "healthy"), ...times(4, "unhealthy")])
    )
    const story = storyOf(both, true, ({ at }) => ({
      outcome: "queued",
      at: at.epochMillis,
      trouble: null
    }))
    assert.deepStrictEqual(
      story.told.map(({ channel, delivery }) => `${channel} ${delivery.state}`),
      ["ops queued"]
    )
  })

  it("says why nobody was told", () => {
    const story = storyOf(inOrder(silenced, ...outage))
    assert.deepStrictEqual(story.told, [])
    assert.include(story.untold_because ?? "", "deploy")
    const page = pageOf(story, look)
    assert.match(page[1] ?? "", /^ {3}No channel was notified: .*deploy/)
    assert.isTrue(page.some((line) => line.includes('held back by the rule "silence"')))
    const few = storyOf(results("redis", now, [...times(5, "healthy"), ...times(2, "unhealthy")]))
    assert.include(few.untold_because ?? "", "failure 2 of the 3 in a row")
  })

  it("has of another incident what led there only", () => {
    const twice = results("redis", now, [
      ...times(4, "unhealthy"),
      ...times(4, "healthy"),
      ...times(4, "unhealthy")
    ])
    const story = storyOf(inOrder(restarted(now - 10 * minute), ...twice))
    assert.deepStrictEqual(
      story.told.map(({ channel, kind }) => `${channel} ${kind}`),
      ["ops opened"]
    )
    assert.isAbove(story.timeline.filter((one) => one.type === "decision").length, 6)
  })

  it("tells of a time without an incident too", () => {
    const page = pageOf(storyOf(results("redis", now, times(3, "healthy"))), look)
    assert.strictEqual(page[0], "✅ redis is healthy; no incident is open")
    assert.isNotEmpty(pageOf(storyOf([]), look))
  })
})

const sample = `❌ redis is unhealthy since 2025-12-11 11:58:27 UTC (2m); incident ${storyOf(outage).incident?.id}
   Notified: ops (opened) at 2025-12-11 11:59:37 UTC
   3 failures in a row open an incident, 2 in a row that are healthy end it; a result is due every 30s

What happened (UTC):
  2025-12-11 11:55:27  ✅ healthy, 6 times until 2025-12-11 11:57:57: PONG
  2025-12-11 11:58:27  ❌ unhealthy: connection refused
                          rule "threshold": connection refused: failure 1 of the 3 in a row that open an incident
  2025-12-11 11:58:57  ❌ unhealthy: connection refused
                          rule "threshold": connection refused: failure 2 of the 3 in a row that open an incident
  2025-12-11 11:59:27  ❌ unhealthy: connection refused
                          rule "threshold": connection refused: 3 failures in a row: an incident is open (unhealthy)
  2025-12-11 11:59:37     notified ops (opened, rule "threshold"): connection refused: unhealthy for 1m 10s
  2025-12-11 11:59:57  ❌ unhealthy: connection refused`
