/**
 * What happens to the checks, for those who keep a record or tell people: every result, and that
 * one is missing.
 */
import { Data, type DateTime } from "effect"
import type { RegisteredCheck } from "../Check/CheckRegistry.js"
import type { CheckResult } from "../Check/CheckResult.js"
import type { Change } from "./HealthState.js"

export type HealthEvent = Data.TaggedEnum<{
  /** A check was run. */
  Checked: {
    readonly check: RegisteredCheck
    readonly result: CheckResult
    /** When it changed the confirmed status. */
    readonly change: Change | undefined
  }
  /** The heartbeat has had no result of a check for three intervals. Ends with the next `Checked`. */
  Stale: {
    readonly check: RegisteredCheck
    readonly last: CheckResult | undefined
    readonly noticedAt: DateTime.Utc
  }
}>

export const HealthEvent = Data.taggedEnum<HealthEvent>()
