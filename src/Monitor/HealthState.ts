/**
 * What is known of a check: the state that its results fold into. Pure.
 *
 * A result may be a blip. So a check has two statuses: the one of its last result, which endpoints
 * show, and the confirmed one, which changes only when enough results in a row say so, and of whose
 * changes people are told.
 */
import type { CheckPolicy } from "../Check/CheckPolicy.js"
import { type CheckResult, type Status, weigh } from "../Check/CheckResult.js"

export interface HealthState {
  readonly last: CheckResult | undefined
  /** Results in a row that were not healthy. */
  readonly failures: number
  /** Results in a row that were healthy. */
  readonly successes: number
  /** Results in a row that were unhealthy. */
  readonly unhealthy: number
  /** Results in a row that were not unhealthy. */
  readonly passable: number
  /**
   * Before anything is confirmed a check counts as healthy, so that its first failures are news.
   * One that is not critical is never worse than degraded.
   */
  readonly confirmedStatus: Known
  /** The latest result of the confirmed status. */
  readonly confirmed: CheckResult | undefined
}

type Known = Exclude<Status, "unknown">

/** How many results in a row it takes to change the confirmed status, and how bad it can be. */
export type Thresholds = Pick<CheckPolicy, "critical" | "failureThreshold" | "recoveryThreshold">

/** A change of the confirmed status. */
export interface Change {
  readonly service: string
  /** The confirmed status: of a check that is not critical never worse than degraded. */
  readonly status: Known
  /** The confirmed status before; healthy at the start. */
  readonly previousStatus: Known
  /** The result with which the threshold was reached. Its own status may be worse. */
  readonly result: CheckResult
  /** The latest result of the status before; none where a check was down from its start. */
  readonly previous: CheckResult | undefined
}

export const initial: HealthState = {
  last: undefined,
  failures: 0,
  successes: 0,
  unhealthy: 0,
  passable: 0,
  confirmedStatus: "healthy",
  confirmed: undefined
}

/** The state after one more result. `unknown` neither counts nor resets: nothing was learned. */
export const next = (
  state: HealthState,
  result: CheckResult,
  thresholds: Thresholds
): HealthState => {
  const status = weigh(result.status, thresholds.critical)
  if (status === "unknown") return { ...state, last: result }
  const isHealthy = status === "healthy"
  const isUnhealthy = status === "unhealthy"
  const counted: HealthState = {
    last: result,
    failures: isHealthy ? 0 : state.failures + 1,
    successes: isHealthy ? state.successes + 1 : 0,
    unhealthy: isUnhealthy ? state.unhealthy + 1 : 0,
    passable: isUnhealthy ? 0 : state.passable + 1,
    confirmedStatus: state.confirmedStatus,
    confirmed: state.confirmed
  }
  return confirms(counted, status, thresholds)
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
const confirms = (
  { confirmedStatus: confirmed, failures, passable, successes, unhealthy }: HealthState,
  status: Known,
  { failureThreshold, recoveryThreshold }: Thresholds
): boolean => {
  if (status === confirmed) return true
  switch (status) {
    case "healthy":
      return successes >= recoveryThreshold
    case "degraded":
      return confirmed === "healthy" ? failures >= failureThreshold : passable >= recoveryThreshold
    case "unhealthy":
      return confirmed === "healthy" ? failures >= failureThreshold : unhealthy >= failureThreshold
  }
}
