/**
 * A start, and the end of a sleep of the machine: what was known before is old. Failures right after it do
 * not count, and nothing is said of what was not seen again.
 *
 * @internal
 */
import { HashMap } from "effect"
import * as Format from "../../Common/Format.js"
import type { Notification, Suppression } from "./Notification.js"
import type { Millis } from "./Policy.js"
import { type CheckState, type State, uncounted } from "./State.js"
import * as Step from "./Step.js"

/** A time that comes so late was slept through: the machine wakes up, which is like a start. */
const asleep = 60_000

/** The process had no time to look. No check is stale because of that. */
const busy = 1000

/** Judges the time since the last event: the machine slept, the process was late, or neither. */
export const wake = (step: Step.Step, before: State): Step.Step => {
  const late = before.due === null ? 0 : step.now - before.due
  if (before.now === 0 || late > asleep) return awake(step)
  return late > busy ? overslept(step, late) : step
}

/** Counts that are older than a check may be silent are no longer "in a row". */
export const awake = (step: Step.Step): Step.Step => {
  const { now, state } = step
  const checks = HashMap.map(state.checks, (check, service): CheckState => {
    const { expectedBy } = check
    if (expectedBy === null) return { ...check, ...uncounted }
    const later = Math.max(expectedBy, Step.expectedBy(step, service))
    return { ...check, expectedBy: later, ...(expectedBy < now ? uncounted : {}) }
  })
  return Step.change(step, { awakeSince: now, checks })
}

/** For how long failures do not count yet. */
export const left = ({ now, policy, state }: Step.Step): Millis =>
  state.awakeSince + policy.startGrace - now

/** Until it was seen again, nothing is said of it. */
export const suppression = (
  step: Step.Step,
  { incident }: Notification
): Suppression | undefined => {
  const { now, policy, state } = step
  const { awakeSince } = state
  const check = Step.check(step, incident.service)
  const graceEnd = awakeSince + policy.startGrace
  const block = (why: string, until: Millis): Suppression => ({
    reason: "Start",
    rule: "start",
    id: `Start:${awakeSince}`,
    why,
    until
  })
  if (now < graceEnd) {
    return block(
      `Holter started less than ${Format.span(policy.startGrace)} ago; what is still down after that is sent`,
      graceEnd
    )
  }
  if (check.lastResult >= awakeSince || check.expectedBy === null) return undefined
  return now < check.expectedBy
    ? block("There was no result since Holter started; the next one decides", check.expectedBy)
    : undefined
}

/** The process was late: every check gets that time on top before it is stale. */
const overslept = (step: Step.Step, late: number): Step.Step => ({
  ...step,
  state: {
    ...step.state,
    checks: HashMap.map(
      step.state.checks,
      (check): CheckState =>
        check.expectedBy === null ? check : { ...check, expectedBy: check.expectedBy + late }
    )
  }
})
