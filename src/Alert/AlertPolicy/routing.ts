/**
 * Which channels should know of an incident, or that it became worse, and do not. It looks at the
 * difference and not at what caused it, so that the end of a maintenance, a free place under a cap, a
 * dependency that came back, a channel that returned and a new route all lead to the same thing: the
 * channel is notified.
 *
 * @internal
 */
import * as Format from "../../Common/Format.js"
import { joined } from "../../Common/Sentences.js"
import { isWorse, type Kind, type Severity } from "../Alert.js"
import * as Routes from "../Routes.js"
import { type Message, type Notification, present, type Suppression } from "./Notification.js"
import type { Incident } from "./State.js"
import * as Step from "./Step.js"

/** A notification for each incident of which a channel should hear. */
export const find: Step.Stage = (step) => ({
  ...step,
  notifications: Step.incidents(step).flatMap((incident): ReadonlyArray<Notification> => {
    const { severity } = incident
    const channels = interested(step, incident)
    if (channels.length > 0) return [{ about: "change", incident, severity, channels, heldBy: [] }]
    if (isKnown(incident) || wanted(step, incident).length > 0) return []
    return [{ about: "change", incident, severity, channels, heldBy: [noRoute(severity)] }]
  })
})

/**
 * By the last result it is not what would be sent: it may be over, or less bad, by the next ones. Channels
 * hear of what is less bad only where no channel knows of it at all.
 */
export const decideNext: Step.Stage = (step) => ({
  ...step,
  notifications: step.notifications.map((one): Notification => {
    if (one.heldBy.length > 0) return one
    const { incident, severity } = one
    if (severity === incident.severity) return one
    return severity === undefined || isKnown(incident)
      ? { ...one, channels: [], heldBy: [recovering(step, incident)] }
      : { ...one, channels: interested(step, present(one)) }
  })
})

/** Where no route takes it, that is what there is to say. */
export const explain: Step.Stage = (step) => ({
  ...step,
  notifications: step.notifications.map((one): Notification => {
    if (one.heldBy.length > 0) return one
    const now = present(one)
    return wanted(step, now).length > 0 ? one : { ...one, heldBy: [noRoute(now.severity)] }
  })
})

/** The channels that are notified know of it from now on. */
export const remember: Step.Stage = (step) =>
  Step.setIncidents(
    step,
    step.notifications.flatMap((one) => {
      const { service, severity } = present(one)
      const incident = Step.incident(step, service)
      if (incident === undefined || one.channels.length === 0) return []
      const told = Object.fromEntries(one.channels.map((channel) => [channel, severity]))
      const messages = incident.messages + one.channels.length
      return [{ ...incident, told: { ...incident.told, ...told }, messages }]
    })
  )

export const messages = (step: Step.Step, notification: Notification): ReadonlyArray<Message> => {
  const incident = present(notification)
  return notification.channels.map((channel): Message => {
    const insteadOf = insteadOfWhom(step, incident, channel)
    const before = incident.told[channel]
    if (before !== undefined) {
      const why = `It is ${incident.severity} now; ${channel} knows it as ${before}`
      return { incident, channel, kind: "escalated", rule: "threshold", why, insteadOf }
    }
    const kind = openingKind(step, incident)
    const rule = kind === "flapping" || kind === "stale" ? kind : "threshold"
    return { incident, channel, kind, rule, why: openingWords(step, incident), insteadOf }
  })
}

export const isDisabled =
  ({ state }: Step.Step) =>
  (channel: string): boolean =>
    Object.hasOwn(state.disabled, channel)

/** The channel that takes nothing, in whose place this one is notified of the incident. */
export const insteadOfWhom = (
  step: Step.Step,
  incident: Incident,
  channel: string
): string | null =>
  incident.standIns[channel] ??
  Routes.insteadOf(step.policy.routes, incident.severity, channel, isAway(step, incident))

/** Whether this channel is not to hear of the incident for now: one that knows of it already is. */
const isAway =
  (step: Step.Step, { told }: Incident) =>
  (channel: string): boolean =>
    isDisabled(step)(channel) ||
    (Object.hasOwn(step.state.unreachable, channel) && !Object.hasOwn(told, channel))

const isKnown = ({ told }: Incident): boolean => Object.keys(told).length > 0

const interested = (step: Step.Step, incident: Incident): ReadonlyArray<string> => {
  const { severity, told } = incident
  const isOff = isDisabled(step)
  const followers = Object.keys(told).filter((channel) => !isOff(channel))
  return [...new Set([...wanted(step, incident), ...followers])].filter((channel) => {
    const last = told[channel]
    return last === undefined || isWorse(severity, last)
  })
}

const wanted = (step: Step.Step, incident: Incident): ReadonlyArray<string> => {
  const { routes } = step.policy
  const targets = Routes.targets(routes, incident.severity, isAway(step, incident))
  const isOff = isDisabled(step)
  return [...targets, ...Object.keys(incident.standIns).filter((channel) => !isOff(channel))]
}

const recovering = (step: Step.Step, { service, severity }: Incident): Suppression => ({
  reason: "Recovering",
  rule: "recovery",
  id: "Recovering",
  why: `The last result is ${Step.check(step, service).status}: the next results decide whether it is sent as ${severity}`,
  until: undefined
})

const noRoute = (severity: Severity): Suppression => ({
  reason: "NoRoute",
  rule: "route",
  id: "NoRoute",
  why: `No route takes ${severity}: no channel is notified`,
  until: undefined
})

const openingKind = (step: Step.Step, incident: Incident): Kind => {
  if (incident.flapping !== null) return "flapping"
  // There may be results again by the time at which it is sent.
  const isSilent = Step.check(step, incident.service).status === "unknown"
  return incident.cause === "stale" && isSilent ? "stale" : "opened"
}

const openingWords = (step: Step.Step, incident: Incident): string => {
  const { flapping, opened, service, severity, since } = incident
  if (flapping !== null) {
    return `It flaps: ${Format.many(flapping.changes, "change")} in a short time`
  }
  const waited = step.now - opened
  const late = waited > step.policy.groupWindow ? `, held back for ${Format.span(waited)}` : ""
  const words = `${severity} for ${Format.span(step.now - since)}${late}`
  return joined(Step.check(step, service).message, ":", words)
}
