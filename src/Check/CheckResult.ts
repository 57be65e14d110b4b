/** What the runner makes of one run of a check, and what many results make together. */
import { DateTime, Duration, Schema } from "effect"
import type { Details, Json } from "./Outcome.js"

/** `unknown` means: not configured, or not known yet. */
export const Status = Schema.Literal("healthy", "degraded", "unhealthy", "unknown").annotations({
  identifier: "Status"
})

export type Status = typeof Status.Type

export interface CheckResult {
  readonly service: string
  readonly status: Status
  readonly message: string
  /** What a short line puts in brackets after the service's name. */
  readonly note: string | undefined
  /** From the start of the probe to its end, retries included, queueing not. */
  readonly responseTime: Duration.Duration
  readonly lastCheck: DateTime.Utc
  readonly details: Details
  /** The reason of a failure: one of the check's own, or one that the runner found. */
  readonly reason: string | undefined
  /** How long the service asked to be left alone. */
  readonly retryAfter: Duration.Duration | undefined
}

const DetailsFromJson: Schema.Schema<Details> = Schema.Record({
  key: Schema.String,
  value: Schema.Unknown as Schema.Schema<Json> // a record read from JSON holds nothing else
})

/** A result as others read it: one entry of `services` in the summary. */
export const ServiceReport = Schema.Struct({
  status: Status,
  response_time_ms: Schema.NullOr(Schema.Number),
  message: Schema.String,
  last_check: Schema.NullOr(Schema.String),
  details: DetailsFromJson,
  /** What people call the service where that is not its name, where to look, and what to do. */
  label: Schema.optional(Schema.String),
  link: Schema.optional(Schema.String),
  runbook: Schema.optional(Schema.String)
}).annotations({ identifier: "ServiceReport" })

export type ServiceReport = typeof ServiceReport.Type

export const toReport = (result: CheckResult): ServiceReport => ({
  status: result.status,
  response_time_ms: roundedMillis(result.responseTime),
  message: result.message,
  last_check: DateTime.formatIso(result.lastCheck),
  details: result.details
})

/** Milliseconds with two decimals: finer is noise. */
export const roundedMillis = (duration: Duration.Duration): number =>
  Math.round(Duration.toMillis(duration) * 100) / 100

const severity: Readonly<Record<Status, number>> = {
  unknown: 0,
  healthy: 1,
  degraded: 2,
  unhealthy: 3
}

/**
 * The worse of two statuses; `unknown` gives way to anything known. Associative, commutative,
 * idempotent, with `unknown` as its neutral element.
 */
export const worse = (self: Status, that: Status): Status =>
  severity[self] >= severity[that] ? self : that

/** What a result counts for: a check that is not critical makes nothing worse than degraded. */
export const weigh = <S extends Status>(status: S, critical: boolean): S | "degraded" =>
  status === "unhealthy" && !critical ? "degraded" : status

/** The status of everything; `unknown` when nothing is known. */
export const overall = (statuses: Iterable<Status>): Status => {
  let sum: Status = "unknown"
  for (const status of statuses) sum = worse(sum, status)
  return sum
}
