/**
 * What one result of a check means for its incident: the counts, and the thresholds that they pass.
 *
 * @internal
 */
import { weigh } from "../../Check/CheckResult.js"
import * as Thresholds from "../../Check/Thresholds.js"
import * as Format from "../../Common/Format.js"
import { joined } from "../../Common/Sentences.js"
import { isWorse, type Severity } from "../Alert.js"
import type { Of } from "./Event.js"
import * as Flapping from "./flapping.js"
import * as Incidents from "./incidents.js"
import * as StartGrace from "./startGrace.js"
import type { CheckState, Incident } from "./State.js"
import * as Step from "./Step.js"

export const count = (before: Step.Step, result: Of<"Result">): Step.Step => {
  const { service, status } = result
  const check = Step.check(before, service)
  const expectedBy = Step.expectedBy(before, service, result.retryAfter ?? 0)
  // Messages that wait for the first result since the start, or for one at all, wait no longer.
  const isAwaited = check.lastResult < before.state.awakeSince || check.expectedBy === null
  const step = isAwaited ? Step.changed(before) : before
  const seen = { lastResult: step.now, expectedBy }
  if (status === "unknown") {
    return Step.nothing(
      Step.setCheck(step, service, { ...check, ...seen }),
      { service },
      "Unknown",
      "steady",
      unknownWhy
    )
  }
  if (status !== "healthy" && StartGrace.left(step) > 0) return tooEarly(step, result, seen)
  const after = counted(step, check, result, status, expectedBy)
  const next = Step.setCheck(step, service, after)
  const incident = Step.incident(next, service)
  if (incident === undefined) return withoutIncident(next, service, check, after)
  if (status === "healthy") return onSuccess(next, incident, after)
  // Messages wait while a service seems to come back, or to be less bad.
  return onFailure(check.status === status ? next : Step.changed(next), incident, after)
}

const unknownWhy = "The result is unknown: it counts neither as a failure nor as a success"

/** It does not count, but what is sent of a known outage is what it says. */
const tooEarly = (
  step: Step.Step,
  { message, service, status }: Of<"Result">,
  seen: Pick<CheckState, "expectedBy" | "lastResult">
): Step.Step => {
  const check = Step.check(step, service)
  const isKnown = check.status !== "healthy" && Step.incident(step, service) !== undefined
  const said = isKnown ? { status, message } : {}
  const within = Format.span(step.policy.startGrace)
  const why = joined(message, ":", `a failure within ${within} of the start does not count`)
  const next = Step.setCheck(step, service, { ...check, ...seen, ...said })
  return Step.suppressed(next, { service }, "Start", "start", why)
}

const counted = (
  step: Step.Step,
  check: CheckState,
  { message, service }: Of<"Result">,
  status: Thresholds.Known,
  expectedBy: number
): CheckState => {
  const isHealthy = status === "healthy"
  const { critical } = Step.rules(step, service)
  const { failures, successes, unhealthy } = Thresholds.count(check, weigh(status, critical))
  const { openings, recovered, sent } = check
  // Field by field, as in Step: this is done for every beat.
  return {
    status,
    previous: failures === 1 ? check.status : check.previous,
    message,
    lastResult: step.now,
    expectedBy,
    failures,
    unhealthy,
    successes,
    failingSince: isHealthy ? null : (check.failingSince ?? step.now),
    openings,
    recovered,
    sent
  }
}

const withoutIncident = (
  step: Step.Step,
  service: string,
  before: CheckState,
  after: CheckState
): Step.Step => {
  if (after.status === "healthy") {
    if (before.failures === 0) return Step.nothing(step, { service }, "Healthy", "steady", steady)
    // A service that depends on it may have waited for what becomes of it.
    const why = `Healthy again after ${Format.many(before.failures, "failure")}, which were too few for an incident`
    return Step.nothing(Step.changed(step), { service }, "Healthy", "threshold", why)
  }
  const rules = Step.rules(step, service)
  if (!Thresholds.isFailing(after, rules)) {
    const { failureThreshold } = rules
    const nth = `failure ${after.failures} of the ${failureThreshold} in a row that open an incident`
    const why = joined(after.message, ":", nth)
    return Step.nothing(step, { service }, "BelowThreshold", "threshold", why)
  }
  return Flapping.open(step, {
    service,
    cause: "failures",
    severity: severityOf(step, service, after),
    since: after.failingSince ?? step.now,
    why: joined(after.message, ":", `${Format.many(after.failures, "failure")} in a row`)
  })
}

const steady = "Healthy, as before"

/** What so many failures in a row amount to: unhealthy only if enough of them were. */
const severityOf = (step: Step.Step, service: string, check: CheckState): Severity =>
  Thresholds.isUnhealthy(check, Step.rules(step, service)) ? "unhealthy" : "degraded"

const onSuccess = (step: Step.Step, incident: Incident, check: CheckState): Step.Step => {
  const rules = Step.rules(step, incident.service)
  const { flapping } = incident
  if (flapping?.up === true) {
    return Step.nothing(step, incident, "Healthy", "flapping", "Healthy, but it flaps")
  }
  if (!Thresholds.isRecovered(check, rules)) {
    const nth = `success ${check.successes} of the ${rules.recoveryThreshold} in a row that end the incident`
    return Step.nothing(step, incident, "Recovering", "threshold", joined(check.message, ":", nth))
  }
  const why = joined(check.message, ":", `${Format.many(check.successes, "success")} in a row`)
  return flapping === null
    ? Incidents.end(step, incident, "recovery", why)
    : Flapping.turned(step, incident, flapping, why)
}

const onFailure = (step: Step.Step, incident: Incident, check: CheckState): Step.Step => {
  const why = joined(check.message, ":", `${Format.many(check.failures, "failure")} in a row`)
  const { flapping } = incident
  if (flapping?.up === true) {
    return Thresholds.isFailing(check, Step.rules(step, incident.service))
      ? Flapping.turned(step, incident, flapping, why)
      : Step.nothing(step, incident, "BelowThreshold", "flapping", `${why}, while it flaps`)
  }
  const severity = severityOf(step, incident.service, check)
  if (isWorse(severity, incident.severity)) {
    return Incidents.worsen(step, incident, severity, why)
  }
  return Step.nothing(step, incident, "StillOpen", "steady", `${why}; the incident is open already`)
}
