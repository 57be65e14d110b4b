/**
 * An outage that another one explains. A dependency explains it only while it is at least as bad
 * itself: a slow database is no excuse for a service that is down.
 *
 * @internal
 */
import { type Status, weigh } from "../../Check/CheckResult.js"
import { isWorse, type Severity } from "../Alert.js"
import { type Notification, present, type Suppression } from "./Notification.js"
import type { Millis } from "./Policy.js"
import type { Incident } from "./State.js"
import * as Step from "./Step.js"

export const suppression = (step: Step.Step, notification: Notification): Suppression | undefined =>
  explained(step, present(notification))

/** What explains an incident of this severity. */
export const explained = (step: Step.Step, incident: Incident): Suppression | undefined =>
  search(step, incident, incident.service, new Set([incident.service]))

/** Depth first, so that the root cause is named and not what it took down as well. */
const search = (
  step: Step.Step,
  incident: Incident,
  service: string,
  visited: Set<string>
): Suppression | undefined => {
  for (const dependency of Step.rules(step, service).dependsOn) {
    if (visited.has(dependency)) continue
    visited.add(dependency)
    const found =
      search(step, incident, dependency, visited) ?? explanation(step, incident, dependency)
    if (found !== undefined) return found
  }
  return undefined
}

const explanation = (
  step: Step.Step,
  incident: Incident,
  dependency: string
): Suppression | undefined => {
  const label = Step.label(step, dependency)
  const own = Step.label(step, incident.service)
  const block = (why: string, until: Millis | undefined): Suppression => ({
    reason: "Dependency",
    rule: "dependency",
    id: `Dependency:${dependency}`,
    why,
    until,
    root: dependency
  })
  const open = Step.incident(step, dependency)
  if (open !== undefined) {
    return isWorse(incident.severity, open.severity)
      ? undefined
      : block(`${own} depends on ${label}, which is ${open.severity}`, undefined)
  }
  const check = Step.check(step, dependency)
  const rules = Step.rules(step, dependency)
  const status = failingSeverity(check.failures, check.status, rules.critical)
  // Who fails first is chance: a dependency that has begun to fail gets the time to be found out.
  const decided = incident.opened + rules.failureThreshold * rules.interval
  if (status !== undefined && !isWorse(incident.severity, status) && step.now < decided) {
    return block(`${own} depends on ${label}, which has begun to fail`, decided)
  }
  const { interval, recoveryThreshold } = Step.rules(step, incident.service)
  const recovered = check.recovered ?? Number.NEGATIVE_INFINITY
  const settled = recovered + (recoveryThreshold + 1) * interval
  if (incident.since <= recovered && step.now < settled) {
    return block(
      `${own} depends on ${label}, which is back; ${own} gets the time to come back too`,
      settled
    )
  }
  return undefined
}

const failingSeverity = (
  failures: number,
  status: Status,
  critical: boolean
): Severity | undefined => {
  if (failures === 0) return undefined
  return weigh(status, critical) === "unhealthy" ? "unhealthy" : "degraded"
}
