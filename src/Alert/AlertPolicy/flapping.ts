/**
 * A service that goes down and comes back again and again. Such an incident stays open through its
 * changes: it is one message, and its end sends the final state.
 *
 * @internal
 */
import * as Draft from "./Draft.js"
import type { Incident } from "./State.js"
import { blockOf } from "./silencing.js"
import * as Format from "../../Common/Format.js"

/** Counts an opening that somebody would have heard of; one too many is flapping. */
export const onOpened = (draft: Draft.Draft, incident: Incident): void => {
  if (blockOf(draft, incident) !== undefined) return
  const { openings: most, within } = draft.policy.flapping
  const check = Draft.check(draft, incident.service)
  const openings = [...check.openings.filter((time) => time > draft.now - within), draft.now]
  Draft.setCheck(draft, incident.service, { ...check, openings: openings.slice(-most) })
  if (openings.length < most) return
  Draft.setIncident(draft, {
    ...incident,
    flapping: { changes: openings.length * 2 - 1, lastChange: draft.now, up: false }
  })
}

/** A change of a service that flaps: noted, and not told. */
export const onChange = (
  draft: Draft.Draft,
  incident: Incident,
  flapping: NonNullable<Incident["flapping"]>,
  why: string
): void => {
  const changes = flapping.changes + 1
  const up = !flapping.up
  Draft.setIncident(draft, {
    ...incident,
    flapping: { changes, lastChange: draft.now, up }
  })
  Draft.suppressed(
    draft,
    incident,
    "Flapping",
    "flapping",
    `${why}, but it flaps (${Format.many(changes, "change")}): the final state is sent when nothing changed for ${Format.span(draft.policy.flapping.calm)}`
  )
}
