/**
 * The policy is another one than before: which checks there are, at a start and while Holter runs.
 *
 * @internal
 */
import { HashMap } from "effect"
import type { Of } from "./Event.js"
import * as Incidents from "./incidents.js"
import * as StartGrace from "./startGrace.js"
import { unseen } from "./State.js"
import * as Step from "./Step.js"

export const restarted = (step: Step.Step): Step.Step => {
  const started = Step.change(StartGrace.awake(step), { disabled: {}, unreachable: {} })
  return Step.note(follow(started), "start", "Holter was started")
}

/** A result of every check of the policy is due, and of no other. */
const follow = (step: Step.Step): Step.Step => {
  const { checks } = step.policy
  const known = step.state.checks
  const come = [...checks.keys()].filter((service) => !HashMap.has(known, service))
  const gone = [...HashMap.keys(known)].filter((service) => !checks.has(service))
  return Step.forEach(Step.forEach(step, come, begin), gone, leave)
}

export const reconfigured = (step: Step.Step, event: Of<"Reconfigured">): Step.Step => {
  const started = event.started.filter((service) => step.policy.checks.has(service))
  const followed = follow(Step.forEach(Step.changed(step), started, begin))
  return Step.note(followed, "configuration", event.why)
}

export const refused = (step: Step.Step, event: Of<"ReconfigurationRefused">): Step.Step => {
  const problems = event.problems.map((line) => line.trim()).join(" ")
  return Step.note(step, "configuration", `All goes on as before: ${problems}`)
}

export const asked = (step: Step.Step, { id }: Of<"ReloadAsked">): Step.Step =>
  Step.note(step, "configuration", `A reload of the configuration was requested (${id})`)

/**
 * What was counted of a check that is another one now says nothing of this one. Channels that were notified
 * of its incident get the end of it, and the messages of before count for the cap.
 */
const begin = (step: Step.Step, service: string): Step.Step => {
  const expectedBy = Step.expectedBy(step, service)
  const { openings, recovered, sent } = Step.check(step, service)
  return Step.setCheck(step, service, { ...unseen, openings, recovered, sent, expectedBy })
}

const leave = (step: Step.Step, service: string): Step.Step => {
  const incident = Step.incident(step, service)
  const ended =
    incident === undefined
      ? step
      : Incidents.end(step, incident, "removed", "It is no longer checked")
  const checks = HashMap.remove(ended.state.checks, service)
  return { ...ended, state: { ...ended.state, checks } }
}
