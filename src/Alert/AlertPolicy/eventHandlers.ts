/**
 * Everything that happens beside results: starts, quiet times, acknowledgements, channels that fail
 * for good and return.
 *
 * @internal
 */
import { HashMap } from "effect"
import type { Alert, Subject } from "../Alert.js"
import { clause, joined } from "../../Common/Sentences.js"
import * as Routes from "../Routes.js"
import * as Draft from "./Draft.js"
import type { Event } from "./Event.js"
import * as Configuring from "./configuring.js"
import type { Ended, Quiet } from "./State.js"

type Of<Tag extends Event["_tag"]> = Extract<Event, { _tag: Tag }>

/**
 * Holter starts, or the machine wakes up: what was known before is old. Counts that are older than
 * a check may be silent are no longer "in a row".
 */
export const awake = (draft: Draft.Draft): void => {
  draft.state.awakeSince = draft.now
  draft.unsettled = true
  for (const [service, check] of HashMap.entries(draft.state.checks)) {
    const { interval } = Draft.rules(draft, service)
    const isOld = check.expectedBy === null || check.expectedBy < draft.now
    const expectedBy =
      check.expectedBy === null
        ? null
        : Math.max(check.expectedBy, draft.now + draft.policy.staleAfter * interval)
    const counts = { failures: 0, unhealthy: 0, successes: 0, failingSince: null }
    Draft.setCheck(draft, service, { ...check, expectedBy, ...(isOld ? counts : {}) })
  }
}

/** Nobody looked for so long: every check gets that time on top. */
export const overslept = (draft: Draft.Draft, late: number): void => {
  for (const [service, check] of HashMap.entries(draft.state.checks)) {
    const { expectedBy } = check
    if (expectedBy === null) continue
    Draft.setCheck(draft, service, { ...check, expectedBy: expectedBy + late })
  }
}

export const restarted = (draft: Draft.Draft): void => {
  awake(draft)
  draft.state.disabled = {}
  draft.state.unreachable = {}
  Configuring.follow(draft)
  Draft.nothing(draft, { service: null }, "Noted", "start", "Holter was started")
}

export const quiet = (draft: Draft.Draft, started: Omit<Quiet, "until"> & QuietEnd): void => {
  const { id, kind, services, until, why } = started
  const others = draft.state.quiets.filter((other) => other.kind !== kind || other.id !== id)
  const end = until === null ? null : until + draft.state.offset
  const added: Quiet = { kind, id, services, until: end, why }
  draft.state.quiets = [...others, added]
  draft.unsettled = true
  const whom = services === null ? "everything" : services.join(", ")
  const rule = kind === "Maintenance" ? "maintenance" : "silence"
  Draft.nothing(draft, { service: null }, "Noted", rule, `${kind} ${id} of ${whom}: ${why}`)
}

interface QuietEnd {
  /** By the wall clock. */
  readonly until: number | null
}

export const loud = (draft: Draft.Draft, kind: Quiet["kind"], id: string): void => {
  const { quiets } = draft.state
  const rest = quiets.filter((other) => other.kind !== kind || other.id !== id)
  const rule = kind === "Maintenance" ? "maintenance" : "silence"
  const found = rest.length < quiets.length
  draft.state.quiets = rest
  draft.unsettled = true
  const why = found ? `${kind} ${id} is over` : `There is no ${rule} ${id} to end`
  Draft.nothing(draft, { service: null }, "Noted", rule, why)
}

export const acknowledged = (draft: Draft.Draft, { by, service }: Of<"Acknowledged">): void => {
  const incident = Draft.incident(draft, service)
  if (incident === undefined) {
    const why = `${by} acknowledged it, but no incident is open`
    return Draft.nothing(draft, { service }, "Noted", "acknowledged", why)
  }
  Draft.setIncident(draft, { ...incident, acknowledgedBy: by, remindAt: null })
  const why = `${by} acknowledged it: no more reminders, unless it becomes worse`
  Draft.nothing(draft, incident, "Noted", "acknowledged", why)
}

export const enabled = (draft: Draft.Draft, channel: string): void => {
  const { [channel]: _, ...disabled } = draft.state.disabled
  draft.state.disabled = disabled
  draft.unsettled = true
  Draft.nothing(draft, { service: null }, "Noted", "fallback", `Channel ${channel} is tried again`)
}

/**
 * The channel does not count as told of what it did not take. Its fallback then is told of what is
 * open like anybody who does not know yet; what is over is handed on as it is.
 */
export const disabled = (draft: Draft.Draft, event: Of<"ChannelDisabled">): void => {
  const { channel, pending, why } = event
  draft.state.disabled = { ...draft.state.disabled, [channel]: why }
  draft.unsettled = true
  const words = `Channel ${channel} is disabled: ${clause(why)}`
  Draft.nothing(draft, { service: null }, "Noted", "fallback", words)
  for (const alert of pending) {
    if (alert.kind !== "escalated" && alert.kind !== "reminder") {
      forget(draft, channel, alert)
      redirect(draft, channel, alert)
    }
    if (alert.subjects.some(({ over }) => over)) handOn(draft, channel, alert, words)
  }
}

const forget = (draft: Draft.Draft, channel: string, alert: Alert): void => {
  for (const { incident: id, service } of alert.subjects) {
    const incident = Draft.incident(draft, service)
    if (incident === undefined) continue
    const known = incident.names[channel] ?? [incident.id]
    if (!known.includes(id)) continue
    const { [channel]: _, ...told } = incident.told
    const { [channel]: _names, ...names } = incident.names
    const rest = known.filter((name) => name !== id)
    Draft.setIncident(
      draft,
      rest.length === 0
        ? { ...incident, told, names }
        : { ...incident, names: { ...names, [channel]: rest } }
    )
  }
}

/** An end that waits to be told goes where the beginning, which did not arrive, would have gone. */
const redirect = (draft: Draft.Draft, channel: string, alert: Alert): void => {
  const other = Routes.fallback(
    draft.policy.routes,
    alert.severity,
    channel,
    Draft.isDisabled(draft)
  )
  const isMeant = ({ incident: { id, names } }: Ended) =>
    alert.subjects.some(({ incident }) => (names[channel] ?? [id]).includes(incident))
  draft.state.ended = draft.state.ended.map((ended): Ended => {
    if (other === undefined || !isMeant(ended) || !ended.channels.includes(channel)) return ended
    const rest = ended.channels.filter((name) => name !== channel)
    if (Object.hasOwn(ended.incident.told, other)) return { ...ended, channels: rest }
    return {
      ...ended,
      channels: [...rest, other],
      standIns: { ...ended.standIns, [other]: channel }
    }
  })
}

/** What another channel is told of these subjects: all but the ends that it is owed itself. */
export const newTo = (subjects: ReadonlyArray<Subject>, channel: string): ReadonlyArray<Subject> =>
  subjects.filter(({ others }) => others === undefined || !others.includes(channel))

export const handOn = (draft: Draft.Draft, channel: string, alert: Alert, why: string): void => {
  const isOff = (name: string) => name === channel || Draft.isDisabled(draft)(name)
  const other = Routes.fallback(draft.policy.routes, alert.severity, channel, isOff) ?? channel
  // Of what is still open in a story the other channel is told for its own sake.
  const over = alert.subjects.filter((subject) => subject.over)
  const [lead, ...rest] = newTo(over, other)
  if (lead === undefined) return
  const handed: Alert = {
    ...alert,
    subjects: [lead, ...rest],
    key: `${alert.key}/${other}`,
    channel: other,
    insteadOf: other === channel ? alert.insteadOf : channel
  }
  const { incident, service } = lead
  draft.decisions.push({
    _tag: "Resolved",
    at: draft.wall,
    service,
    incident,
    rule: "fallback",
    why: joined(why, ";", `${other} is notified in its place`),
    channels: [other],
    alerts: [handed]
  })
}
