/**
 * What is known of a check: the state that its results fold into. Pure.
 *
 * A result may be a blip. So a check has two statuses: the one of its last result, which endpoints
 * show, and the confirmed one, which changes only when enough results in a row say so, and of whose
 * changes people are told.
 */
import type { CheckPolicy } from "../Check/CheckPolicy.js"
import { type CheckResult, weigh } from "../Check/CheckResult.js"
import * as Thresholds from "../Check/Thresholds.js"

export interface HealthState extends Thresholds.Counts {
  readonly last: CheckResult | undefined
  /** Results in a row that were not unhealthy. */
  readonly passable: number
  /**
   * Before anything is confirmed a check counts as healthy, so that its first failures are news.
   * One that is not critical is never worse than degraded.
   */
  readonly confirmedStatus: Thresholds.Known
  /** The latest result of the confirmed status. */
  readonly confirmed: CheckResult | undefined
}

/** How many results in a row it takes to change the confirmed status, and how bad it can be. */
export type Rules = Thresholds.Thresholds & Pick<CheckPolicy, "critical">

/** A change of the confirmed status. */
export interface Change {
  readonly service: string
  /** The confirmed status: of a check that is not critical never worse than degraded. */
  readonly status: Thresholds.Known
  /** The confirmed status before; healthy at the start. */
  readonly previousStatus: Thresholds.Known
  /** The result with which the threshold was reached. Its own status may be worse. */
  readonly result: CheckResult
  /** The latest result of the status before; none where a check was down from its start. */
  readonly previous: CheckResult | undefined
}

export const initial: HealthState = {
  ...Thresholds.none,
  last: undefined,
  passable: 0,
  confirmedStatus: "healthy",
  confirmed: undefined
}

/** The state after one more result. `unknown` neither counts nor resets: nothing was learned. */
export const next = (state: HealthState, result: CheckResult, rules: Rules): HealthState => {
  const status = weigh(result.status, rules.critical)
  if (status === "unknown") return { ...state, last: result }
  const { failures, successes, unhealthy } = Thresholds.count(state, status)
  // Field by field: a spread that overwrites costs several times as much, for each beat.
  const counted: HealthState = {
    failures,
    unhealthy,
    successes,
    last: result,
    passable: unhealthy > 0 ? 0 : state.passable + 1,
    confirmedStatus: state.confirmedStatus,
    confirmed: state.confirmed
  }
  return confirms(counted, status, rules)
    ? { ...counted, confirmedStatus: status, confirmed: result }
    : counted
}

/**
 * The change that one more result made, if it made any. That a check is healthy from its start is
 * none: people expect it to be.
 */
export const changeBetween = (before: HealthState, after: HealthState): Change | undefined => {
  const { confirmed: result } = after
  return result === undefined || before.confirmedStatus === after.confirmedStatus
    ? undefined
    : {
        service: result.service,
        status: after.confirmedStatus,
        previousStatus: before.confirmedStatus,
        result,
        previous: before.confirmed
      }
}

/** Whether the status of the last result is now the confirmed one. */
const confirms = (state: HealthState, status: Thresholds.Known, rules: Rules): boolean => {
  const { confirmedStatus: confirmed, passable } = state
  if (status === confirmed) return true
  if (status === "healthy") return Thresholds.isRecovered(state, rules)
  if (confirmed === "healthy") return Thresholds.isFailing(state, rules)
  return status === "degraded"
    ? passable >= rules.recoveryThreshold
    : Thresholds.isUnhealthy(state, rules)
}
