/** What a journal holds, and how it is asked for. */
import { DateTime, Duration, Schema } from "effect"
import { Severity } from "../../Alert/Alert.js"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Outcome, Trouble } from "../../Alert/Outbox.js"
import { type CheckResult, roundedMillis, Status } from "../../Check/CheckResult.js"

/** A result as it lies in the journal. Times are milliseconds of the wall clock. */
export const JournaledResult = Schema.Struct({
  at: Schema.Number,
  service: Schema.String,
  status: Status,
  message: Schema.String,
  response_time_ms: Schema.Number,
  reason: Schema.NullOr(Schema.String),
  retry_after_ms: Schema.NullOr(Schema.Number),
  details: Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
})

export type JournaledResult = typeof JournaledResult.Type

export const JournaledIncident = Schema.Struct({
  id: Schema.String,
  service: Schema.String,
  severity: Severity,
  cause: Schema.Literal("failures", "stale"),
  since: Schema.Number,
  opened_at: Schema.Number,
  ended_at: Schema.NullOr(Schema.Number)
})

export type JournaledIncident = typeof JournaledIncident.Type

/** Which entries: of one service or all, in a span, and of many the newest. They come oldest first. */
export interface Query {
  readonly service?: string | undefined
  /** From this time on, in milliseconds of the wall clock. */
  readonly since?: number | undefined
  /** Up to this time, which is part of it. */
  readonly until?: number | undefined
  /** 1,000 by default. */
  readonly limit?: number | undefined
}

/** One step of the alert policy: what is written in one transaction. */
export interface Commit {
  readonly event: AlertPolicy.Event.Event
  readonly before: AlertPolicy.State
  readonly after: AlertPolicy.State
  readonly decisions: ReadonlyArray<AlertPolicy.Decision>
  /** Keys of alerts that leave the outbox: another channel gets them, or their channel is gone. */
  readonly removed?: ReadonlyArray<string> | undefined
  /** The ids of the requests that this step takes. */
  readonly taken?: ReadonlyArray<string> | undefined
}

/** What another program left for the one that watches: a silence, an acknowledgement. */
export interface Request {
  readonly id: string
  readonly event: AlertPolicy.Event.Event
}

/** A request that this version of Holter cannot read, and why. */
export interface Unreadable {
  readonly id: string
  readonly why: string
}

export interface Requests {
  readonly known: ReadonlyArray<Request>
  readonly unreadable: ReadonlyArray<Unreadable>
}

/** What became of an alert. */
export interface Delivery {
  /** `queued`: it is in the outbox, and its channel does not have it yet. */
  readonly outcome: Outcome | "queued"
  /** Since when, in milliseconds of the wall clock; `null` where that is not known. */
  readonly at: number | null
  /** Why its channel takes nothing at the moment. */
  readonly trouble: Trouble | null
}

export interface Health {
  /** Why it cannot be written at the moment. */
  readonly down: string | undefined
  /** What waits to be written. */
  readonly waiting: number
  /** Results and decisions that were given up, because it was down for too long. */
  readonly lost: number
}

/**
 * @internal
 */
export const fromResult = (result: CheckResult): JournaledResult => ({
  at: DateTime.toEpochMillis(result.lastCheck),
  service: result.service,
  status: result.status,
  message: result.message,
  response_time_ms: roundedMillis(result.responseTime),
  reason: result.reason ?? null,
  retry_after_ms: result.retryAfter === undefined ? null : Duration.toMillis(result.retryAfter),
  details: result.details
})

/** The event that the alert policy made of this result. */
export const toEvent = (
  result: Pick<JournaledResult, "at" | "message" | "retry_after_ms" | "service" | "status">
): AlertPolicy.Event.Event => ({
  _tag: "Result",
  at: result.at,
  service: result.service,
  status: result.status,
  message: result.message,
  retryAfter: result.retry_after_ms
})

/**
 * Decisions that a result has nearly always, and that its own row tells.
 *
 * @internal
 */
export const isRoutine = (decision: AlertPolicy.Decision): boolean =>
  decision._tag === "Nothing" && decision.rule === "steady"
