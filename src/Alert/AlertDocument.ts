/**
 * An alert as JSON, for programs: what webhooks and commands get. Fields may be added; none changes
 * its meaning or goes missing without a new `version`.
 */
import { DateTime, Duration, Schema } from "effect"
import { type Alert, Kind, Severity, type Subject } from "./Alert.js"
import * as AlertText from "./AlertText.js"
import { Status } from "../Check/CheckResult.js"

const Service = Schema.Struct({
  service: Schema.String,
  label: Schema.String,
  /** Where to look: an http or https URL. */
  link: Schema.NullOr(Schema.String),
  /** What to do: a URL, or a short text. */
  runbook: Schema.NullOr(Schema.String),
  /** The same in every alert about one outage. One that was told under two ids ends under both. */
  incident: Schema.String,
  status: Status,
  previous_status: Status,
  severity: Severity,
  /** ISO 8601, UTC: the first failure. */
  since: Schema.String,
  duration_ms: Schema.Number,
  message: Schema.String,
  /** Whether the service is healthy again (`status` is `healthy`) or no longer checked (`unknown`). */
  over: Schema.Boolean
})

export const AlertDocument = Schema.Struct({
  version: Schema.Literal(1),
  /** `alert.` and the kind. */
  type: Schema.String,
  /** ISO 8601, UTC: when it was decided to tell, not when it was sent. */
  timestamp: Schema.String,
  /** ISO 8601, UTC: when it was first sent late, where that was more than a minute after it was decided. */
  sent_at: Schema.NullOr(Schema.String),
  /**
   * The same for every attempt with this content. An alert has two at most: its own, and one that ends with
   * `/late/MILLIS` where no attempt within a minute was taken; a story has one of its own.
   */
  key: Schema.String,
  channel: Schema.String,
  kind: Kind,
  /** The worst of the services. */
  severity: Severity,
  /** The name of who sends it. */
  installation: Schema.NullOr(Schema.String),
  title: Schema.String,
  /** Title and lines, as a person reads them. */
  text: Schema.String,
  /** The root cause is the first. */
  services: Schema.Array(Service),
  affected: Schema.Array(Schema.String),
  /** The disabled channel that this one stands in for. */
  instead_of: Schema.NullOr(Schema.String),
  story: Schema.Array(Schema.String)
}).annotations({ identifier: "AlertDocument" })

export type AlertDocument = typeof AlertDocument.Type

export const make = (alert: Alert, installation?: string): AlertDocument => ({
  version: 1,
  type: `alert.${alert.kind}`,
  timestamp: DateTime.formatIso(alert.at),
  sent_at: alert.sent === undefined ? null : DateTime.formatIso(alert.sent),
  key: alert.key,
  channel: alert.channel,
  kind: alert.kind,
  severity: alert.severity,
  installation: installation ?? null,
  title: AlertText.title(alert),
  text: AlertText.text(alert),
  services: alert.subjects.flatMap((subject) =>
    // A program that pairs ends with beginnings by their ids finds each of them.
    [subject.incident, ...(subject.also ?? [])].map((incident) =>
      serviceOf({ ...subject, incident })
    )
  ),
  affected: alert.affected,
  instead_of: alert.insteadOf,
  story: alert.story
})

const serviceOf = (subject: Subject): typeof Service.Type => ({
  service: subject.service,
  label: subject.label,
  link: subject.link ?? null,
  runbook: subject.runbook ?? null,
  incident: subject.incident,
  status: subject.status,
  previous_status: subject.previous,
  severity: subject.severity,
  since: DateTime.formatIso(subject.since),
  duration_ms: Duration.toMillis(subject.duration),
  message: subject.message,
  over: subject.over
})
