/**
 * Channels that fail, for good, for a while or for one alert; that return; and that are taken out of the
 * configuration. What one did not take goes to its fallback, which hears what is new in its place.
 *
 * @internal
 */
import * as Format from "../../Common/Format.js"
import { clause, joined } from "../../Common/Sentences.js"
import type { Alert, Subject } from "../Alert.js"
import * as Routes from "../Routes.js"
import type { Of } from "./Event.js"
import type { Policy } from "./Policy.js"
import * as Routing from "./routing.js"
import type { Ended, Incident, State } from "./State.js"
import * as Step from "./Step.js"

/**
 * Whether another channel takes this alert, now that its own fails for good. Such alerts are the
 * `pending` ones of `ChannelDisabled`; all others stay in the outbox until their channel returns, also
 * an end that a route sends to the other channel as well.
 */
export const isHandedOn = (policy: Policy, state: State, alert: Alert): boolean => {
  const other = Routes.fallback(
    policy.routes,
    alert.severity,
    alert.channel,
    (channel) => channel === alert.channel || Object.hasOwn(state.disabled, channel)
  )
  return other !== undefined && newTo(alert.subjects, other).length > 0
}

/**
 * Whether this end is for a channel that takes nothing now, and its fallback gets the same end, as it got
 * the outage. A channel that did not get the beginning needs no end.
 */
export const isStoodIn = (policy: Policy, state: State, alert: Alert): boolean => {
  const { channel, kind, severity, subjects } = alert
  if (kind !== "resolved" || !Object.hasOwn(state.unreachable, channel)) return false
  const other = Routes.fallback(policy.routes, severity, channel, (name) => name === channel)
  return other !== undefined && subjects.every(({ others }) => others?.includes(other) === true)
}

/**
 * The channels that know of an incident and are in no route. Where one of them is not there any more
 * either, `ChannelRemoved` says so to the fold.
 */
export const unrouted = (policy: Policy, state: State): ReadonlyArray<string> => {
  const knowing = [
    ...Object.values(state.incidents).flatMap(({ told }) => Object.keys(told)),
    ...state.ended.flatMap(({ channels }) => channels)
  ]
  return [...new Set(knowing)].filter((channel) => !Routes.names(policy.routes, channel))
}

export const enabled = (step: Step.Step, { channel }: Of<"ChannelEnabled">): Step.Step =>
  Step.note(
    Step.change(step, { disabled: Step.without(step.state.disabled, channel) }),
    "fallback",
    `Channel ${channel} is tried again`
  )

/**
 * The channel does not count as notified of what it did not take. Its fallback then hears of what is open
 * like any channel that does not know yet; what is over is handed on as it is.
 */
export const disabled = (step: Step.Step, event: Of<"ChannelDisabled">): Step.Step => {
  const { channel, pending, why } = event
  const off = Step.change(step, { disabled: { ...step.state.disabled, [channel]: why } })
  const words = `Channel ${channel} is disabled: ${clause(why)}`
  return Step.forEach(Step.note(off, "fallback", words), pending, (next, alert) => {
    const isBeginning = alert.kind !== "escalated" && alert.kind !== "reminder"
    const sent = isBeginning ? redirect(forget(next, channel, alert), channel, alert) : next
    return handOn(sent, channel, alert, words)
  })
}

/** What it did not take its fallback hears of, as of what is new from now on. Its queue goes on. */
export const unreachable = (step: Step.Step, event: Of<"ChannelUnreachable">): Step.Step => {
  const { channel, pending, why } = event
  const away = Step.change(step, { unreachable: { ...step.state.unreachable, [channel]: why } })
  const words = `Channel ${channel} cannot be reached: ${clause(why)}. Its fallback is notified until it can`
  return Step.forEach(Step.note(away, "fallback", words), pending, (next, alert) =>
    standIn(next, channel, alert)
  )
}

export const reached = (step: Step.Step, { channel }: Of<"ChannelReached">): Step.Step =>
  Step.note(
    Step.change(step, { unreachable: Step.without(step.state.unreachable, channel) }),
    "fallback",
    `Channel ${channel} is tried with what is new again`
  )

/** The channel counts as notified: it is asked to take the end, and does not get the same again. */
export const refused = (
  step: Step.Step,
  { channel, pending, why }: Of<"AlertRefused">
): Step.Step => {
  const said = `Channel ${channel} does not take this alert: ${clause(why)}`
  return Step.forEach(step, pending, (next, alert) => {
    const other = otherThan(next, channel, alert)
    if (other === undefined) {
      return Step.forEach(next, alert.subjects, (one, subject) =>
        Step.givenUp(one, subject, "fallback", `${said}. It has no fallback: it is given up`)
      )
    }
    const noted = Step.note(next, "fallback", `${said}. ${other} is notified instead`)
    return handOn(standIn(noted, channel, alert), channel, alert, said)
  })
}

/** It gets nothing any more, not even the end of what it knows, and what it had not taken is given up. */
export const removed = (step: Step.Step, { channel, pending }: Of<"ChannelRemoved">): Step.Step => {
  const gone = `Channel ${channel} is no longer configured`
  const knowing = Step.incidents(step).filter(({ told }) => Object.hasOwn(told, channel))
  const forgotten = Step.forEach(Step.changed(step), knowing, (next, incident) =>
    Step.nothing(
      Step.setIncident(next, unaware(incident, channel)),
      incident,
      "GivenUp",
      "route",
      `${gone}: it will not get the end`
    )
  )
  const without = Step.change(forgotten, {
    disabled: Step.without(step.state.disabled, channel),
    unreachable: Step.without(step.state.unreachable, channel),
    ended: step.state.ended.map((ended) => ({
      ...ended,
      channels: ended.channels.filter((name) => name !== channel)
    }))
  })
  const given = Step.forEach(without, pending, (next, { kind, subjects }) =>
    Step.forEach(next, subjects, (one, subject) => {
      const why = `${gone}: what it had not taken is given up (${kind})`
      return Step.givenUp(one, subject, "route", why)
    })
  )
  const what = Format.many(pending.length, "alert")
  const lost =
    pending.length === 0
      ? ""
      : `, and ${what} that it had not taken ${pending.length === 1 ? "is" : "are"} given up`
  return Step.note(given, "route", `${gone}: it gets nothing more${lost}`)
}

const unaware = (incident: Incident, channel: string): Incident => ({
  ...incident,
  told: Step.without(incident.told, channel),
  names: Step.without(incident.names, channel)
})

/** The channel knows nothing of what is in this alert. */
const forget = (step: Step.Step, channel: string, alert: Alert): Step.Step =>
  Step.forEach(step, alert.subjects, (next, { incident: id, service }) => {
    const incident = Step.incident(next, service)
    if (incident === undefined) return next
    const known = incident.names[channel] ?? [incident.id]
    if (!known.includes(id)) return next
    const rest = known.filter((name) => name !== id)
    return Step.setIncident(
      next,
      rest.length === 0
        ? unaware(incident, channel)
        : { ...incident, names: { ...incident.names, [channel]: rest } }
    )
  })

/** An end that waits to be sent goes where the beginning, which did not arrive, would have gone. */
const redirect = (step: Step.Step, channel: string, alert: Alert): Step.Step => {
  const isOff = Routing.isDisabled(step)
  const other = Routes.fallback(step.policy.routes, alert.severity, channel, isOff)
  if (other === undefined) return step
  const isMeant = ({ incident: { id, names } }: Ended) =>
    alert.subjects.some(({ incident }) => (names[channel] ?? [id]).includes(incident))
  const ended = step.state.ended.map((one): Ended => {
    if (!isMeant(one) || !one.channels.includes(channel)) return one
    const rest = one.channels.filter((name) => name !== channel)
    if (Object.hasOwn(one.incident.told, other)) return { ...one, channels: rest }
    const standIns = { ...one.standIns, [other]: channel }
    return { ...one, channels: [...rest, other], standIns }
  })
  return Step.change(step, { ended })
}

/** What another channel hears of these subjects: all but the ends that it is owed itself. */
const newTo = (subjects: ReadonlyArray<Subject>, channel: string): ReadonlyArray<Subject> =>
  subjects.filter(({ others }) => others === undefined || !others.includes(channel))

/** Of what is still open in a story the other channel is notified for its own sake. */
const handOn = (step: Step.Step, channel: string, alert: Alert, why: string): Step.Step => {
  const other = otherThan(step, channel, alert) ?? channel
  const over = alert.subjects.filter((subject) => subject.over)
  const [lead, ...rest] = newTo(over, other)
  if (lead === undefined) return step
  const handed: Alert = {
    ...alert,
    subjects: [lead, ...rest],
    key: `${alert.key}/${other}`,
    channel: other,
    insteadOf: other === channel ? alert.insteadOf : channel
  }
  const { incident, service } = lead
  return Step.decide(step, {
    _tag: "Resolved",
    at: step.wall,
    service,
    incident,
    rule: "fallback",
    why: joined(why, ";", `${other} is notified in its place`),
    channels: [other],
    alerts: [handed]
  })
}

const news: ReadonlySet<string> = new Set(["opened", "stale", "flapping", "escalated", "story"])

/** Of what is open still. Whether there is something to say is decided as for any other channel. */
const standIn = (step: Step.Step, channel: string, alert: Alert): Step.Step => {
  const other = otherThan(step, channel, alert)
  if (other === undefined || !news.has(alert.kind)) return step
  return Step.forEach(Step.changed(step), alert.subjects, (next, { incident: id, service }) => {
    const incident = Step.incident(next, service)
    if (incident?.id !== id) return next
    const standIns = { ...incident.standIns, [other]: channel }
    return Step.setIncident(next, { ...incident, standIns })
  })
}

const otherThan = (step: Step.Step, channel: string, alert: Alert): string | undefined => {
  const isOff = Routing.isDisabled(step)
  const { routes } = step.policy
  return Routes.fallback(routes, alert.severity, channel, (name) => name === channel || isOff(name))
}
