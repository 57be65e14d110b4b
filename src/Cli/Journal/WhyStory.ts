/**
 * What was decided about one service and why, as programs read it. Pure.
 */
import type { Alert, Kind } from "../../Alert/Alert.js"
import type { Decision, Policy } from "../../Alert/AlertPolicy.js"
import { rulesOf } from "../../Alert/AlertPolicy/Policy.js"
import type { Status } from "../../Check/CheckResult.js"
import type { Delivery, JournaledIncident, JournaledResult } from "../../Monitor/Journal.js"
import * as DeliveryWords from "./DeliveryWords.js"
import * as Moments from "./moments.js"
import * as Suppressions from "./Suppressions.js"

export interface Facts {
  readonly service: string
  /** The moment that is asked about, in milliseconds of the wall clock, as all times here. */
  readonly at: number
  readonly now: number
  readonly policy: Policy
  /** Whether the configuration still checks the service; what it does not name has no thresholds. */
  readonly isConfigured: boolean
  /** The one that was open then, or the last one where nothing was asked. */
  readonly incident: JournaledIncident | undefined
  /** Of the service and the span that is told, oldest first. */
  readonly results: ReadonlyArray<JournaledResult>
  /** The same, and those on no service in particular. */
  readonly decisions: ReadonlyArray<Decision>
  /** Those that the decisions owe, also where the decision on another service has them. */
  readonly alerts: ReadonlyArray<Alert>
  /** What became of them, by key. */
  readonly deliveries: ReadonlyMap<string, Delivery>
  /** The maintenances and silences that are in force, where the moment is now. */
  readonly quiet: ReadonlyArray<Suppressions.SuppressionDocument>
}

export type Entry =
  | {
      readonly type: "results"
      readonly at: string
      readonly until: string
      readonly status: Status
      readonly count: number
      readonly message: string
    }
  | {
      readonly type: "decision"
      readonly at: string
      readonly decision: Decision["_tag"]
      readonly rule: Decision["rule"]
      readonly reason: string | null
      readonly why: string
      readonly channels: ReadonlyArray<string>
      /** Of them, those that do not have it. */
      readonly untaken: ReadonlyArray<string>
    }

export type WhyStory = ReturnType<typeof make>

export const make = (facts: Facts) => {
  const { at, decisions, incident, now, policy, results, service } = facts
  const rules = rulesOf(policy, service)
  const own = decisions.filter((one) => isAbout(one, service, incident?.id))
  const told = own.flatMap((one) => toldBy(facts, one))
  return {
    service,
    label: rules.label,
    link: rules.link ?? null,
    runbook: rules.runbook ?? null,
    timestamp: Moments.iso(now),
    at: Moments.iso(at),
    incident:
      incident === undefined
        ? null
        : {
            id: incident.id,
            severity: incident.severity,
            cause: incident.cause,
            since: Moments.iso(incident.since),
            opened: Moments.iso(incident.opened_at),
            ended: incident.ended_at === null ? null : Moments.iso(incident.ended_at)
          },
    configured: facts.isConfigured,
    thresholds: facts.isConfigured
      ? {
          failures: rules.failureThreshold,
          successes: rules.recoveryThreshold,
          interval_ms: rules.interval,
          critical: rules.critical,
          depends_on: rules.dependsOn
        }
      : null,
    quiet: facts.quiet.filter((one) => Suppressions.covers(one, service)),
    told,
    /** Where nobody was told: the last thing that was decided about that. */
    untold_because: told.length > 0 ? null : (heldBack(own)?.why ?? null),
    timeline: timeline(results, decisions, facts)
  }
}

export interface Told {
  /** When it was decided. */
  readonly at: string
  readonly channel: string
  readonly kind: Kind | null
  readonly rule: Decision["rule"]
  /** Whether the channel has it, since when, or why not. */
  readonly delivery: DeliveryWords.Document
}

const isAbout = (decision: Decision, service: string, incident: string | undefined): boolean =>
  decision.service === service &&
  (incident === undefined || decision.incident === null || decision.incident === incident)

const toldBy = (facts: Facts, decision: Decision): ReadonlyArray<Told> =>
  decision.channels.map((channel) => ({
    at: Moments.iso(decision.at),
    channel,
    kind: kindOf(decision),
    rule: decision.rule,
    delivery: DeliveryWords.toDocument(
      facts.deliveries.get(alertOf(facts, decision, channel)?.key ?? "")
    )
  }))

/** Of several services that are told together the decision on the first one has the alert. */
const alertOf = ({ alerts }: Facts, decision: Decision, channel: string): Alert | undefined =>
  decision.alerts.find((alert) => alert.channel === channel) ??
  alerts.find(
    (alert) =>
      alert.channel === channel &&
      alert.at.epochMillis === decision.at &&
      (alert.kind === "resolved") === (decision._tag === "Resolved") &&
      alert.subjects.some(({ incident }) => incident === decision.incident)
  )

const kindOf = ({ _tag }: Decision): Kind | null => {
  switch (_tag) {
    case "Opened":
      return "opened"
    case "Escalated":
      return "escalated"
    case "Reminder":
      return "reminder"
    case "Resolved":
      return "resolved"
    case "Suppressed":
    case "Nothing":
      return null
  }
}

/** A message that was held back says more than a result that was noted after it. */
const heldBack = (own: ReadonlyArray<Decision>): Decision | undefined =>
  own.findLast(({ _tag }) => _tag === "Suppressed") ??
  own.findLast((one) => one._tag === "Nothing" && telling.has(one.reason)) ??
  own.at(-1)

const telling: ReadonlySet<string> = new Set(["NoRoute", "NeverTold", "BelowThreshold", "GivenUp"])

const timeline = (
  results: ReadonlyArray<JournaledResult>,
  decisions: ReadonlyArray<Decision>,
  facts: Facts
): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  let next = 0
  let previous = 0
  const decided = (before: number) => {
    for (let one = decisions[next]; one !== undefined && one.at < before; one = decisions[++next]) {
      entries.push(entryOf(one, facts))
    }
  }
  for (const result of results) {
    // The clock was set back: what is decided in its future was decided before that.
    if (result.at < previous) {
      for (let one = decisions[next]; one !== undefined && one.at > result.at; ) {
        entries.push(entryOf(one, facts))
        one = decisions[++next]
      }
    }
    previous = result.at
    decided(result.at)
    const last = entries.at(-1)
    if (last?.type === "results" && last.status === result.status) {
      entries[entries.length - 1] = {
        ...last,
        until: Moments.iso(result.at),
        count: last.count + 1,
        message: result.message
      }
    } else entries.push(runOf(result))
  }
  decided(Number.POSITIVE_INFINITY)
  return entries
}

const runOf = ({ at, message, status }: JournaledResult): Entry => ({
  type: "results",
  at: Moments.iso(at),
  until: Moments.iso(at),
  status,
  count: 1,
  message
})

const entryOf = (decision: Decision, facts: Facts): Entry => ({
  type: "decision",
  at: Moments.iso(decision.at),
  decision: decision._tag,
  rule: decision.rule,
  reason: "reason" in decision ? decision.reason : null,
  why: decision.why,
  channels: decision.channels,
  untaken: toldBy(facts, decision)
    .filter(({ delivery }) => !DeliveryWords.isTaken(delivery))
    .map(({ channel }) => channel)
})
