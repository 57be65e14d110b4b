/**
 * One step of the fold while it is being made. It has a copy of the state of its own, which it may
 * change until the step is done; what the state consists of is never changed in place.
 *
 * @internal
 */
import { HashMap, Option, type Types } from "effect"
import * as Guidance from "../../Check/Guidance.js"
import * as Routes from "../Routes.js"
import type { SuppressionReason, NothingReason, Decision, Rule } from "./Decision.js"
import { type CheckRules, type Millis, type Policy, rulesOf } from "./Policy.js"
import { type CheckState, type Incident, type State, unseen } from "./State.js"

export interface Draft {
  readonly policy: Policy
  /** The time of the fold's own clock, and of the wall's. */
  readonly now: Millis
  readonly wall: Millis
  readonly state: Types.Mutable<State>
  readonly decisions: Array<Decision>
  /** Whether anything changed that other incidents, or messages, depend on. */
  unsettled: boolean
  /** The earliest time at which something that is held back must be looked at again. */
  lookAgain: Millis | undefined
}

export interface Moment {
  readonly now: Millis
  readonly wall: Millis
  /** From the wall's time to that of the fold. */
  readonly offset: Millis
}

export const make = (policy: Policy, before: State, { now, offset, wall }: Moment): Draft => ({
  policy,
  now,
  wall,
  // Field by field: a spread that overwrites costs several times as much, for each beat.
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
  decisions: [],
  unsettled: false,
  lookAgain: undefined
})

export const rules = (draft: Draft, service: string): CheckRules => rulesOf(draft.policy, service)

/** What helps who is told of it; of what is checked no more as it was when it opened. */
export const guidance = (
  { policy }: Draft,
  { guidance: kept, service }: Pick<Incident, "guidance" | "service">
): NonNullable<Incident["guidance"]> => {
  const { label, link, runbook } = policy.checks.get(service) ?? kept ?? { label: service }
  return { label, ...Guidance.of({ link, runbook }) }
}

export const label = (draft: Draft, service: string): string => rules(draft, service).label

export const check = (draft: Draft, service: string): CheckState =>
  Option.getOrElse(HashMap.get(draft.state.checks, service), () => unseen)

export const setCheck = (draft: Draft, service: string, value: CheckState): void => {
  draft.state.checks = HashMap.set(draft.state.checks, service, value)
}

export const incident = (draft: Draft, service: string): Incident | undefined =>
  draft.state.incidents[service]

export const incidents = (draft: Draft): ReadonlyArray<Incident> =>
  Object.values(draft.state.incidents)

export const setIncident = (draft: Draft, value: Incident): void => {
  draft.state.incidents = { ...draft.state.incidents, [value.service]: value }
  draft.unsettled = true
}

export const removeIncident = (draft: Draft, service: string): void => {
  const { [service]: _, ...rest } = draft.state.incidents
  draft.state.incidents = rest
  draft.unsettled = true
}

export const isDisabled =
  (draft: Draft) =>
  (channel: string): boolean =>
    Object.hasOwn(draft.state.disabled, channel)

/** Whether this channel is not to hear of the incident for now: one that knows of it already is. */
export const isAway =
  (draft: Draft, { told }: Incident) =>
  (channel: string): boolean =>
    isDisabled(draft)(channel) ||
    (Object.hasOwn(draft.state.unreachable, channel) && !Object.hasOwn(told, channel))

/** The channel that takes nothing, in whose place this one is told of the incident. */
export const insteadOf = (draft: Draft, incident: Incident, channel: string): string | null =>
  incident.standIns[channel] ??
  Routes.insteadOf(draft.policy.routes, incident.severity, channel, isAway(draft, incident))

export const toWall = (draft: Draft, time: Millis): Millis => time - draft.state.offset

export const lookAgain = (draft: Draft, time: Millis): void => {
  draft.lookAgain = Math.min(draft.lookAgain ?? Number.POSITIVE_INFINITY, time)
}

/** About which incident, or service, or nothing in particular. */
export type About = Incident | { readonly service: string | null }

export const nothing = (
  draft: Draft,
  about: About,
  reason: NothingReason,
  rule: Rule,
  why: string
): void => {
  draft.decisions.push({ _tag: "Nothing", ...common(draft, about, rule, why), reason })
}

export const suppressed = (
  draft: Draft,
  about: About,
  reason: SuppressionReason,
  rule: Rule,
  why: string
): void => {
  draft.decisions.push({ _tag: "Suppressed", ...common(draft, about, rule, why), reason })
}

export const common = (draft: Draft, about: About, rule: Rule, why: string) => ({
  at: draft.wall,
  service: about.service,
  incident: "id" in about ? about.id : null,
  rule,
  why,
  channels: [],
  alerts: []
})
