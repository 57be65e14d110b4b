/**
 * What one result of a check means for its incident: the counts, and the thresholds that they pass.
 *
 * @internal
 */
import { weigh } from "../../Check/CheckResult.js"
import { longestRetryAfter } from "../../Check/Heartbeat/Rhythm.js"
import { joined } from "../../Common/Sentences.js"
import { isWorse, type Severity } from "../Alert.js"
import * as Draft from "./Draft.js"
import type { Event } from "./Event.js"
import * as Flapping from "./flapping.js"
import * as Incidents from "./incidents.js"
import type { CheckState, Incident } from "./State.js"
import * as Format from "../../Common/Format.js"

type Result = Extract<Event, { _tag: "Result" }>

export const onResult = (draft: Draft.Draft, result: Result): void => {
  const { service, status } = result
  const before = Draft.check(draft, service)
  const seen = { lastResult: draft.now, expectedBy: nextBy(draft, result) }
  // Who waits for the first result since the start, or for one at all, waits no longer.
  if (before.lastResult < draft.state.awakeSince || before.expectedBy === null) {
    draft.unsettled = true
  }
  if (status === "unknown") {
    Draft.setCheck(draft, service, { ...before, ...seen })
    return Draft.nothing(draft, { service }, "Unknown", "steady", unknownWhy)
  }
  const grace = draft.state.awakeSince + draft.policy.startGrace - draft.now
  if (status !== "healthy" && grace > 0) {
    // It does not count, but what is told of a known outage is what it says.
    const isKnown = before.status !== "healthy" && Draft.incident(draft, service) !== undefined
    const said = isKnown ? { status, message: result.message } : {}
    Draft.setCheck(draft, service, { ...before, ...seen, ...said })
    const within = Format.span(draft.policy.startGrace)
    const why = joined(
      result.message,
      ":",
      `a failure within ${within} of the start does not count`
    )
    return Draft.suppressed(draft, { service }, "Start", "start", why)
  }
  const after = counted(draft, before, result, seen.expectedBy)
  Draft.setCheck(draft, service, after)
  const incident = Draft.incident(draft, service)
  if (incident === undefined) return withoutIncident(draft, service, before, after)
  if (status === "healthy") return onSuccess(draft, incident, after)
  // Messages wait while a service seems to come back, or to be less bad.
  if (before.status !== status) draft.unsettled = true
  onFailure(draft, incident, after)
}

const unknownWhy = "The result is unknown: it counts neither as a failure nor as a success"

/** The heartbeat slows a check down by no more than that, whatever it asked for. */
const nextBy = (draft: Draft.Draft, { retryAfter, service }: Result): number =>
  draft.now +
  Math.min(retryAfter ?? 0, longestRetryAfter) +
  draft.policy.staleAfter * Draft.rules(draft, service).interval

const counted = (
  draft: Draft.Draft,
  check: CheckState,
  result: Result,
  expectedBy: number
): CheckState => {
  const { message, service, status } = result
  const isHealthy = status === "healthy"
  const isUnhealthy = weigh(status, Draft.rules(draft, service).critical) === "unhealthy"
  const { failures, openings, recovered, sent } = check
  // Field by field, as in Draft: this is done for every beat.
  return {
    status,
    previous: !isHealthy && failures === 0 ? check.status : check.previous,
    message,
    lastResult: draft.now,
    expectedBy,
    failures: isHealthy ? 0 : failures + 1,
    unhealthy: isUnhealthy ? check.unhealthy + 1 : 0,
    successes: isHealthy ? check.successes + 1 : 0,
    failingSince: isHealthy ? null : (check.failingSince ?? draft.now),
    openings,
    recovered,
    sent
  }
}

const withoutIncident = (
  draft: Draft.Draft,
  service: string,
  before: CheckState,
  after: CheckState
): void => {
  if (after.status === "healthy") {
    if (before.failures === 0) return Draft.nothing(draft, { service }, "Healthy", "steady", steady)
    // Who depends on it may have waited for what becomes of it.
    draft.unsettled = true
    const why = `Healthy again after ${Format.many(before.failures, "failure")}, which were too few for an incident`
    return Draft.nothing(draft, { service }, "Healthy", "threshold", why)
  }
  const { failureThreshold } = Draft.rules(draft, service)
  if (after.failures < failureThreshold) {
    const count = `failure ${after.failures} of the ${failureThreshold} in a row that open an incident`
    const why = joined(after.message, ":", count)
    return Draft.nothing(draft, { service }, "BelowThreshold", "threshold", why)
  }
  Incidents.open(draft, {
    service,
    cause: "failures",
    severity: severityOf(draft, service, after),
    since: after.failingSince ?? draft.now,
    why: joined(after.message, ":", `${Format.many(after.failures, "failure")} in a row`)
  })
}

const steady = "Healthy, as before"

/** What so many failures in a row amount to: unhealthy only if enough of them were. */
const severityOf = (draft: Draft.Draft, service: string, check: CheckState): Severity =>
  check.unhealthy >= Draft.rules(draft, service).failureThreshold ? "unhealthy" : "degraded"

const onSuccess = (draft: Draft.Draft, incident: Incident, check: CheckState): void => {
  const { recoveryThreshold } = Draft.rules(draft, incident.service)
  if (incident.flapping?.up === true) {
    return Draft.nothing(draft, incident, "Healthy", "flapping", "Healthy, but it flaps")
  }
  if (check.successes < recoveryThreshold) {
    const count = `success ${check.successes} of the ${recoveryThreshold} in a row that end the incident`
    const why = joined(check.message, ":", count)
    return Draft.nothing(draft, incident, "Recovering", "threshold", why)
  }
  const why = joined(check.message, ":", `${Format.many(check.successes, "success")} in a row`)
  if (incident.flapping !== null) {
    return Flapping.onChange(draft, incident, incident.flapping, why)
  }
  Incidents.end(draft, incident, "recovery", why)
}

const onFailure = (draft: Draft.Draft, incident: Incident, check: CheckState): void => {
  const { failureThreshold } = Draft.rules(draft, incident.service)
  const why = joined(check.message, ":", `${Format.many(check.failures, "failure")} in a row`)
  const { flapping } = incident
  if (flapping?.up === true) {
    if (check.failures >= failureThreshold) {
      return Flapping.onChange(draft, incident, flapping, why)
    }
    return Draft.nothing(draft, incident, "BelowThreshold", "flapping", `${why}, while it flaps`)
  }
  const severity = severityOf(draft, incident.service, check)
  if (isWorse(severity, incident.severity)) {
    return Incidents.worsen(draft, incident, severity, why)
  }
  Draft.nothing(draft, incident, "StillOpen", "steady", `${why}; the incident is open already`)
}
