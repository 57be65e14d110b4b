/**
 * How many results in a row it takes until something is believed: counted here, for the confirmed status of
 * a check, for its incidents, and for the beat that confirms a first failure. Pure.
 *
 * @internal
 */
import type { CheckPolicy } from "./CheckPolicy.js"
import type { Status } from "./CheckResult.js"

/** A status that tells something: what is `unknown` neither counts nor resets. */
export type Known = Exclude<Status, "unknown">

export type Thresholds = Pick<CheckPolicy, "failureThreshold" | "recoveryThreshold">

/** Results in a row, up to the last one. */
export interface Counts {
  /** That were not healthy. */
  readonly failures: number
  /** That were unhealthy. */
  readonly unhealthy: number
  /** That were healthy. */
  readonly successes: number
}

export const none: Counts = { failures: 0, unhealthy: 0, successes: 0 }

/** With one more result, weighed by whether its check is critical. */
export const count = ({ failures, successes, unhealthy }: Counts, status: Known): Counts => ({
  failures: status === "healthy" ? 0 : failures + 1,
  unhealthy: status === "unhealthy" ? unhealthy + 1 : 0,
  successes: status === "healthy" ? successes + 1 : 0
})

/** Enough failures of both kinds. */
export const isFailing = ({ failures }: Counts, { failureThreshold }: Thresholds): boolean =>
  failures >= failureThreshold

/** Enough failures that were unhealthy, every one of them. */
export const isUnhealthy = ({ unhealthy }: Counts, { failureThreshold }: Thresholds): boolean =>
  unhealthy >= failureThreshold

export const isRecovered = ({ successes }: Counts, { recoveryThreshold }: Thresholds): boolean =>
  successes >= recoveryThreshold
