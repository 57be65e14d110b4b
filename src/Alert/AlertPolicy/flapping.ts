/**
 * A service that goes down and comes back again and again. Such an incident stays open through its
 * changes: it is one message, and its end sends the final state.
 *
 * @internal
 */
import * as Format from "../../Common/Format.js"
import * as Incidents from "./incidents.js"
import * as Inhibition from "./inhibition.js"
import type { Notification, Suppression } from "./Notification.js"
import * as Silences from "./silences.js"
import * as StartGrace from "./startGrace.js"
import type { Incident } from "./State.js"
import * as Step from "./Step.js"

/** Opens an incident, and counts it where a channel would have heard of it; one too many is flapping. */
export const open = (before: Step.Step, opening: Incidents.Opening): Step.Step => {
  const step = Incidents.open(before, opening)
  const incident = Step.incident(step, opening.service)
  return incident === undefined ? step : counted(step, incident)
}

/** A change of a service that flaps: noted, and not sent. */
export const turned = (
  step: Step.Step,
  incident: Incident,
  flapping: NonNullable<Incident["flapping"]>,
  why: string
): Step.Step => {
  const changes = flapping.changes + 1
  const up = !flapping.up
  return Step.suppressed(
    Step.setIncident(step, { ...incident, flapping: { changes, lastChange: step.now, up } }),
    incident,
    "Flapping",
    "flapping",
    `${why}, but it flaps (${Format.many(changes, "change")}): ${finalState(step)}`
  )
}

/** Nothing changed for long enough: what it is now is final. */
export const calm: Step.Stage = (step) => {
  const span = step.policy.flapping.calm
  return Step.forEach(step, Step.incidents(step), (next, incident) => {
    const { flapping } = incident
    if (flapping === null || flapping.lastChange + span > step.now) return next
    const why = `Nothing changed for ${Format.span(span)} after ${Format.many(flapping.changes, "change")}`
    return flapping.up
      ? Incidents.end(next, incident, "flapping", why)
      : stayDown(next, incident, why)
  })
}

/** Flapping is one message; what it became meanwhile is sent at its end. */
export const suppression = (
  step: Step.Step,
  { about, incident }: Notification
): Suppression | undefined => {
  const isKnown = about === "reminder" || Object.keys(incident.told).length > 0
  if (incident.flapping === null || !isKnown) return undefined
  return {
    reason: "Flapping",
    rule: "flapping",
    id: "Flapping",
    why: "It flaps, and its channels know",
    then: finalState(step),
    until: undefined
  }
}

const finalState = ({ policy }: Step.Step): string =>
  `the final state is sent when nothing changed for ${Format.span(policy.flapping.calm)}`

/** The final state is bad: that is sent as a reminder, which is due now. */
const stayDown = (step: Step.Step, incident: Incident, why: string): Step.Step => {
  const isTold = Object.keys(incident.told).length > 0
  const remindAt = isTold && incident.acknowledgedBy === null ? step.now : incident.remindAt
  return Step.nothing(
    Step.setIncident(step, { ...incident, flapping: null, remindAt }),
    incident,
    "StillOpen",
    "flapping",
    `${why}: it stays ${incident.severity}`
  )
}

const counted = (step: Step.Step, incident: Incident): Step.Step => {
  const news: Notification = {
    about: "change",
    incident,
    severity: incident.severity,
    channels: [],
    heldBy: []
  }
  const held =
    StartGrace.suppression(step, news) ??
    Silences.suppression(step, news) ??
    Inhibition.suppression(step, news)
  if (held !== undefined) return step
  const { now, policy } = step
  const { openings: most, within } = policy.flapping
  const check = Step.check(step, incident.service)
  const openings = [...check.openings.filter((time) => time > now - within), now]
  const next = Step.setCheck(step, incident.service, { ...check, openings: openings.slice(-most) })
  if (openings.length < most) return next
  return Step.setIncident(next, {
    ...incident,
    flapping: { changes: openings.length * 2 - 1, lastChange: now, up: false }
  })
}
