/**
 * Brings what channels were told up to what is true. It looks at the difference and not at what
 * caused it, so that the end of a maintenance, a free place under a cap, a dependency that came
 * back, a channel that returned and a new route all lead to the same thing: who should know and
 * does not, is told.
 *
 * @internal
 */
import { joined } from "../../Common/Sentences.js"
import { isWorse, type Kind } from "../Alert.js"
import * as Routes from "../Routes.js"
import type { Suppression } from "./Suppression.js"
import * as Caps from "./caps.js"
import * as Draft from "./Draft.js"
import { severityNow } from "./incidents.js"
import * as Messages from "./messages.js"
import { channelRules } from "./Policy.js"
import type { Incident } from "./State.js"
import * as Silencing from "./silencing.js"
import * as Format from "../../Common/Format.js"

export const run = (draft: Draft.Draft): void => {
  const owed = Draft.incidents(draft).flatMap((incident) => owedFor(draft, incident))
  const now = owed.filter(({ channel }) => isTime(draft, channel))
  if (now.length < owed.length) openGroup(draft)
  Messages.send(draft, now)
  for (const { channel, incident } of now) remember(draft, incident, channel)
}

/** Outages that start together are told together: the first one opens the window. */
export const openGroup = (draft: Draft.Draft): void => {
  const { groupUntil } = draft.state
  if (groupUntil !== null) return
  draft.state.groupUntil = draft.now + draft.policy.groupWindow
}

/** Whether this channel is told at once, or its window has ended. */
export const isTime = (draft: Draft.Draft, channel: string): boolean => {
  if (!channelRules(draft.policy, channel).grouped || draft.policy.groupWindow === 0) return true
  const { groupUntil } = draft.state
  return groupUntil !== null && draft.now >= groupUntil
}

const owedFor = (draft: Draft.Draft, incident: Incident): ReadonlyArray<Messages.Owed> => {
  const worst = interested(draft, incident)
  const isKnown = Object.keys(incident.told).length > 0
  if (worst.length === 0) {
    if (!isKnown && wanted(draft, incident).length === 0) holdAll(draft, incident, [])
    return []
  }
  const severity = severityNow(draft, incident)
  // What is told is what is true now, which may be less than the worst of the incident.
  const present = { ...incident, severity: severity ?? incident.severity }
  const block = Silencing.blockOf(draft, present) ?? whileFlapping(draft, incident)
  if (block !== undefined) {
    holdAll(draft, incident, [block])
    return []
  }
  // Who is not told yet hears of what is less bad only where the others do not know of it at all.
  const isLess = severity !== incident.severity
  if (severity === undefined || (isLess && isKnown)) {
    waitForResults(draft, incident)
    return []
  }
  const channels = isLess ? interested(draft, present) : worst
  const capped = channels.flatMap((channel) => Caps.blockOf(draft, incident.service, channel) ?? [])
  holdAll(draft, present, capped)
  return channels
    .filter((channel) => !capped.some(({ id }) => id === `Cap:${channel}`))
    .map((channel) => messageFor(draft, present, channel))
}

/** By its last result it is not what would be told: it may be over, or less bad, by the next ones. */
const waitForResults = (draft: Draft.Draft, incident: Incident): void => {
  if (incident.held.join("\n") === recovering) return
  const { status } = Draft.check(draft, incident.service)
  const why = `The last result is ${status}: the next results decide whether it is sent as ${incident.severity}`
  Draft.nothing(draft, incident, "Recovering", "recovery", why)
  Draft.setIncident(draft, { ...incident, held: [recovering] })
}

const recovering = "Recovering"

/** Who should know of this incident, or that it became worse, and does not. */
const interested = (draft: Draft.Draft, incident: Incident): ReadonlyArray<string> => {
  const { severity, told } = incident
  const isOff = Draft.isDisabled(draft)
  const followers = Object.keys(told).filter((channel) => !isOff(channel))
  return [...new Set([...wanted(draft, incident), ...followers])].filter((channel) => {
    const last = told[channel]
    return last === undefined || isWorse(severity, last)
  })
}

const wanted = (draft: Draft.Draft, incident: Incident): ReadonlyArray<string> => {
  const { routes } = draft.policy
  const targets = Routes.targets(routes, incident.severity, Draft.isAway(draft, incident))
  const isOff = Draft.isDisabled(draft)
  return [...targets, ...Object.keys(incident.standIns).filter((channel) => !isOff(channel))]
}

/** Flapping is one message; what it became meanwhile is told at its end. */
const whileFlapping = (draft: Draft.Draft, incident: Incident): Suppression | undefined =>
  incident.flapping === null || Object.keys(incident.told).length === 0
    ? undefined
    : {
        reason: "Flapping",
        rule: "flapping",
        id: "Flapping",
        why: `It flaps, and its channels know: the final state is sent when nothing changed for ${Format.span(draft.policy.flapping.calm)}`,
        until: undefined
      }

/** Writes down what holds messages back, once for each cause, and when to look again. */
const holdAll = (
  draft: Draft.Draft,
  incident: Incident,
  blocks: ReadonlyArray<Suppression>
): void => {
  for (const { until } of blocks) if (until !== undefined) Draft.lookAgain(draft, until)
  const unrouted = blocks.length === 0 && wanted(draft, incident).length === 0
  const held = unrouted ? ["NoRoute"] : blocks.map(({ id }) => id)
  if (held.join("\n") === incident.held.join("\n")) return
  for (const block of blocks) {
    if (incident.held.includes(block.id)) continue
    Draft.suppressed(draft, incident, block.reason, block.rule, block.why)
  }
  if (unrouted) {
    const why = `No route takes ${incident.severity}: no channel is notified`
    Draft.nothing(draft, incident, "NoRoute", "route", why)
  }
  const kept = Draft.incident(draft, incident.service)
  if (kept !== undefined) Draft.setIncident(draft, { ...kept, held })
}

const messageFor = (draft: Draft.Draft, incident: Incident, channel: string): Messages.Owed => {
  const before = incident.told[channel]
  const kind = before === undefined ? openingKind(draft, incident) : "escalated"
  const what =
    before === undefined
      ? openingWords(draft, incident)
      : `It is ${incident.severity} now; ${channel} knows it as ${before}`
  const insteadOf = Draft.insteadOf(draft, incident, channel)
  return { incident, channel, kind, rule: ruleOf(kind), why: what, insteadOf }
}

const openingKind = (draft: Draft.Draft, incident: Incident): Kind => {
  if (incident.flapping !== null) return "flapping"
  // There may be results again by the time at which it is told.
  const isSilent = Draft.check(draft, incident.service).status === "unknown"
  return incident.cause === "stale" && isSilent ? "stale" : "opened"
}

const ruleOf = (kind: Kind) =>
  kind === "flapping" || kind === "stale" ? kind : ("threshold" as const)

const openingWords = (draft: Draft.Draft, incident: Incident): string => {
  const { flapping, opened, severity, since } = incident
  const { message } = Draft.check(draft, incident.service)
  if (flapping !== null)
    return `It flaps: ${Format.many(flapping.changes, "change")} in a short time`
  const waited = draft.now - opened
  const late = waited > draft.policy.groupWindow ? `, held back for ${Format.span(waited)}` : ""
  return joined(message, ":", `${severity} for ${Format.span(draft.now - since)}${late}`)
}

const remember = (draft: Draft.Draft, told: Incident, channel: string): void => {
  const { service, severity } = told
  Caps.count(draft, service, channel)
  const incident = Draft.incident(draft, service)
  if (incident === undefined) return
  const gap = draft.policy.reminders[0]
  Draft.setIncident(draft, {
    ...incident,
    told: { ...incident.told, [channel]: severity },
    messages: incident.messages + 1,
    reminders: 0,
    remindAt: gap === undefined || incident.acknowledgedBy !== null ? null : draft.now + gap
  })
}
