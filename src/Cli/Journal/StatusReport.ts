/**
 * What the journal says about now, as programs read it. Pure.
 */
import { HashMap, Option } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import { rulesOf } from "../../Alert/AlertPolicy/Policy.js"
import { overall, type Status, weigh } from "../../Check/CheckResult.js"
import * as Rhythm from "../../Check/Heartbeat/Rhythm.js"
import type { Delivery, JournaledResult } from "../../Monitor/Journal.js"
import * as DeliveryWords from "./DeliveryWords.js"
import { iso } from "./moments.js"
import * as Suppressions from "./Suppressions.js"

export interface Facts {
  /** Milliseconds of the wall clock, as all times here. */
  readonly now: number
  readonly place: string
  readonly policy: AlertPolicy.Policy
  readonly state: AlertPolicy.State
  /** The newest results of each service, oldest first. */
  readonly results: ReadonlyMap<string, ReadonlyArray<JournaledResult>>
  readonly owed: ReadonlyArray<Alert>
  /** Why channels do not take them, by the key of the alert. */
  readonly deliveries: ReadonlyMap<string, Delivery>
  /** What was left for the watching program and not taken yet. */
  readonly requests: number
}

export type StatusReport = ReturnType<typeof make>
export type ServiceStatus = StatusReport["services"][string]

export const make = (facts: Facts) => {
  const names = inOrder(facts)
  const services = Object.fromEntries(names.map((name) => [name, serviceOf(facts, name)]))
  const all = Object.values(services)
  const last = Math.max(...[...facts.results.values()].flatMap((some) => some.at(-1)?.at ?? []))
  const running = all.some(({ last_check, stale }) => last_check !== null && !stale)
  const known = overall(
    names.map((name) =>
      weigh(services[name]?.status ?? "unknown", rulesOf(facts.policy, name).critical)
    )
  )
  return {
    // What nobody looks at any more is not known, however well it was.
    overall_status: running ? known : ("unknown" as const),
    timestamp: iso(facts.now),
    services,
    failure_counts: Object.fromEntries(all.map(({ failures, name }) => [name, failures])),
    success_counts: Object.fromEntries(all.map(({ name, successes }) => [name, successes])),
    journal: facts.place,
    watch: {
      running,
      last_result: Number.isFinite(last) ? iso(last) : null,
      last_known_status: known,
      requests_waiting: facts.requests
    },
    quiet: Suppressions.documents(facts.state),
    disabled_channels: facts.state.disabled,
    outbox: facts.owed.map(({ at, channel, key, kind, subjects }) => ({
      key,
      channel,
      kind,
      at: iso(at.epochMillis),
      services: subjects.map(({ service }) => service),
      incidents: subjects.map(({ incident }) => incident),
      delivery: DeliveryWords.toDocument(facts.deliveries.get(key))
    }))
  }
}

/** The configuration's order, then what it does not name. */
const inOrder = ({ policy, results, state }: Facts): ReadonlyArray<string> => {
  const known = new Set([...HashMap.keys(state.checks), ...results.keys()])
  const configured = [...policy.checks.keys()].filter((name) => known.has(name))
  const others = [...known].filter((name) => !policy.checks.has(name)).sort()
  return [...configured, ...others]
}

const serviceOf = (facts: Facts, name: string) => {
  const { now, policy, state } = facts
  const results = facts.results.get(name) ?? []
  const last = results.at(-1)
  const check = Option.getOrUndefined(HashMap.get(state.checks, name))
  const incident = state.incidents[name]
  const wall = (time: number) => iso(time - state.offset)
  const status: Status = last?.status ?? "unknown"
  const { interval, label, link, runbook } = rulesOf(policy, name)
  const allowed = Rhythm.allowed(interval, last?.retry_after_ms ?? 0, policy.staleAfter)
  return {
    name,
    label,
    link: link ?? null,
    runbook: runbook ?? null,
    status,
    response_time_ms: last?.response_time_ms ?? null,
    message: last?.message ?? "Not checked yet",
    last_check: last === undefined ? null : iso(last.at),
    details: last?.details ?? {},
    ...sinceOf(results, status),
    /** Whether its last result is too old to say anything about now. */
    stale: last !== undefined && now - last.at > allowed,
    failures: inARow(results, check?.failures, (one) => one !== "healthy"),
    successes: inARow(results, check?.successes, (one) => one === "healthy"),
    incident:
      incident === undefined
        ? null
        : {
            id: incident.id,
            severity: incident.severity,
            cause: incident.cause,
            since: wall(incident.since),
            opened: wall(incident.opened),
            told: incident.told,
            reminders: incident.reminders,
            next_reminder: incident.remindAt === null ? null : wall(incident.remindAt),
            acknowledged_by: incident.acknowledgedBy,
            flapping: incident.flapping !== null
          }
  }
}

/** When the status of now began, or how far back that is known. */
const sinceOf = (results: ReadonlyArray<JournaledResult>, status: Status) => {
  const before = results.findLastIndex((one) => one.status !== status)
  const first = results[before + 1]
  return {
    since: first === undefined ? null : iso(first.at),
    /** Whether it is not from still earlier. */
    since_is_exact: before >= 0
  }
}

/** What nobody knows counts for neither. Further back than was read, the policy has counted. */
const inARow = (
  results: ReadonlyArray<JournaledResult>,
  counted: number | undefined,
  belongs: (status: Status) => boolean
): number => {
  const known = results.filter(({ status }) => status !== "unknown")
  const before = known.findLastIndex(({ status }) => !belongs(status))
  const seen = known.length - 1 - before
  return before >= 0 ? seen : Math.max(seen, counted ?? 0)
}
