/**
 * What goes wrong with channels.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import { ConfigIssue, formatIssue } from "../Check/CheckError.js"
import * as Text from "../Common/Text.js"
import type { Secrets } from "../Common/Secrets.js"

/**
 * A channel did not take an alert.
 *
 * | reason | what it means | what is done |
 * | --- | --- | --- |
 * | `Transient` | it may take it later | tried again, after `retryAfter` at the earliest |
 * | `Permanent` | it will never take it: the chat is gone, the bot was blocked | the channel is disabled, its fallback is told |
 * | `Misconfigured` | it cannot work as it is configured: a wrong token | the same |
 *
 * @since 0.1.0
 * @category errors
 */
export class AlertChannelError extends Schema.TaggedError<AlertChannelError>(
  "holter/Alert/AlertChannelError"
)("AlertChannelError", {
  reason: Schema.Literal("Transient", "Permanent", "Misconfigured"),
  channel: Schema.String,
  /** What was expected and found, and what to do; no secret. */
  problem: Schema.String,
  /** How long the receiver asked to be left alone. */
  retryAfter: Schema.optional(Schema.DurationFromSelf),
  cause: Schema.optional(Schema.Defect)
}) {
  get isRetryable(): boolean {
    return this.reason === "Transient"
  }
  override get message(): string {
    return `Channel ${this.channel}: ${this.problem}`
  }
}

/**
 * The error without these secrets.
 *
 * @since 0.1.0
 * @category combinators
 */
export const scrubbed =
  (secrets: Secrets) =>
  ({ cause, channel, problem, reason, retryAfter }: AlertChannelError): AlertChannelError =>
    new AlertChannelError({
      reason,
      channel,
      problem: secrets.scrub(problem),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(cause === undefined ? {} : { cause: secrets.scrubAll(cause) })
    })

/**
 * The error in a length that a log and a table can show. A receiver may answer with a page of text; it
 * is cut here, after all secrets were taken out, and nowhere before: half a secret is no longer
 * recognised as one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const shortened = (error: AlertChannelError): AlertChannelError => {
  const { cause, channel, problem, reason, retryAfter } = error
  if (problem.length <= longestProblem) return error
  return new AlertChannelError({
    reason,
    channel,
    problem: Text.clip(problem, longestProblem),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(cause === undefined ? {} : { cause })
  })
}

const longestProblem = 400

/**
 * Two channels have one name.
 *
 * @since 0.1.0
 * @category errors
 */
export class DuplicateChannelError extends Schema.TaggedError<DuplicateChannelError>(
  "holter/Alert/DuplicateChannelError"
)("DuplicateChannelError", {
  name: Schema.String,
  type: Schema.String,
  existingType: Schema.String
}) {
  override get message(): string {
    return `Two channels are named "${this.name}" (a ${this.existingType} and a ${this.type} channel). Give one of them another name.`
  }
}

/**
 * The configuration of a channel cannot be used; every issue is listed.
 *
 * @since 0.1.0
 * @category errors
 */
export class ChannelConfigError extends Schema.TaggedError<ChannelConfigError>(
  "holter/Alert/ChannelConfigError"
)("ChannelConfigError", { channel: Schema.String, issues: Schema.Array(ConfigIssue) }) {
  override get message(): string {
    return `The configuration of channel "${this.channel}" is wrong:\n${this.issues
      .map((issue) => `  ${formatIssue(issue)}`)
      .join("\n")}`
  }
}
