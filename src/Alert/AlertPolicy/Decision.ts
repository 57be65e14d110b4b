/**
 * What was decided, by which rule, and the alerts that are owed because of it. `why` is written for
 * the person who asks at three in the morning.
 */
import { Schema } from "effect"
import { Alert } from "../Alert.js"

/** The rule that decided. */
export const Rule = Schema.Literal(
  "threshold",
  "group",
  "recovery",
  "reminder",
  "stale",
  "maintenance",
  "silence",
  "dependency",
  "flapping",
  "start",
  "cap",
  "acknowledged",
  "fallback",
  "route",
  "removed",
  "configuration",
  "steady"
)

export type Rule = typeof Rule.Type

/** What holds a message back. */
export const SuppressionReason = Schema.Literal(
  "Maintenance",
  "Silence",
  "Dependency",
  "Flapping",
  "Start",
  "Cap"
)

export type SuppressionReason = typeof SuppressionReason.Type

/** Why there is nothing to tell. */
export const NothingReason = Schema.Literal(
  "Healthy",
  "BelowThreshold",
  "IncidentOpened",
  "IncidentWorse",
  "StillOpen",
  "Recovering",
  "Recovered",
  "NeverTold",
  "NoRoute",
  "Unknown",
  "GivenUp",
  "Noted"
)

export type NothingReason = typeof NothingReason.Type

const fields = {
  at: Schema.Number,
  /** `null` for what concerns no service in particular. */
  service: Schema.NullOr(Schema.String),
  incident: Schema.NullOr(Schema.String),
  rule: Rule,
  why: Schema.String,
  /** The channels that are told. */
  channels: Schema.Array(Schema.String),
  /**
   * The alerts that are owed. One that covers several services is listed with the decision on its
   * first subject only, so that each alert stands in exactly one decision.
   */
  alerts: Schema.Array(Alert)
}

export const Decision = Schema.Union(
  Schema.TaggedStruct("Opened", fields),
  Schema.TaggedStruct("Escalated", fields),
  Schema.TaggedStruct("Reminder", fields),
  Schema.TaggedStruct("Resolved", fields),
  Schema.TaggedStruct("Suppressed", { ...fields, reason: SuppressionReason }),
  Schema.TaggedStruct("Nothing", { ...fields, reason: NothingReason })
)

export type Decision = typeof Decision.Type
