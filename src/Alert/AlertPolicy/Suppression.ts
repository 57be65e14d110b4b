/**
 * Why messages about an incident are held back, and how long.
 *
 * @internal
 */
import type { Rule, SuppressionReason } from "./Decision.js"
import type { Millis } from "./Policy.js"

export interface Suppression {
  readonly reason: SuppressionReason
  readonly rule: Rule
  readonly why: string
  /** Differs between suppressions of one kind, so that each gets one decision. */
  readonly id: string
  /** When it ends by itself; what else ends it is an event. */
  readonly until: Millis | undefined
  /** The service that explains it, where it is a dependency. */
  readonly root?: string
}
