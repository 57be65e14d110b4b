/**
 * The state of everything, as programs and people read it. The JSON has exactly the names of the
 * contract; more may follow, none goes missing.
 */
import { DateTime, Option, Schema } from "effect"
import type { RegisteredCheck } from "../Check/CheckRegistry.js"
import * as CheckResult from "../Check/CheckResult.js"
import * as Guidance from "../Check/Guidance.js"
import type { Beats } from "../Check/Heartbeat.js"
import type { HealthState } from "./HealthState.js"

/** How the heartbeat itself is doing. */
const HeartbeatSummary = Schema.Struct({
  /** Services without a result for three intervals: what is said of them is old. */
  stale: Schema.Array(Schema.String),
  /** Beats that were due while the check could not be started, since the heartbeat was. */
  skipped_beats: Schema.Record({ key: Schema.String, value: Schema.Int })
}).annotations({ identifier: "HeartbeatSummary" })

export const StatusSummary = Schema.Struct({
  overall_status: CheckResult.Status,
  timestamp: Schema.String,
  services: Schema.Record({ key: Schema.String, value: CheckResult.ServiceReport }),
  failure_counts: Schema.Record({ key: Schema.String, value: Schema.Int }),
  success_counts: Schema.Record({ key: Schema.String, value: Schema.Int }),
  /** Only while the heartbeat is running. */
  heartbeat: Schema.optional(HeartbeatSummary)
}).annotations({ identifier: "StatusSummary" })

export type StatusSummary = typeof StatusSummary.Type

/** A check together with what is known of it. */
export interface Entry {
  readonly check: RegisteredCheck
  readonly state: HealthState
}

/** What the summary tells of a heartbeat. */
export interface Beating {
  readonly beats: ReadonlyMap<string, Beats>
  readonly stale: ReadonlyArray<string>
}

export const make = (
  entries: ReadonlyArray<Entry>,
  now: DateTime.Utc,
  heartbeat: Option.Option<Beating>
): StatusSummary => ({
  overall_status: overall(entries),
  timestamp: DateTime.formatIso(now),
  services: record(entries, ({ check, state }) => ({
    ...(state.last === undefined ? notKnownYet : CheckResult.toReport(state.last)),
    ...Guidance.of({ ...check, label: check.label === check.name ? undefined : check.label })
  })),
  failure_counts: record(entries, ({ state }) => state.failures),
  success_counts: record(entries, ({ state }) => state.successes),
  ...Option.match(heartbeat, {
    onNone: () => ({}),
    onSome: ({ beats, stale }) => ({
      heartbeat: {
        stale,
        skipped_beats: record(entries, ({ check }) => beats.get(check.name)?.skipped ?? 0)
      }
    })
  })
})

/** The overall status of some checks, each weighed by its criticality. */
export const overall = (entries: ReadonlyArray<Entry>): CheckResult.Status =>
  CheckResult.overall(
    entries.map(({ check, state }) =>
      CheckResult.weigh(state.last?.status ?? "unknown", check.policy.critical)
    )
  )

const notKnownYet: CheckResult.ServiceReport = {
  status: "unknown",
  response_time_ms: null,
  message: "Not checked yet",
  last_check: null,
  details: {}
}

const record = <A>(entries: ReadonlyArray<Entry>, f: (entry: Entry) => A): Record<string, A> =>
  Object.fromEntries(entries.map((entry) => [entry.check.name, f(entry)]))
