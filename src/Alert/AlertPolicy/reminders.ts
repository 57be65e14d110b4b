/**
 * Reminders go by time, with growing gaps, and never by the number of beats.
 *
 * @internal
 */
import type { Suppression } from "./Suppression.js"
import * as Caps from "./caps.js"
import * as Draft from "./Draft.js"
import * as Messages from "./messages.js"
import { severityNow } from "./incidents.js"
import { channelRules } from "./Policy.js"
import type { Incident } from "./State.js"
import * as Silencing from "./silencing.js"
import * as Format from "../../Common/Format.js"

export const run = (draft: Draft.Draft): void => {
  const owed = Draft.incidents(draft)
    .filter(({ remindAt }) => remindAt !== null && remindAt <= draft.now)
    .flatMap((incident) => remind(draft, incident))
  Messages.send(draft, owed)
  for (const { channel, incident } of owed) Caps.count(draft, incident.service, channel)
}

const remind = (draft: Draft.Draft, incident: Incident): ReadonlyArray<Messages.Owed> => {
  // It seems to come back: the next results decide, and not a message that is wrong by then.
  const severity = severityNow(draft, incident)
  if (severity === undefined && incident.flapping === null) return []
  const present = { ...incident, severity: severity ?? incident.severity }
  const block = Silencing.blockOf(draft, incident) ?? whileFlapping(incident)
  if (block?.reason === "Start") {
    if (block.until !== undefined) Draft.lookAgain(draft, block.until)
    return []
  }
  const gaps = draft.policy.reminders
  const reminders = incident.reminders + 1
  const gap = gaps[Math.min(reminders, gaps.length - 1)] ?? Number.POSITIVE_INFINITY
  const next = { ...incident, reminders, remindAt: draft.now + gap }
  const why = `Still ${present.severity}, for ${Format.span(draft.now - incident.since)}; the next reminder is due in ${Format.span(gap)}`
  if (block !== undefined) {
    Draft.setIncident(draft, next)
    Draft.suppressed(draft, incident, block.reason, block.rule, `A reminder was due. ${block.why}`)
    return []
  }
  const channels = Object.keys(incident.told).filter(
    (channel) => channelRules(draft.policy, channel).reminders && !Draft.isDisabled(draft)(channel)
  )
  const owed = channels.flatMap((channel): ReadonlyArray<Messages.Owed> => {
    const cap = Caps.blockOf(draft, incident.service, channel)
    if (cap === undefined) {
      const insteadOf = Draft.insteadOf(draft, incident, channel)
      return [{ incident: present, channel, kind: "reminder", rule: "reminder", why, insteadOf }]
    }
    Draft.suppressed(draft, incident, "Cap", "cap", `A reminder was due. ${cap.why}`)
    return []
  })
  Draft.setIncident(draft, { ...next, messages: incident.messages + owed.length })
  return owed
}

const whileFlapping = ({ flapping }: Incident): Suppression | undefined =>
  flapping === null
    ? undefined
    : {
        reason: "Flapping",
        rule: "flapping",
        id: "Flapping",
        why: "It flaps, and its channels know",
        until: undefined
      }
