/**
 * Maintenance and silence: people know, or do not want to hear of it. Messages wait, and the end of what a
 * channel was notified of does not.
 *
 * @internal
 */
import { clause } from "../../Common/Sentences.js"
import type { Rule } from "./Decision.js"
import type { Of } from "./Event.js"
import type { Notification, Suppression } from "./Notification.js"
import type { Quiet } from "./State.js"
import * as Step from "./Step.js"

export const begin = (
  step: Step.Step,
  { _tag, id, services, until, why }: Of<"MaintenanceStarted" | "Silenced">
): Step.Step => {
  const kind = _tag === "Silenced" ? "Silence" : "Maintenance"
  const end = until === null ? null : until + step.state.offset
  const quiets = [...others(step, kind, id), { kind, id, services, until: end, why } as const]
  const whom = services === null ? "everything" : services.join(", ")
  return Step.note(Step.change(step, { quiets }), ruleOf(kind), `${kind} ${id} of ${whom}: ${why}`)
}

export const end = (
  step: Step.Step,
  { _tag, id }: Of<"MaintenanceEnded" | "Unsilenced">
): Step.Step => {
  const kind = _tag === "Unsilenced" ? "Silence" : "Maintenance"
  const quiets = others(step, kind, id)
  const why =
    quiets.length < step.state.quiets.length
      ? `${kind} ${id} is over`
      : `There is no ${ruleOf(kind)} ${id} to end`
  return Step.note(Step.change(step, { quiets }), ruleOf(kind), why)
}

/** Those whose time is over. */
export const expire: Step.Stage = (step) => {
  const { quiets } = step.state
  const over = quiets.filter(({ until }) => until !== null && until <= step.now)
  if (over.length === 0) return step
  const left = Step.change(step, { quiets: quiets.filter((quiet) => !over.includes(quiet)) })
  return Step.forEach(left, over, (next, { id, kind }) =>
    Step.note(next, ruleOf(kind), `${kind} ${id} is over`)
  )
}

export const suppression = (
  { state }: Step.Step,
  { incident: { service } }: Notification
): Suppression | undefined => {
  const quiet = state.quiets.find(({ services }) => services === null || services.includes(service))
  if (quiet === undefined) return undefined
  const name = quiet.kind === "Maintenance" ? "Maintenance" : "It is silenced"
  return {
    reason: quiet.kind,
    rule: ruleOf(quiet.kind),
    id: `${quiet.kind}:${quiet.id}`,
    why: `${name} (${clause(quiet.why)}); if it is still down afterwards, a message is sent then`,
    until: quiet.until ?? undefined
  }
}

const others = ({ state }: Step.Step, kind: Quiet["kind"], id: string): ReadonlyArray<Quiet> =>
  state.quiets.filter((other) => other.kind !== kind || other.id !== id)

const ruleOf = (kind: Quiet["kind"]): Extract<Rule, "maintenance" | "silence"> =>
  kind === "Maintenance" ? "maintenance" : "silence"
