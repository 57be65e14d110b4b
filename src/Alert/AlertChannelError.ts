/** What goes wrong with channels. */
import { Schema } from "effect"
import { ConfigIssue, formatIssues } from "../Plugin/ConfigIssue.js"
import * as Text from "../Common/Text.js"
import type { Secrets } from "../Common/Secrets.js"

/**
 * A channel did not take an alert.
 *
 * | reason | what it means | what is done |
 * | --- | --- | --- |
 * | `Transient` | it may take it later | tried again, after `retryAfter` at the earliest |
 * | `Refused` | it will never take this alert, and may take others: it cannot be read, or is too large | its fallback gets this one, and the channel goes on |
 * | `Permanent` | it will never take it: the chat is gone, the bot was blocked | the channel is disabled, its fallback is told |
 * | `Misconfigured` | it cannot work as it is configured: a wrong token | the same |
 */
export class AlertChannelError extends Schema.TaggedError<AlertChannelError>(
  "holter/Alert/AlertChannelError"
)("AlertChannelError", {
  reason: Schema.Literal("Transient", "Refused", "Permanent", "Misconfigured"),
  channel: Schema.String,
  /** What was expected and found, and what to do; no secret. */
  problem: Schema.String,
  /** How long the receiver asked to be left alone. */
  retryAfter: Schema.optional(Schema.DurationFromSelf),
  /**
   * Whether the receiver may have it all the same: the answer was lost. It is sent again with the same
   * key and the same content then, and made part of no story.
   */
  unclear: Schema.optional(Schema.Boolean),
  cause: Schema.optional(Schema.Defect)
}) {
  get isRetryable(): boolean {
    return this.reason === "Transient"
  }
  override get message(): string {
    return `Channel ${this.channel}: ${this.problem}`
  }
}

/** The error without these secrets. */
export const scrubbed =
  (secrets: Secrets) =>
  (error: AlertChannelError): AlertChannelError =>
    changed(error, secrets.scrub(error.problem), secrets.scrubAll(error.cause))

/**
 * The error in a length that a log and a table can show. A receiver may answer with a page of text; it
 * is cut here, after all secrets were taken out, and nowhere before: half a secret is no longer
 * recognised as one.
 */
export const shortened = (error: AlertChannelError): AlertChannelError =>
  error.problem.length <= longestProblem
    ? error
    : changed(error, Text.clip(error.problem, longestProblem), error.cause)

const changed = (
  { channel, reason, retryAfter, unclear }: AlertChannelError,
  problem: string,
  cause: unknown
): AlertChannelError =>
  new AlertChannelError({
    reason,
    channel,
    problem,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(unclear === undefined ? {} : { unclear }),
    ...(cause === undefined ? {} : { cause })
  })

const longestProblem = 400

/** Two channels have one name. */
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

/** The configuration of a channel cannot be used; every issue is listed. */
export class ChannelConfigError extends Schema.TaggedError<ChannelConfigError>(
  "holter/Alert/ChannelConfigError"
)("ChannelConfigError", { channel: Schema.String, issues: Schema.Array(ConfigIssue) }) {
  override get message(): string {
    return formatIssues(
      `The configuration of channel "${this.channel}" is wrong:`,
      this.issues
    ).join("\n")
  }
}
