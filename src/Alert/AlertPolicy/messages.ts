/**
 * Turns what is owed to channels into alerts and decisions: one alert for each channel and kind,
 * with all its incidents in it, or one for each incident where a channel wants them apart.
 *
 * @internal
 */
import { DateTime, Duration } from "effect"
import * as Alert from "../Alert.js"
import * as Dependencies from "./dependencies.js"
import * as Draft from "./Draft.js"
import { channelRules } from "./Policy.js"
import type { Decision, Rule } from "./Decision.js"
import type { Incident } from "./State.js"

/** One incident that one channel is told of. */
export interface Owed {
  readonly incident: Incident
  readonly channel: string
  readonly kind: Alert.Kind
  readonly rule: Rule
  readonly why: string
  readonly insteadOf: string | null
  /** When and how it ended and what there was to say then; nothing while it is open. */
  readonly over?: {
    readonly at: number
    readonly message: string
    readonly status: "healthy" | "unknown"
  }
}

type Told = Extract<Decision, { _tag: "Opened" | "Escalated" | "Reminder" | "Resolved" }>

const tags: Readonly<Record<Alert.Kind, Told["_tag"]>> = {
  opened: "Opened",
  stale: "Opened",
  flapping: "Opened",
  escalated: "Escalated",
  reminder: "Reminder",
  resolved: "Resolved",
  // Neither is decided: the notifier makes stories, a person asks for tests.
  story: "Resolved",
  test: "Resolved"
}

export const send = (draft: Draft.Draft, owed: ReadonlyArray<Owed>): void => {
  const alerts = new Map<string, Array<Alert.Alert>>()
  for (const batch of batches(draft, owed)) {
    const alert = alertOf(draft, batch)
    const lead = alert.subjects[0].incident
    alerts.set(lead, [...(alerts.get(lead) ?? []), alert])
  }
  for (const [incident, all] of byIncident(owed)) {
    for (const tag of new Set(all.map(({ kind }) => tags[kind]))) {
      const told = all.filter(({ kind }) => tags[kind] === tag)
      const [first] = told
      if (first === undefined) continue
      const channels = [...new Set(told.map(({ channel }) => channel))]
      const own = (alerts.get(incident) ?? []).filter(({ kind }) => tags[kind] === tag)
      draft.decisions.push({
        ...Draft.common(draft, first.incident, first.rule, first.why),
        _tag: tag,
        channels,
        alerts: own
      })
    }
  }
}

type Batch = readonly [Owed, ...ReadonlyArray<Owed>]

const batches = (draft: Draft.Draft, owed: ReadonlyArray<Owed>): ReadonlyArray<Batch> => {
  const all = new Map<string, Batch>()
  for (const one of owed) {
    const alone = channelRules(draft.policy, one.channel).grouped ? "" : one.incident.id
    const key = JSON.stringify([one.channel, one.kind, one.insteadOf, alone])
    const batch = all.get(key)
    all.set(key, batch === undefined ? [one] : [...batch, one])
  }
  return [...all.values()]
}

const byIncident = (owed: ReadonlyArray<Owed>): ReadonlyMap<string, ReadonlyArray<Owed>> => {
  const all = new Map<string, ReadonlyArray<Owed>>()
  for (const one of owed) all.set(one.incident.id, [...(all.get(one.incident.id) ?? []), one])
  return all
}

const alertOf = (draft: Draft.Draft, batch: Batch): Alert.Alert => {
  const { channel, insteadOf, kind } = batch[0]
  const services = new Set(batch.map(({ incident }) => incident.service))
  const affected = kind === "resolved" ? [] : affectedBy(draft, services)
  const [lead, ...rest] = rootFirst(draft, batch)
  return {
    key: Alert.key(idsOf(lead)[0], channel, kind, lead.incident.messages + 1),
    channel,
    kind,
    severity: Alert.worst(batch.map(routed)),
    at: DateTime.unsafeMake(draft.wall),
    subjects: [subjectOf(draft, lead), ...rest.map((one) => subjectOf(draft, one))],
    affected,
    ...labelled(draft, affected),
    insteadOf,
    story: [],
    ...(draft.policy.timeZone === undefined ? {} : { timeZone: draft.policy.timeZone })
  }
}

const labelled = (
  draft: Draft.Draft,
  affected: ReadonlyArray<string>
): Pick<Alert.Alert, "affectedLabels"> => {
  const labels = affected.map((service) => Draft.rules(draft, service).label)
  return labels.every((label, index) => label === affected[index]) ? {} : { affectedLabels: labels }
}

/** A reminder goes, and is handed on, the way of what it reminds of, though that may be less bad now. */
const routed = ({ channel, incident, kind }: Owed): Alert.Severity =>
  kind === "reminder" ? (incident.told[channel] ?? incident.severity) : incident.severity

/** The ids under which this channel, or the one that it stands in for, knows the incident. */
const idsOf = ({ channel, incident, insteadOf }: Owed): readonly [string, ...Array<string>] => {
  const names = incident.names[channel] ?? incident.names[insteadOf ?? channel] ?? []
  const [first = incident.id, ...others] = names
  return [first, ...others]
}

const subjectOf = (draft: Draft.Draft, owed: Owed): Alert.Subject => {
  const { channel, incident, over } = owed
  const [id, ...also] = idsOf(owed)
  const check = Draft.check(draft, incident.service)
  const duration = (over?.at ?? draft.now) - incident.since
  const others = Object.keys(incident.told).filter((name) => name !== channel)
  return {
    service: incident.service,
    ...Draft.guidance(draft, incident),
    incident: id,
    ...(over === undefined || also.length === 0 ? {} : { also }),
    status: over?.status ?? check.status,
    previous:
      over === undefined ? (incident.told[channel] ?? incident.previous) : incident.severity,
    severity: incident.severity,
    since: DateTime.unsafeMake(Draft.toWall(draft, incident.since)),
    duration: Duration.millis(duration),
    message: over?.message ?? check.message,
    over: over !== undefined,
    ...(over === undefined || others.length === 0 ? {} : { others })
  }
}

/** Services whose outage one of these explains. */
const affectedBy = (draft: Draft.Draft, services: ReadonlySet<string>): ReadonlyArray<string> =>
  Draft.incidents(draft)
    .filter((incident) => {
      if (services.has(incident.service)) return false
      const root = Dependencies.blockOf(draft, incident)?.root
      return root !== undefined && services.has(root)
    })
    .map(({ service }) => service)

/** What others depend on, then what is worse, then what began first. */
const rootFirst = (draft: Draft.Draft, batch: Batch): Batch => {
  const [first, ...rest] = batch
  if (rest.length === 0) return batch
  const dependents = (service: string) =>
    [...draft.policy.checks.values()].filter((rules) => rules.dependsOn.includes(service)).length
  const order = (one: Owed, other: Owed): number =>
    dependents(other.incident.service) - dependents(one.incident.service) ||
    Number(Alert.isWorse(other.incident.severity, one.incident.severity)) -
      Number(Alert.isWorse(one.incident.severity, other.incident.severity)) ||
    one.incident.since - other.incident.since
  const [lead = first, ...others] = [...batch].sort(order)
  return [lead, ...others]
}
