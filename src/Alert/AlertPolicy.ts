/**
 * Which alerts are sent, and why not: a pure fold from events to decisions. The same function runs live, in
 * tests, and over the journal's past.
 *
 * Every step is one shape, `AlertPolicy/Step`: the state so far, what was decided, and the notifications that
 * are on their way. A stage takes it and returns the next; nothing is changed in place. What happened is
 * counted by one stage, that of its event (`happen`). What follows from it for everything that is open is a
 * list of stages (`pipeline`), which is left out for an event that changes nothing for others, as nearly all
 * do not. A notification is what channels are to hear of one incident; `Suppressions.by` makes a stage of a
 * reason to hold it back.
 *
 * From a probe to a channel that is the fifth of six shapes: `Outcome` (what a probe reports), `CheckResult`
 * (what a run comes to), `Event` (what the fold hears), `Incident` (what it knows), `Notification`, `Alert`
 * (what a channel gets).
 *
 * The fold has no clock. It says by `due` when it wants to hear of the time again, and nothing that
 * goes by time happens before; `advance` gives it every such time up to the next event.
 */
import { HashMap } from "effect"
import * as Alerts from "./AlertPolicy/alerts.js"
import * as Caps from "./AlertPolicy/caps.js"
import * as Channels from "./AlertPolicy/channels.js"
import * as Configuration from "./AlertPolicy/configuration.js"
import type { Decision } from "./AlertPolicy/Decision.js"
import * as EarlierRun from "./AlertPolicy/earlierRun.js"
import type { Event } from "./AlertPolicy/Event.js"
import * as Flapping from "./AlertPolicy/flapping.js"
import * as Grouping from "./AlertPolicy/grouping.js"
import * as Incidents from "./AlertPolicy/incidents.js"
import * as Inhibition from "./AlertPolicy/inhibition.js"
import type { Policy } from "./AlertPolicy/Policy.js"
import * as Reminders from "./AlertPolicy/reminders.js"
import * as Resolving from "./AlertPolicy/resolving.js"
import * as Routing from "./AlertPolicy/routing.js"
import * as Silences from "./AlertPolicy/silences.js"
import * as Staleness from "./AlertPolicy/staleness.js"
import * as StartGrace from "./AlertPolicy/startGrace.js"
import type { State } from "./AlertPolicy/State.js"
import * as Steps from "./AlertPolicy/Step.js"
import * as Suppressions from "./AlertPolicy/suppressions.js"
import * as Thresholds from "./AlertPolicy/thresholds.js"

export { isHandedOn, isStoodIn, unrouted } from "./AlertPolicy/channels.js"
export { Decision, NothingReason, Rule, SuppressionReason } from "./AlertPolicy/Decision.js"
export * as Event from "./AlertPolicy/Event.js"
export {
  type ChannelRules,
  type CheckRules,
  type DescribedCheck,
  make,
  type Millis,
  type Options,
  type Policy,
  withChecks,
  withoutChecks
} from "./AlertPolicy/Policy.js"
export { CheckState, Ended, Incident, initial, Quiet, State } from "./AlertPolicy/State.js"

export type Step = readonly [state: State, decisions: ReadonlyArray<Decision>]

/** What happened, by its own stage. */
const happen = (step: Steps.Step, event: Event): Steps.Step => {
  switch (event._tag) {
    case "Result":
      return Thresholds.count(step, event)
    case "Time":
      return step
    case "Restarted":
      return Configuration.restarted(step)
    case "Remembered":
      return EarlierRun.remembered(step, event)
    case "MaintenanceStarted":
    case "Silenced":
      return Silences.begin(step, event)
    case "MaintenanceEnded":
    case "Unsilenced":
      return Silences.end(step, event)
    case "Acknowledged":
      return Reminders.acknowledged(step, event)
    case "ChannelDisabled":
      return Channels.disabled(step, event)
    case "ChannelEnabled":
      return Channels.enabled(step, event)
    case "ChannelUnreachable":
      return Channels.unreachable(step, event)
    case "ChannelReached":
      return Channels.reached(step, event)
    case "AlertRefused":
      return Channels.refused(step, event)
    case "ChannelRemoved":
      return Channels.removed(step, event)
    case "ReloadAsked":
      return Configuration.asked(step, event)
    case "Reconfigured":
      return Configuration.reconfigured(step, event)
    case "ReconfigurationRefused":
      return Configuration.refused(step, event)
  }
}

/** What holds back any message but the end of what a channel was notified of. */
const suppressions: ReadonlyArray<Steps.Stage> = [
  Suppressions.by(StartGrace.suppression),
  Suppressions.by(Silences.suppression),
  Suppressions.by(Inhibition.suppression),
  Suppressions.by(Flapping.suppression)
]

/** The next time at which a rule that goes by time has something to say. */
const dueNext: Steps.Stage = (step) => {
  const { checks, groupUntil, incidents, quiets } = step.state
  let next = Math.min(
    groupUntil ?? Number.POSITIVE_INFINITY,
    step.lookAgain ?? Number.POSITIVE_INFINITY
  )
  const at = (time: number | null) => {
    if (time !== null && time > step.now && time < next) next = time
  }
  for (const { until } of quiets) at(until)
  for (const { expectedBy } of HashMap.values(checks)) at(expectedBy)
  for (const { flapping, remindAt } of Object.values(incidents)) {
    at(remindAt)
    if (flapping !== null) at(flapping.lastChange + step.policy.flapping.calm)
  }
  const isAny = Number.isFinite(next)
  return { ...step, state: { ...step.state, due: isAny ? Math.max(next, step.now + 1) : null } }
}

/** What follows for everything that is open, and what the passing of time alone does. */
const pipeline: ReadonlyArray<Steps.Stage> = [
  Silences.expire,
  Staleness.find,
  Flapping.calm,

  Resolving.find,
  Alerts.send,

  Routing.find,
  Incidents.asNow,
  ...suppressions,
  Routing.decideNext,
  Caps.limit,
  Routing.explain,
  Suppressions.record,
  Grouping.wait,
  Alerts.send,
  Caps.count,
  Routing.remember,
  Reminders.begin,

  Reminders.find,
  ...suppressions,
  Incidents.asNow,
  Caps.limit,
  Reminders.record,
  Alerts.send,
  Caps.count,

  Grouping.close,
  dueNext
]

/** One event. */
export const step = (policy: Policy, before: State, event: Event): Step => {
  // The fold's clock never goes back: a wall clock that does changes what is between the two.
  const clock = event.at + before.offset
  const now = Math.max(clock, before.now)
  // Results and times that overtake each other on their way here did not set the clock.
  const offset = before.now - clock > disorder ? now - event.at : before.offset
  const begun = Steps.make(policy, before, { now, wall: event.at, offset })
  const happened = happen(StartGrace.wake(begun, before), event)
  const isDue = before.due !== null && now >= before.due
  const { decisions, state } =
    happened.isChanged || isDue
      ? Steps.through(pipeline, happened)
      : event._tag === "Result"
        ? dueSooner(happened, event.service)
        : happened
  return [state, decisions]
}

/**
 * One event, and before it every time that the fold asked to hear of. For a past that is replayed
 * and for tests; a live loop sleeps until `due` instead.
 */
export const advance = (policy: Policy, before: State, event: Event): Step => {
  let state = before
  const decisions: Array<Decision> = []
  // Until it was started it was not there to hear of the time.
  const isThere = event._tag !== "Restarted"
  for (let at = due(state); isThere && at !== undefined && at < event.at; at = due(state)) {
    const [next, decided] = step(policy, state, { _tag: "Time", at })
    state = next
    decisions.push(...decided)
  }
  const [next, decided] = step(policy, state, event)
  return [next, decisions.length === 0 ? decided : [...decisions, ...decided]]
}

/** The state while nothing is checked: no result is due, so no check is stale. `expecting` ends it. */
export const resting = (state: State): State => ({
  ...state,
  checks: HashMap.map(state.checks, (check) => ({ ...check, expectedBy: null }))
})

/** The state once everything is checked again: from this time of the wall clock a result of each check is due. */
export const expecting = (policy: Policy, before: State, at: number): State => {
  const now = Math.max(at + before.offset, before.now)
  const step = Steps.make(policy, before, { now, wall: at, offset: before.offset })
  let due = before.due ?? Number.POSITIVE_INFINITY
  const checks = HashMap.map(before.checks, (check, service) => {
    if (!policy.checks.has(service)) return check
    const expectedBy = Steps.expectedBy(step, service)
    due = Math.min(due, expectedBy)
    return { ...check, expectedBy }
  })
  return { ...before, checks, due: Number.isFinite(due) ? due : null }
}

/** The services that the state knows of, by their results or by an incident. */
export const services = ({ checks, incidents }: State): ReadonlyArray<string> => [
  ...new Set([...HashMap.keys(checks), ...Object.keys(incidents)])
]

/** When the fold next wants a `Time` event, by the wall clock. */
export const due = (state: State): number | undefined =>
  state.due === null ? undefined : state.due - state.offset

/** So much too early an event may come. */
const disorder = 1000

/** A result puts off when its check is stale; `due` may then be too early, never too late. */
const dueSooner = (step: Steps.Step, service: string): Steps.Step => {
  const { expectedBy } = Steps.check(step, service)
  const { due: before } = step.state
  return expectedBy === null || (before !== null && expectedBy >= before)
    ? step
    : { ...step, state: { ...step.state, due: expectedBy } }
}
