/**
 * Tells the end of incidents, to those who were told of them and to nobody else. Nothing holds it
 * back but the window in which what ends together is told together.
 *
 * @internal
 */
import * as Routes from "../Routes.js"
import * as Draft from "./Draft.js"
import * as Messages from "./messages.js"
import type { Ended } from "./State.js"
import * as Notifying from "./notifying.js"
import * as Format from "../../Common/Format.js"

export const run = (draft: Draft.Draft): void => {
  if (draft.state.ended.length === 0) return
  const waiting: Array<Ended> = []
  const owed: Array<Messages.Owed> = []
  for (const ended of draft.state.ended) {
    const later = ended.channels.filter((channel) => !Notifying.isTime(draft, channel))
    const now = ended.channels.filter((channel) => Notifying.isTime(draft, channel))
    const messages = now.map((channel) => messageFor(draft, ended, channel))
    // One channel may stand in for several.
    owed.push(...new Map(messages.map((message) => [message.channel, message])).values())
    if (later.length === 0) continue
    const incident = { ...ended.incident, messages: ended.incident.messages + now.length }
    waiting.push({ ...ended, incident, channels: later })
  }
  draft.state.ended = waiting
  if (waiting.length > 0) Notifying.openGroup(draft)
  Messages.send(draft, owed)
}

const messageFor = (draft: Draft.Draft, ended: Ended, channel: string): Messages.Owed => {
  const { at, incident, message, rule, why } = ended
  const other = standIn(draft, ended, channel)
  return {
    incident,
    channel: other ?? channel,
    kind: "resolved",
    rule,
    why: `${why}. It was ${incident.severity} for ${Format.span(at - incident.since)}`,
    insteadOf:
      other === undefined
        ? (ended.standIns[channel] ?? Draft.insteadOf(draft, incident, channel))
        : channel,
    over: {
      at,
      message: rule === "removed" ? why : message,
      status: rule === "removed" ? "unknown" : "healthy"
    }
  }
}

/** For a disabled channel its fallback hears of the end, unless it was told itself. */
const standIn = (draft: Draft.Draft, ended: Ended, channel: string): string | undefined => {
  const isOff = Draft.isDisabled(draft)
  if (!isOff(channel)) return undefined
  const { severity, told } = ended.incident
  const other = Routes.fallback(draft.policy.routes, severity, channel, isOff)
  return other === undefined || Object.hasOwn(told, other) ? undefined : other
}
