/** The errors of checks: what a check's own error must offer, and what goes wrong around a check. */
import { type Duration, Schema } from "effect"
import { ConfigIssue, formatIssues } from "../Plugin/ConfigIssue.js"
import type { Details } from "./Outcome.js"

/**
 * What every error of a probe must be: tagged, with a `reason` that a status can be chosen by and
 * a `message` for a person. A `Schema.TaggedError` with a `reason` literal is one.
 */
export interface CheckFailure {
  readonly _tag: string
  readonly reason: string
  readonly message: string
  /** Whether asking again within the same run can help. A rejected password is never retried. */
  readonly isRetryable?: boolean
  /** What was learned before it failed. */
  readonly details?: Details | undefined
  /** How long the service asked to be left alone (429 with Retry-After). */
  readonly retryAfter?: Duration.Duration | undefined
}

/** The reasons that the runner itself finds, beside the check's own. */
export type RunnerReason = "Timeout" | "Crashed" | "Interrupted" | "StillRunning" | "NotConfigured"

/** Two checks have one name. */
export class DuplicateCheckError extends Schema.TaggedError<DuplicateCheckError>(
  "holter/Check/DuplicateCheckError"
)("DuplicateCheckError", {
  name: Schema.String,
  type: Schema.String,
  existingType: Schema.String
}) {
  override get message(): string {
    return `Two checks are named "${this.name}" (a ${this.existingType} and a ${this.type} check). Give one of them another name.`
  }
}

/** A check that nobody registered was asked for. */
export class UnknownCheckError extends Schema.TaggedError<UnknownCheckError>(
  "holter/Check/UnknownCheckError"
)("UnknownCheckError", { name: Schema.String, known: Schema.Array(Schema.String) }) {
  override get message(): string {
    const known = this.known.length === 0 ? "no check is registered" : this.known.join(", ")
    return `There is no check named "${this.name}". Known: ${known}.`
  }
}

/** The configuration of a check cannot be used; every issue is listed. */
export class CheckConfigError extends Schema.TaggedError<CheckConfigError>(
  "holter/Check/CheckConfigError"
)("CheckConfigError", { check: Schema.String, issues: Schema.Array(ConfigIssue) }) {
  override get message(): string {
    return formatIssues(`The configuration of check "${this.check}" is wrong:`, this.issues).join(
      "\n"
    )
  }
}
