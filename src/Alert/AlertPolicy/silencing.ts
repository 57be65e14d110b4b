/**
 * What holds the messages about an incident back: never a check, never a resolve that is owed.
 *
 * @internal
 */
import { clause } from "../../Common/Sentences.js"
import type { Suppression } from "./Suppression.js"
import * as Dependencies from "./dependencies.js"
import * as Draft from "./Draft.js"
import type { Millis } from "./Policy.js"
import type { Incident, Quiet } from "./State.js"
import * as Format from "../../Common/Format.js"

export const blockOf = (draft: Draft.Draft, incident: Incident): Suppression | undefined =>
  byStart(draft, incident) ?? byQuiet(draft, incident) ?? Dependencies.blockOf(draft, incident)

/** Whether a maintenance or silence is for this service. */
const covers = (quiet: Quiet, service: string): boolean =>
  quiet.services === null || quiet.services.includes(service)

/** What was known before a pause is not told before it was seen again. */
const byStart = (draft: Draft.Draft, incident: Incident): Suppression | undefined => {
  const { awakeSince } = draft.state
  const check = Draft.check(draft, incident.service)
  const graceEnd = awakeSince + draft.policy.startGrace
  const block = (why: string, until: Millis): Suppression => ({
    reason: "Start",
    rule: "start",
    id: `Start:${awakeSince}`,
    why,
    until
  })
  if (draft.now < graceEnd) {
    return block(
      `Holter started less than ${Format.span(draft.policy.startGrace)} ago; what is still down after that is sent`,
      graceEnd
    )
  }
  if (check.lastResult >= awakeSince || check.expectedBy === null) return undefined
  return draft.now < check.expectedBy
    ? block("There was no result since Holter started; the next one decides", check.expectedBy)
    : undefined
}

const byQuiet = (draft: Draft.Draft, incident: Incident): Suppression | undefined => {
  const quiet = draft.state.quiets.find((candidate) => covers(candidate, incident.service))
  if (quiet === undefined) return undefined
  const name = quiet.kind === "Maintenance" ? "Maintenance" : "It is silenced"
  return {
    reason: quiet.kind,
    rule: quiet.kind === "Maintenance" ? "maintenance" : "silence",
    id: `${quiet.kind}:${quiet.id}`,
    why: `${name} (${clause(quiet.why)}); if it is still down afterwards, a message is sent then`,
    until: quiet.until ?? undefined
  }
}
