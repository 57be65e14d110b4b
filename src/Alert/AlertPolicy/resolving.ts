/**
 * Sends the end of incidents to the channels that were notified of them and to no other. Nothing holds it
 * back but the window in which what ends together is sent together.
 *
 * @internal
 */
import * as Format from "../../Common/Format.js"
import * as Routes from "../Routes.js"
import * as Grouping from "./grouping.js"
import type { Message, Notification } from "./Notification.js"
import * as Routing from "./routing.js"
import type { Ended } from "./State.js"
import * as Step from "./Step.js"

/** A notification for each end that a channel is owed now. */
export const find: Step.Stage = (step) => {
  const { ended } = step.state
  if (ended.length === 0) return step
  const isTime = (channel: string) => Grouping.isTime(step, channel)
  const notifications = ended.map((one): Notification => {
    const { channels, incident } = one
    const { severity } = incident
    const now = channels.filter(isTime)
    return { about: "end", incident, severity, channels: now, heldBy: [], ended: one }
  })
  const waiting = ended.flatMap((one): ReadonlyArray<Ended> => {
    const later = one.channels.filter((channel) => !isTime(channel))
    if (later.length === 0) return []
    const messages = one.incident.messages + one.channels.length - later.length
    return [{ ...one, incident: { ...one.incident, messages }, channels: later }]
  })
  const next = { ...step, state: { ...step.state, ended: waiting }, notifications }
  return waiting.length > 0 ? Grouping.open(next) : next
}

/** One channel may stand in for several. */
export const messages = (
  step: Step.Step,
  { channels, ended }: Notification
): ReadonlyArray<Message> => {
  const all = ended === undefined ? [] : channels.map((channel) => message(step, ended, channel))
  return [...new Map(all.map((one) => [one.channel, one])).values()]
}

const message = (step: Step.Step, ended: Ended, channel: string): Message => {
  const { at, incident, message: last, rule, standIns, why } = ended
  const other = standIn(step, ended, channel)
  return {
    incident,
    channel: other ?? channel,
    kind: "resolved",
    rule,
    why: `${why}. It was ${incident.severity} for ${Format.span(at - incident.since)}`,
    insteadOf:
      other === undefined
        ? (standIns[channel] ?? Routing.insteadOfWhom(step, incident, channel))
        : channel,
    over:
      rule === "removed"
        ? { at, message: why, status: "unknown" }
        : { at, message: last, status: "healthy" }
  }
}

/** For a disabled channel its fallback hears of the end, unless it was notified itself. */
const standIn = (step: Step.Step, ended: Ended, channel: string): string | undefined => {
  const isOff = Routing.isDisabled(step)
  if (!isOff(channel)) return undefined
  const { severity, told } = ended.incident
  const other = Routes.fallback(step.policy.routes, severity, channel, isOff)
  return other === undefined || Object.hasOwn(told, other) ? undefined : other
}
