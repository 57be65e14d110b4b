/**
 * A message about one or several incidents, for one channel. An alert is data: it is written to the
 * outbox, read back after a restart, and put into words by its channel.
 */
import { Schema } from "effect"
import { Status } from "../Check/CheckResult.js"

/** How bad an incident is. A check that is not critical is never worse than `degraded`. */
export const Severity = Schema.Literal("degraded", "unhealthy").annotations({
  identifier: "Severity"
})

export type Severity = typeof Severity.Type

/**
 * What an alert tells.
 *
 * | kind | it tells |
 * | --- | --- |
 * | `opened` | these services are down or degraded |
 * | `stale` | a check has not had a result for a while: its status is not known any more |
 * | `flapping` | a service goes down and comes back again and again; changes are held back |
 * | `escalated` | an incident became worse |
 * | `reminder` | an incident is still open |
 * | `resolved` | these services are healthy again, or no longer checked |
 * | `story` | several messages that did not arrive in time, told as one |
 * | `test` | nothing: somebody asked whether the channel works |
 */
export const Kind = Schema.Literal(
  "opened",
  "stale",
  "flapping",
  "escalated",
  "reminder",
  "resolved",
  "story",
  "test"
)

export type Kind = typeof Kind.Type

/** One service in an alert, and the incident that it is about. */
export const Subject = Schema.Struct({
  service: Schema.String,
  /** What a person calls it: `Telegram API`. */
  label: Schema.String,
  /** Where to look, and what to do: a URL or a short text. */
  link: Schema.optional(Schema.String),
  runbook: Schema.optional(Schema.String),
  /** The id of the incident. */
  incident: Schema.String,
  /** Other ids under which this channel was told of it: with this end they are over too. */
  also: Schema.optional(Schema.Array(Schema.String)),
  status: Status,
  /** The status before the change that this is about. */
  previous: Status,
  severity: Severity,
  /** When it began: the first failure, not the one that passed the threshold. */
  since: Schema.DateTimeUtcFromNumber,
  duration: Schema.DurationFromMillis,
  /** What the last result said. */
  message: Schema.String,
  /** Whether the service is healthy again, or no longer checked. */
  over: Schema.Boolean,
  /** The other channels that are told of this end, because they were told of the outage. */
  others: Schema.optional(Schema.Array(Schema.String))
})

export type Subject = typeof Subject.Type

export const Alert = Schema.Struct({
  /**
   * The same for every attempt to deliver this content: a receiver drops what it has seen. A channel may
   * get one alert under two keys at most: its own, and, of one that none took within a minute, one that
   * ends with `/late/MILLIS` and stays (`sent`). A `story` has the key of those that are in it.
   */
  key: Schema.String,
  channel: Schema.String,
  kind: Kind,
  /** The worst of its subjects. */
  severity: Severity,
  at: Schema.DateTimeUtcFromNumber,
  /** The root cause, or what failed first, is the first. */
  subjects: Schema.NonEmptyArray(Subject),
  /** Services that are down because of the first subject and get no message of their own. */
  affected: Schema.Array(Schema.String),
  /** What people call them, in the same order, where that is something else. */
  affectedLabels: Schema.optional(Schema.Array(Schema.String)),
  /** The channel that this one stands in for, because that one is disabled. */
  insteadOf: Schema.NullOr(Schema.String),
  /** What happened in between, in a `story`: one line for each message that it replaces. */
  story: Schema.Array(Schema.String),
  /**
   * When it was first tried as one that comes late: so much later than it was decided that a person has to
   * know. It is the same in each attempt from then on, and so is its `key`, which ends with this time.
   */
  sent: Schema.optional(Schema.DateTimeUtcFromNumber),
  /** The zone in which a person reads its times; UTC where there is none. */
  timeZone: Schema.optional(Schema.String),
  /**
   * Of one from the outbox: the key of the delivery in which it was tried, of which it is not known
   * whether it arrived. It is sent again in that one. With `/clear` behind it, it did not arrive: only the
   * time of the late key is kept.
   */
  attempt: Schema.optional(Schema.String)
}).annotations({ identifier: "Alert" })

export type Alert = typeof Alert.Type

/** The idempotency key of the message with this number about an incident. */
export const key = (incident: string, channel: string, kind: Kind, sequence: number): string =>
  `${incident}/${channel}/${kind}/${sequence}`

const rank: Readonly<Record<Severity, number>> = { degraded: 1, unhealthy: 2 }

/** Whether the first is worse than the second. */
export const isWorse = (self: Severity, that: Severity): boolean => rank[self] > rank[that]

export const worst = (severities: Iterable<Severity>): Severity => {
  for (const severity of severities) if (severity === "unhealthy") return severity
  return "degraded"
}
