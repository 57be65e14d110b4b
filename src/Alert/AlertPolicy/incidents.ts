/**
 * How an incident opens, becomes worse and ends. Whether anybody is told is decided elsewhere.
 *
 * @internal
 */
import { weigh } from "../../Check/CheckResult.js"
import { isWorse, type Severity } from "../Alert.js"
import * as Draft from "./Draft.js"
import * as Flapping from "./flapping.js"
import type { Ended, Incident } from "./State.js"

export interface Opening {
  readonly service: string
  readonly cause: Incident["cause"]
  readonly severity: Severity
  readonly since: number
  readonly why: string
}

export const open = (draft: Draft.Draft, opening: Opening): void => {
  const { cause, service, severity, since, why } = opening
  const sequence = draft.state.sequence + 1
  const before = Draft.check(draft, service)
  draft.state.sequence = sequence
  const incident: Incident = {
    // The time keeps ids apart when a journal was lost, the number within a millisecond.
    id: `${service}-${draft.wall.toString(36)}-${sequence}`,
    service,
    cause,
    severity,
    previous: before.previous,
    guidance: Draft.guidance(draft, { service }),
    opened: draft.now,
    since,
    told: {},
    names: {},
    messages: 0,
    reminders: 0,
    remindAt: null,
    acknowledgedBy: null,
    flapping: null,
    standIns: {},
    held: []
  }
  Draft.setIncident(draft, incident)
  Draft.nothing(
    draft,
    incident,
    "IncidentOpened",
    cause === "stale" ? "stale" : "threshold",
    `${why}: an incident is open (${severity})`
  )
  Flapping.onOpened(draft, incident)
}

export const worsen = (
  draft: Draft.Draft,
  incident: Incident,
  severity: Severity,
  why: string
): void => {
  const { acknowledgedBy } = incident
  Draft.setIncident(draft, { ...incident, severity, acknowledgedBy: null })
  const again =
    acknowledgedBy === null ? "" : `; what ${acknowledgedBy} has acknowledged was less than that`
  Draft.nothing(
    draft,
    incident,
    "IncidentWorse",
    "threshold",
    `${why}: the incident is ${severity} now, and was ${incident.severity}${again}`
  )
}

/**
 * How bad it is by the last result, and no worse than the incident: what a message may say now. Nothing
 * while that result is healthy: whether the incident is over is for the next results to decide.
 */
export const severityNow = (draft: Draft.Draft, incident: Incident): Severity | undefined => {
  const { status } = Draft.check(draft, incident.service)
  if (status === "healthy") return undefined
  if (status === "unknown") return incident.severity
  const { critical } = Draft.rules(draft, incident.service)
  const last = weigh(status, critical) === "unhealthy" ? "unhealthy" : "degraded"
  return isWorse(incident.severity, last) ? last : incident.severity
}

/** The incident is over. Who was told of it is owed the end of it. */
export const end = (
  draft: Draft.Draft,
  incident: Incident,
  rule: Ended["rule"],
  why: string
): void => {
  const { service } = incident
  const check = Draft.check(draft, service)
  const channels = Object.keys(incident.told)
  Draft.removeIncident(draft, service)
  Draft.setCheck(draft, service, { ...check, recovered: draft.now })
  if (channels.length === 0) {
    Draft.nothing(
      draft,
      incident,
      "NeverTold",
      rule,
      `${why}; no channel was notified that it was down`
    )
    return
  }
  const ended: Ended = {
    incident,
    at: draft.now,
    message: check.message,
    why,
    rule,
    channels,
    standIns: {}
  }
  draft.state.ended = [...draft.state.ended, ended]
  Draft.nothing(draft, incident, "Recovered", rule, `${why}: the incident is over`)
}
