/**
 * What is known of a check: the state that its results fold into. Pure.
 *
 * @since 0.1.0
 */
import type { CheckResult } from "../Check/CheckResult.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface HealthState {
  readonly last: CheckResult | undefined
  /** Results in a row that were not healthy. */
  readonly failures: number
  /** Results in a row that were healthy. */
  readonly successes: number
  /** Whether there ever was a result that was not unhealthy. */
  readonly started: boolean
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const initial: HealthState = {
  last: undefined,
  failures: 0,
  successes: 0,
  started: false
}

/**
 * The state after one more result. `unknown` neither counts nor resets: nothing was learned.
 *
 * @since 0.1.0
 * @category folding
 */
export const next = (state: HealthState, result: CheckResult): HealthState => {
  switch (result.status) {
    case "healthy":
      return { last: result, failures: 0, successes: state.successes + 1, started: true }
    case "degraded":
      return { last: result, failures: state.failures + 1, successes: 0, started: true }
    case "unhealthy":
      return { ...state, last: result, failures: state.failures + 1, successes: 0 }
    case "unknown":
      return { ...state, last: result, started: true }
  }
}
