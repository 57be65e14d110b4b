/**
 * What happens, as far as alerts are concerned. `at` is the time of the wall clock in milliseconds;
 * a clock that is set back or forward is seen and allowed for.
 */
import { DateTime, Duration, Schema } from "effect"
import { type CheckResult, Status } from "../../Check/CheckResult.js"
import { Alert } from "../Alert.js"
import { State } from "./State.js"

const at = Schema.Number
/** Names of services; `null` is all of them. */
const services = Schema.NullOr(Schema.Array(Schema.String))

/** A check has a result. */
export const Result = Schema.TaggedStruct("Result", {
  at,
  service: Schema.String,
  status: Status,
  message: Schema.String,
  /** How long the service asked to be left alone, in milliseconds: no result is due before. */
  retryAfter: Schema.NullOr(Schema.Number)
})

/** Time has passed: what `AlertPolicy.due` asked for. */
export const Time = Schema.TaggedStruct("Time", { at })

/** Holter was started, with this policy. Disabled channels are tried again. */
export const Restarted = Schema.TaggedStruct("Restarted", { at })

/**
 * A journal that was down at the start is there: this is what an earlier run knew, and what it still
 * owed to channels.
 */
export const Remembered = Schema.TaggedStruct("Remembered", {
  at,
  state: State,
  pending: Schema.Array(Alert)
})

export const MaintenanceStarted = Schema.TaggedStruct("MaintenanceStarted", {
  at,
  id: Schema.String,
  services,
  until: Schema.NullOr(Schema.Number),
  why: Schema.String
})

export const MaintenanceEnded = Schema.TaggedStruct("MaintenanceEnded", { at, id: Schema.String })

/** Somebody does not want to hear of these services for a while. */
export const Silenced = Schema.TaggedStruct("Silenced", {
  at,
  id: Schema.String,
  services,
  until: Schema.NullOr(Schema.Number),
  why: Schema.String
})

export const Unsilenced = Schema.TaggedStruct("Unsilenced", { at, id: Schema.String })

/** Somebody has seen the open incident of a service: no more reminders of it. */
export const Acknowledged = Schema.TaggedStruct("Acknowledged", {
  at,
  service: Schema.String,
  by: Schema.String
})

/**
 * A channel failed for good. `pending` are the alerts that it did not take and that its fallback
 * gets instead; they leave the outbox in the transaction that writes what is decided here.
 */
export const ChannelDisabled = Schema.TaggedStruct("ChannelDisabled", {
  at,
  channel: Schema.String,
  why: Schema.String,
  pending: Schema.Array(Alert)
})

/**
 * A channel takes nothing for a while, and may again. `pending` are the alerts that it did not take;
 * they stay where they are.
 */
export const ChannelUnreachable = Schema.TaggedStruct("ChannelUnreachable", {
  at,
  channel: Schema.String,
  why: Schema.String,
  pending: Schema.Array(Alert)
})

export const ChannelReached = Schema.TaggedStruct("ChannelReached", { at, channel: Schema.String })

/**
 * A channel will never take these alerts, and may take others. They leave the outbox in the
 * transaction that writes what is decided here.
 */
export const AlertRefused = Schema.TaggedStruct("AlertRefused", {
  at,
  channel: Schema.String,
  why: Schema.String,
  pending: Schema.Array(Alert)
})

export const ChannelEnabled = Schema.TaggedStruct("ChannelEnabled", { at, channel: Schema.String })

/**
 * A channel that was told of something is not there any more. `pending` are the alerts that it did
 * not take; nobody gets those, and they leave the outbox in the transaction that writes what is
 * decided here.
 */
export const ChannelRemoved = Schema.TaggedStruct("ChannelRemoved", {
  at,
  channel: Schema.String,
  pending: Schema.Array(Alert)
})

/** Somebody wants the configuration to be read again, and waits for an answer to this id. */
export const ReloadAsked = Schema.TaggedStruct("ReloadAsked", { at, id: Schema.String })

/**
 * The configuration was read again while Holter runs: from here on this policy is the one to go by.
 * Checks that are new or others than before start anew (`started`); those that are not in the policy
 * any more are removed. `asked` is the id that this answers, `by` the process.
 */
export const Reconfigured = Schema.TaggedStruct("Reconfigured", {
  at,
  started: Schema.Array(Schema.String),
  asked: Schema.NullOr(Schema.String),
  by: Schema.String,
  why: Schema.String
})

/**
 * The configuration was read again and cannot be used: all is as before. `problems` says why, a line
 * each.
 */
export const ReconfigurationRefused = Schema.TaggedStruct("ReconfigurationRefused", {
  at,
  asked: Schema.NullOr(Schema.String),
  by: Schema.String,
  problems: Schema.Array(Schema.String)
})

/** What a result is for alerts. */
export const ofResult = (result: CheckResult): typeof Result.Type => ({
  _tag: "Result",
  at: DateTime.toEpochMillis(result.lastCheck),
  service: result.service,
  status: result.status,
  message: result.message,
  retryAfter: result.retryAfter === undefined ? null : Duration.toMillis(result.retryAfter)
})

export const Event = Schema.Union(
  Result,
  Time,
  Restarted,
  Remembered,
  MaintenanceStarted,
  MaintenanceEnded,
  Silenced,
  Unsilenced,
  Acknowledged,
  ChannelDisabled,
  ChannelEnabled,
  ChannelUnreachable,
  ChannelReached,
  AlertRefused,
  ChannelRemoved,
  ReloadAsked,
  Reconfigured,
  ReconfigurationRefused
)

export type Event = typeof Event.Type

/** The event with this tag. */
export type Of<Tag extends Event["_tag"]> = Extract<Event, { _tag: Tag }>
