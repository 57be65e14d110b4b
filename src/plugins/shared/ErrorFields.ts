/**
 * Fields that the errors of several checks share.
 *
 * @internal
 */
import { Schema } from "effect"
import type * as Outcome from "../../Check/Outcome.js"

/** What an error learned before it was one. */
export const Details: Schema.Schema<Outcome.Details> = Schema.Record({
  key: Schema.String,
  // Errors are made here and not read from outside: what a check put in is JSON.
  value: Schema.Unknown as Schema.Schema<Outcome.Json>
})

/** What the runner reads from an error beside its reason: facts, and the server's wish for rest. */
export const reported = {
  details: Schema.optional(Details),
  retryAfter: Schema.optional(Schema.Duration)
}
