/**
 * An outage that another one explains. A dependency explains it only while it is at least as bad
 * itself: a slow database is no excuse for a service that is down.
 *
 * @internal
 */
import { type Status, weigh } from "../../Check/CheckResult.js"
import { isWorse, type Severity } from "../Alert.js"
import type { Suppression } from "./Suppression.js"
import * as Draft from "./Draft.js"
import type { Millis } from "./Policy.js"
import type { Incident } from "./State.js"

export const blockOf = (draft: Draft.Draft, incident: Incident): Suppression | undefined =>
  search(draft, incident, incident.service, new Set([incident.service]))

/** Depth first, so that the root cause is named and not what it took down as well. */
const search = (
  draft: Draft.Draft,
  incident: Incident,
  service: string,
  visited: Set<string>
): Suppression | undefined => {
  for (const dependency of Draft.rules(draft, service).dependsOn) {
    if (visited.has(dependency)) continue
    visited.add(dependency)
    const found =
      search(draft, incident, dependency, visited) ?? explanation(draft, incident, dependency)
    if (found !== undefined) return found
  }
  return undefined
}

const explanation = (
  draft: Draft.Draft,
  incident: Incident,
  dependency: string
): Suppression | undefined => {
  const label = Draft.label(draft, dependency)
  const own = Draft.label(draft, incident.service)
  const block = (why: string, until: Millis | undefined): Suppression => ({
    reason: "Dependency",
    rule: "dependency",
    id: `Dependency:${dependency}`,
    why,
    until,
    root: dependency
  })
  const open = Draft.incident(draft, dependency)
  if (open !== undefined) {
    return isWorse(incident.severity, open.severity)
      ? undefined
      : block(`${own} depends on ${label}, which is ${open.severity}`, undefined)
  }
  const check = Draft.check(draft, dependency)
  const rules = Draft.rules(draft, dependency)
  const status = failingSeverity(check.failures, check.status, rules.critical)
  // Who fails first is chance: a dependency that has begun to fail gets the time to be found out.
  const decided = incident.opened + rules.failureThreshold * rules.interval
  if (status !== undefined && !isWorse(incident.severity, status) && draft.now < decided) {
    return block(`${own} depends on ${label}, which has begun to fail`, decided)
  }
  const { interval, recoveryThreshold } = Draft.rules(draft, incident.service)
  const recovered = check.recovered ?? Number.NEGATIVE_INFINITY
  const settled = recovered + (recoveryThreshold + 1) * interval
  if (incident.since <= recovered && draft.now < settled) {
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
