/**
 * Makes alerts of the notifications that nothing holds back: one for each channel and kind, with all its
 * incidents in it, or one for each incident where a channel wants them apart.
 *
 * @internal
 */
import { DateTime, Duration } from "effect"
import * as Alert from "../Alert.js"
import type { Decision } from "./Decision.js"
import * as Inhibition from "./inhibition.js"
import type { Message, Notification } from "./Notification.js"
import { channelRules } from "./Policy.js"
import * as Reminders from "./reminders.js"
import * as Resolving from "./resolving.js"
import * as Routing from "./routing.js"
import * as Step from "./Step.js"

export const send: Step.Stage = (step) => {
  if (step.notifications.length === 0) return step
  const messages = step.notifications.flatMap((one) => messagesOf(step, one))
  const alerts = new Map<string, Array<Alert.Alert>>()
  for (const batch of batches(step, messages)) {
    const alert = alertOf(step, batch)
    const lead = alert.subjects[0].incident
    alerts.set(lead, [...(alerts.get(lead) ?? []), alert])
  }
  const decisions = [...byIncident(messages)].flatMap(([incident, all]) =>
    [...new Set(all.map(({ kind }) => tags[kind]))].flatMap((tag): ReadonlyArray<Decision> => {
      const sent = all.filter(({ kind }) => tags[kind] === tag)
      const [first] = sent
      if (first === undefined) return []
      const channels = [...new Set(sent.map(({ channel }) => channel))]
      const own = (alerts.get(incident) ?? []).filter(({ kind }) => tags[kind] === tag)
      const common = Step.common(step, first.incident, first.rule, first.why)
      return [{ ...common, _tag: tag, channels, alerts: own }]
    })
  )
  return decisions.length === 0 ? step : Step.decide(step, ...decisions)
}

const messagesOf = (step: Step.Step, one: Notification): ReadonlyArray<Message> => {
  switch (one.about) {
    case "change":
      return Routing.messages(step, one)
    case "reminder":
      return Reminders.messages(step, one)
    case "end":
      return Resolving.messages(step, one)
  }
}

type Sent = Extract<Decision, { _tag: "Opened" | "Escalated" | "Reminder" | "Resolved" }>

const tags: Readonly<Record<Alert.Kind, Sent["_tag"]>> = {
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

type Batch = readonly [Message, ...ReadonlyArray<Message>]

const batches = (step: Step.Step, messages: ReadonlyArray<Message>): ReadonlyArray<Batch> => {
  const all = new Map<string, Batch>()
  for (const one of messages) {
    const alone = channelRules(step.policy, one.channel).grouped ? "" : one.incident.id
    const key = JSON.stringify([one.channel, one.kind, one.insteadOf, alone])
    const batch = all.get(key)
    all.set(key, batch === undefined ? [one] : [...batch, one])
  }
  return [...all.values()]
}

const byIncident = (
  messages: ReadonlyArray<Message>
): ReadonlyMap<string, ReadonlyArray<Message>> => {
  const all = new Map<string, ReadonlyArray<Message>>()
  for (const one of messages) all.set(one.incident.id, [...(all.get(one.incident.id) ?? []), one])
  return all
}

const alertOf = (step: Step.Step, batch: Batch): Alert.Alert => {
  const { channel, insteadOf, kind } = batch[0]
  const services = new Set(batch.map(({ incident }) => incident.service))
  const affected = kind === "resolved" ? [] : affectedBy(step, services)
  const [lead, ...rest] = rootFirst(step, batch)
  return {
    key: Alert.key(idsOf(lead)[0], channel, kind, lead.incident.messages + 1),
    channel,
    kind,
    severity: Alert.worst(batch.map(routed)),
    at: DateTime.unsafeMake(step.wall),
    subjects: [subjectOf(step, lead), ...rest.map((one) => subjectOf(step, one))],
    affected,
    ...labelled(step, affected),
    insteadOf,
    story: [],
    ...(step.policy.timeZone === undefined ? {} : { timeZone: step.policy.timeZone })
  }
}

const labelled = (
  step: Step.Step,
  affected: ReadonlyArray<string>
): Pick<Alert.Alert, "affectedLabels"> => {
  const labels = affected.map((service) => Step.label(step, service))
  return labels.every((label, index) => label === affected[index]) ? {} : { affectedLabels: labels }
}

/** A reminder goes, and is handed on, the way of what it reminds of, though that may be less bad now. */
const routed = ({ channel, incident, kind }: Message): Alert.Severity =>
  kind === "reminder" ? (incident.told[channel] ?? incident.severity) : incident.severity

/** The ids under which this channel, or the one that it stands in for, knows the incident. */
const idsOf = ({ channel, incident, insteadOf }: Message): readonly [string, ...Array<string>] => {
  const names = incident.names[channel] ?? incident.names[insteadOf ?? channel] ?? []
  const [first = incident.id, ...others] = names
  return [first, ...others]
}

const subjectOf = (step: Step.Step, message: Message): Alert.Subject => {
  const { channel, incident, over } = message
  const [id, ...also] = idsOf(message)
  const check = Step.check(step, incident.service)
  const duration = (over?.at ?? step.now) - incident.since
  const others = Object.keys(incident.told).filter((name) => name !== channel)
  return {
    service: incident.service,
    ...Step.guidance(step, incident),
    incident: id,
    ...(over === undefined || also.length === 0 ? {} : { also }),
    status: over?.status ?? check.status,
    previous:
      over === undefined ? (incident.told[channel] ?? incident.previous) : incident.severity,
    severity: incident.severity,
    since: DateTime.unsafeMake(Step.toWall(step, incident.since)),
    duration: Duration.millis(duration),
    message: over?.message ?? check.message,
    over: over !== undefined,
    ...(over === undefined || others.length === 0 ? {} : { others })
  }
}

/** Services whose outage one of these explains. */
const affectedBy = (step: Step.Step, services: ReadonlySet<string>): ReadonlyArray<string> =>
  Step.incidents(step)
    .filter((incident) => {
      if (services.has(incident.service)) return false
      const root = Inhibition.explained(step, incident)?.root
      return root !== undefined && services.has(root)
    })
    .map(({ service }) => service)

/** What others depend on, then what is worse, then what began first. */
const rootFirst = (step: Step.Step, batch: Batch): Batch => {
  const [first, ...rest] = batch
  if (rest.length === 0) return batch
  const dependents = (service: string) =>
    [...step.policy.checks.values()].filter((rules) => rules.dependsOn.includes(service)).length
  const order = (one: Message, other: Message): number =>
    dependents(other.incident.service) - dependents(one.incident.service) ||
    Number(Alert.isWorse(other.incident.severity, one.incident.severity)) -
      Number(Alert.isWorse(one.incident.severity, other.incident.severity)) ||
    one.incident.since - other.incident.since
  const [lead = first, ...others] = [...batch].sort(order)
  return [lead, ...others]
}
