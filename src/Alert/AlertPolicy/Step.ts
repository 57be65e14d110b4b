/**
 * One step of the fold, on its way through the stages: what is known by now, what was decided, and what
 * channels are about to hear. A stage takes it and returns the next; nothing in it is changed in place.
 *
 * @internal
 */
import { HashMap, Option } from "effect"
import * as Guidance from "../../Check/Guidance.js"
import * as Rhythm from "../../Check/Heartbeat/Rhythm.js"
import type { Decision, NothingReason, Rule, SuppressionReason } from "./Decision.js"
import type { Notification } from "./Notification.js"
import { type CheckRules, type Millis, type Policy, rulesOf } from "./Policy.js"
import { type CheckState, type Incident, type State, unseen } from "./State.js"

export interface Step {
  readonly policy: Policy
  /** The time of the fold's own clock, and of the wall's. */
  readonly now: Millis
  readonly wall: Millis
  readonly state: State
  readonly decisions: ReadonlyArray<Decision>
  readonly notifications: ReadonlyArray<Notification>
  /** Whether anything changed that other incidents, or messages, depend on. */
  readonly isChanged: boolean
  /** The earliest time at which something that is held back must be looked at again. */
  readonly lookAgain: Millis | undefined
}

export type Stage = (step: Step) => Step

export interface Moment {
  readonly now: Millis
  readonly wall: Millis
  /** From the wall's time to that of the fold. */
  readonly offset: Millis
}

export const make = (policy: Policy, before: State, { now, offset, wall }: Moment): Step => ({
  policy,
  now,
  wall,
  // Field by field, here and in `setCheck`: a spread that overwrites costs several times as much, for each beat.
  state: {
    now,
    offset,
    awakeSince: before.awakeSince,
    due: before.due,
    sequence: before.sequence,
    checks: before.checks,
    incidents: before.incidents,
    ended: before.ended,
    groupUntil: before.groupUntil,
    quiets: before.quiets,
    disabled: before.disabled,
    unreachable: before.unreachable
  },
  decisions: none,
  notifications: none,
  isChanged: false,
  lookAgain: undefined
})

const none: ReadonlyArray<never> = []

/** All of them, one after the other. */
export const through = (stages: ReadonlyArray<Stage>, step: Step): Step => {
  let next = step
  for (const stage of stages) next = stage(next)
  return next
}

/** A stage for each of these, one after the other. */
export const forEach = <A>(
  step: Step,
  all: Iterable<A>,
  stage: (step: Step, one: A) => Step
): Step => {
  let next = step
  for (const one of all) next = stage(next, one)
  return next
}

/** With a part of the state that others depend on. */
export const change = (step: Step, part: Partial<State>): Step => ({
  ...step,
  state: { ...step.state, ...part },
  isChanged: true
})

export const changed = (step: Step): Step => (step.isChanged ? step : { ...step, isChanged: true })

export const rules = ({ policy }: Step, service: string): CheckRules => rulesOf(policy, service)

export const label = (step: Step, service: string): string => rules(step, service).label

/** What helps a person who reads of it; of what is checked no more as it was when it opened. */
export const guidance = (
  { policy }: Step,
  { guidance: kept, service }: Pick<Incident, "guidance" | "service">
): NonNullable<Incident["guidance"]> => {
  const { label: name, link, runbook } = policy.checks.get(service) ?? kept ?? { label: service }
  return { label: name, ...Guidance.of({ link, runbook }) }
}

export const check = ({ state }: Step, service: string): CheckState =>
  Option.getOrElse(HashMap.get(state.checks, service), () => unseen)

export const setCheck = (step: Step, service: string, value: CheckState): Step => {
  const { state } = step
  return {
    policy: step.policy,
    now: step.now,
    wall: step.wall,
    state: {
      now: state.now,
      offset: state.offset,
      awakeSince: state.awakeSince,
      due: state.due,
      sequence: state.sequence,
      checks: HashMap.set(state.checks, service, value),
      incidents: state.incidents,
      ended: state.ended,
      groupUntil: state.groupUntil,
      quiets: state.quiets,
      disabled: state.disabled,
      unreachable: state.unreachable
    },
    decisions: step.decisions,
    notifications: step.notifications,
    isChanged: step.isChanged,
    lookAgain: step.lookAgain
  }
}

/** When the next result of a check is due at the latest. */
export const expectedBy = (step: Step, service: string, retryAfter = 0): Millis =>
  step.now + Rhythm.allowed(rules(step, service).interval, retryAfter, step.policy.staleAfter)

export const incident = ({ state }: Step, service: string): Incident | undefined =>
  state.incidents[service]

export const incidents = ({ state }: Step): ReadonlyArray<Incident> =>
  Object.values(state.incidents)

export const setIncident = (step: Step, value: Incident): Step =>
  change(step, { incidents: { ...step.state.incidents, [value.service]: value } })

/** Together, since each change copies them all. */
export const setIncidents = (step: Step, values: ReadonlyArray<Incident>): Step => {
  const [first, ...rest] = values
  if (first === undefined) return step
  if (rest.length === 0) return setIncident(step, first)
  const news = Object.fromEntries(values.map((value) => [value.service, value]))
  return change(step, { incidents: { ...step.state.incidents, ...news } })
}

export const removeIncident = (step: Step, service: string): Step =>
  change(step, { incidents: without(step.state.incidents, service) })

/** A record without this key. */
export const without = <A>(all: Readonly<Record<string, A>>, key: string): Record<string, A> => {
  const { [key]: _, ...rest } = all
  return rest
}

export const toWall = ({ state }: Step, time: Millis): Millis => time - state.offset

export const lookAgain = (step: Step, time: Millis): Step => ({
  ...step,
  lookAgain: Math.min(step.lookAgain ?? Number.POSITIVE_INFINITY, time)
})

/** About which incident, or service, or nothing in particular. */
export type About = Incident | { readonly service: string | null }

export const decide = (step: Step, ...decisions: ReadonlyArray<Decision>): Step => ({
  policy: step.policy,
  now: step.now,
  wall: step.wall,
  state: step.state,
  decisions: step.decisions.length === 0 ? decisions : [...step.decisions, ...decisions],
  notifications: step.notifications,
  isChanged: step.isChanged,
  lookAgain: step.lookAgain
})

export const nothing = (
  step: Step,
  about: About,
  reason: NothingReason,
  rule: Rule,
  why: string
): Step => decide(step, { _tag: "Nothing", ...common(step, about, rule, why), reason })

/** What concerns no service in particular. */
export const note = (step: Step, rule: Rule, why: string): Step =>
  nothing(step, { service: null }, "Noted", rule, why)

export const suppressed = (
  step: Step,
  about: About,
  reason: SuppressionReason,
  rule: Rule,
  why: string
): Step => decide(step, { _tag: "Suppressed", ...common(step, about, rule, why), reason })

/** These alerts of an incident are no longer for anybody. */
export const givenUp = (
  step: Step,
  about: { readonly service: string; readonly incident: string },
  rule: Rule,
  why: string
): Step =>
  decide(step, {
    _tag: "Nothing",
    ...common(step, about, rule, why),
    incident: about.incident,
    reason: "GivenUp"
  })

export const common = ({ wall }: Step, about: About, rule: Rule, why: string) => ({
  at: wall,
  service: about.service,
  incident: "id" in about ? about.id : null,
  rule,
  why,
  channels: [],
  alerts: []
})
