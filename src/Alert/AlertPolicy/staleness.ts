/**
 * A check without a result for too long: its status is not known any more.
 *
 * @internal
 */
import { HashMap } from "effect"
import * as Format from "../../Common/Format.js"
import * as Flapping from "./flapping.js"
import { type CheckState, uncounted } from "./State.js"
import * as Step from "./Step.js"

export const find: Step.Stage = (step) => {
  const overdue: Array<readonly [service: string, check: CheckState]> = []
  for (const entry of HashMap.entries(step.state.checks)) {
    const [, { expectedBy }] = entry
    if (expectedBy !== null && expectedBy <= step.now) overdue.push(entry)
  }
  return Step.forEach(step, overdue, (next, [service, check]) => stale(next, service, check))
}

const stale = (step: Step.Step, service: string, check: CheckState): Step.Step => {
  const { critical, interval } = Step.rules(step, service)
  const since = Math.max(check.lastResult, step.state.awakeSince)
  const message = `No result for ${Format.span(step.now - since)}`
  const why = `${message}, and one was due every ${Format.span(interval)}`
  const previous = check.status === "unknown" ? check.previous : check.status
  const next = Step.setCheck(step, service, {
    ...check,
    ...uncounted,
    status: "unknown",
    previous,
    message,
    expectedBy: null
  })
  const incident = Step.incident(next, service)
  if (incident !== undefined) {
    const open = `${why}; the incident is open already`
    return Step.nothing(Step.changed(next), incident, "StillOpen", "stale", open)
  }
  const severity = critical ? "unhealthy" : "degraded"
  return Flapping.open(next, { service, cause: "stale", severity, since, why })
}
