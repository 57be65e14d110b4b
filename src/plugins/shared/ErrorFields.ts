/**
 * Fields that the errors of several checks share.
 *
 * @internal
 */
import { Schema } from "effect"
import type { Json } from "../../Check/Outcome.js"

/** What the runner reads from an error beside its reason: facts, and the server's wish for rest. */
export const reported = {
  details: Schema.optional(
    // Errors are made here and not read from outside: what a check put in is JSON.
    Schema.Record({ key: Schema.String, value: Schema.Unknown as Schema.Schema<Json> })
  ),
  retryAfter: Schema.optional(Schema.Duration)
}
