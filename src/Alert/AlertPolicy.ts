/**
 * When somebody is told, and when not: a pure fold from events to decisions. The same function runs
 * live, in tests, and over the journal's past.
 *
 * The fold has no clock. It says by `due` when it wants to hear of the time again, and nothing that
 * goes by time happens before; `advance` gives it every such time up to the next event.
 */
import { HashMap } from "effect"
import * as Routes from "./Routes.js"
import type { Alert } from "./Alert.js"
import * as Configuring from "./AlertPolicy/configuring.js"
import type { Decision } from "./AlertPolicy/Decision.js"
import * as Draft from "./AlertPolicy/Draft.js"
import type { Event } from "./AlertPolicy/Event.js"
import * as EventHandlers from "./AlertPolicy/eventHandlers.js"
import type { Policy } from "./AlertPolicy/Policy.js"
import { remembered } from "./AlertPolicy/earlierRun.js"
import { channelRemoved } from "./AlertPolicy/removal.js"
import * as Evaluate from "./AlertPolicy/evaluate.js"
import * as StandIns from "./AlertPolicy/standIns.js"
import type { State } from "./AlertPolicy/State.js"
import { onResult } from "./AlertPolicy/thresholds.js"

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

/** One event. */
export const step = (policy: Policy, before: State, event: Event): Step => {
  const isFirst = before.now === 0
  // The fold's clock never goes back: a wall clock that does changes what is between the two.
  const clock = event.at + before.offset
  const now = Math.max(clock, before.now)
  // Results and times that overtake each other on their way here did not set the clock.
  const offset = before.now - clock > disorder ? now - event.at : before.offset
  const draft = Draft.make(policy, before, { now, wall: event.at, offset })
  const late = before.due === null ? 0 : now - before.due
  if (isFirst || late > asleep) EventHandlers.awake(draft)
  else if (late > busy) EventHandlers.overslept(draft, late)
  apply(draft, event)
  if (draft.unsettled || (before.due !== null && now >= before.due)) Evaluate.run(draft)
  else if (event._tag === "Result") keepDue(draft, event.service)
  return [draft.state, draft.decisions]
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

/** The state while nothing is checked: no result is due, so no check is stale. `Restarted` ends it. */
export const resting = (state: State): State => ({
  ...state,
  checks: HashMap.map(state.checks, (check) => ({ ...check, expectedBy: null }))
})

/** The services that the state knows of, by their results or by an incident. */
export const services = ({ checks, incidents }: State): ReadonlyArray<string> => [
  ...new Set([...HashMap.keys(checks), ...Object.keys(incidents)])
]

/** When the fold next wants a `Time` event, by the wall clock. */
export const due = (state: State): number | undefined =>
  state.due === null ? undefined : state.due - state.offset

/**
 * Whether another channel takes this alert, now that its own fails for good. Such alerts are the
 * `pending` ones of `ChannelDisabled`; all others stay in the outbox until their channel returns, also
 * an end that the other channel is told for its own sake.
 */
export const isHandedOn = (policy: Policy, state: State, alert: Alert): boolean => {
  const other = Routes.fallback(
    policy.routes,
    alert.severity,
    alert.channel,
    (channel) => channel === alert.channel || Object.hasOwn(state.disabled, channel)
  )
  return other !== undefined && EventHandlers.newTo(alert.subjects, other).length > 0
}

/**
 * Whether this end is for a channel that takes nothing now, and the one in its place is told of the
 * same end, as it was of the outage. Where the channel did not get the beginning, it need not have the
 * end.
 */
export const isStoodIn = (policy: Policy, state: State, alert: Alert): boolean => {
  const { channel, kind, severity, subjects } = alert
  if (kind !== "resolved" || !Object.hasOwn(state.unreachable, channel)) return false
  const other = Routes.fallback(policy.routes, severity, channel, (name) => name === channel)
  return other !== undefined && subjects.every(({ others }) => others?.includes(other) === true)
}

/**
 * The channels that know of an incident and are in no route. Where one of them is not there any more
 * either, `ChannelRemoved` says so to the fold.
 */
export const unrouted = (policy: Policy, state: State): ReadonlyArray<string> => {
  const knowing = [
    ...Object.values(state.incidents).flatMap(({ told }) => Object.keys(told)),
    ...state.ended.flatMap(({ channels }) => channels)
  ]
  return [...new Set(knowing)].filter((channel) => !Routes.names(policy.routes, channel))
}

/** A time that comes so late was slept through: the machine wakes up, which is like a start. */
const asleep = 60_000

/** The process had no time to look. No check is stale because of that. */
const busy = 1000

/** So much too early an event may come. */
const disorder = 1000

const apply = (draft: Draft.Draft, event: Event): void => {
  switch (event._tag) {
    case "Result":
      return onResult(draft, event)
    case "Time":
      return
    case "Restarted":
      return EventHandlers.restarted(draft)
    case "Remembered":
      return remembered(draft, event.state)
    case "MaintenanceStarted":
      return EventHandlers.quiet(draft, { ...event, kind: "Maintenance" })
    case "MaintenanceEnded":
      return EventHandlers.loud(draft, "Maintenance", event.id)
    case "Silenced":
      return EventHandlers.quiet(draft, { ...event, kind: "Silence" })
    case "Unsilenced":
      return EventHandlers.loud(draft, "Silence", event.id)
    case "Acknowledged":
      return EventHandlers.acknowledged(draft, event)
    case "ChannelDisabled":
      return EventHandlers.disabled(draft, event)
    case "ChannelEnabled":
      return EventHandlers.enabled(draft, event.channel)
    case "ChannelUnreachable":
      return StandIns.unreachable(draft, event)
    case "ChannelReached":
      return StandIns.reached(draft, event.channel)
    case "AlertRefused":
      return StandIns.refused(draft, event)
    case "ChannelRemoved":
      return channelRemoved(draft, event)
    case "ReloadAsked":
      return Configuring.asked(draft, event)
    case "Reconfigured":
      return Configuring.reconfigured(draft, event)
    case "ReconfigurationRefused":
      return Configuring.refused(draft, event)
  }
}

/** A result puts off when its check is stale; `due` may then be too early, never too late. */
const keepDue = (draft: Draft.Draft, service: string): void => {
  const { expectedBy } = Draft.check(draft, service)
  if (expectedBy === null) return
  const { due: before } = draft.state
  if (before === null || expectedBy < before) draft.state.due = expectedBy
}
