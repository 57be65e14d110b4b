/**
 * How an incident opens, becomes worse and ends. Whether channels hear of it is decided by other stages.
 *
 * @internal
 */
import { weigh } from "../../Check/CheckResult.js"
import { isWorse, type Severity } from "../Alert.js"
import type { Notification } from "./Notification.js"
import type { Ended, Incident } from "./State.js"
import * as Step from "./Step.js"

export interface Opening {
  readonly service: string
  readonly cause: Incident["cause"]
  readonly severity: Severity
  readonly since: number
  readonly why: string
}

export const open = (step: Step.Step, opening: Opening): Step.Step => {
  const { cause, service, severity, since, why } = opening
  const sequence = step.state.sequence + 1
  const incident: Incident = {
    // The time keeps ids apart when a journal was lost, the number within a millisecond.
    id: `${service}-${step.wall.toString(36)}-${sequence}`,
    service,
    cause,
    severity,
    previous: Step.check(step, service).previous,
    guidance: Step.guidance(step, { service }),
    opened: step.now,
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
  return Step.nothing(
    Step.setIncident(Step.change(step, { sequence }), incident),
    incident,
    "IncidentOpened",
    cause === "stale" ? "stale" : "threshold",
    `${why}: an incident is open (${severity})`
  )
}

export const worsen = (
  step: Step.Step,
  incident: Incident,
  severity: Severity,
  why: string
): Step.Step => {
  const { acknowledgedBy } = incident
  const again =
    acknowledgedBy === null ? "" : `; what ${acknowledgedBy} has acknowledged was less than that`
  return Step.nothing(
    Step.setIncident(step, { ...incident, severity, acknowledgedBy: null }),
    incident,
    "IncidentWorse",
    "threshold",
    `${why}: the incident is ${severity} now, and was ${incident.severity}${again}`
  )
}

/** The incident is over. Channels that were notified of it are owed the end of it. */
export const end = (
  step: Step.Step,
  incident: Incident,
  rule: Ended["rule"],
  why: string
): Step.Step => {
  const { service } = incident
  const check = Step.check(step, service)
  const channels = Object.keys(incident.told)
  const over = Step.setCheck(Step.removeIncident(step, service), service, {
    ...check,
    recovered: step.now
  })
  if (channels.length === 0) {
    const untold = `${why}; no channel was notified that it was down`
    return Step.nothing(over, incident, "NeverTold", rule, untold)
  }
  const { message } = check
  const ended: Ended = { incident, at: step.now, message, why, rule, channels, standIns: {} }
  return Step.nothing(
    Step.change(over, { ended: [...over.state.ended, ended] }),
    incident,
    "Recovered",
    rule,
    `${why}: the incident is over`
  )
}

/**
 * How bad it is by the last result, and no worse than the incident: what a message may say now. Nothing
 * while that result is healthy: whether the incident is over is for the next results to decide.
 */
export const severityNow = (step: Step.Step, incident: Incident): Severity | undefined => {
  const { status } = Step.check(step, incident.service)
  if (status === "healthy") return undefined
  if (status === "unknown") return incident.severity
  const { critical } = Step.rules(step, incident.service)
  const last = weigh(status, critical) === "unhealthy" ? "unhealthy" : "degraded"
  return isWorse(incident.severity, last) ? last : incident.severity
}

/** From here on each notification is as bad as its service is now. */
export const asNow: Step.Stage = (step) => ({
  ...step,
  notifications: step.notifications.map(
    (one): Notification => ({ ...one, severity: severityNow(step, one.incident) })
  )
})
