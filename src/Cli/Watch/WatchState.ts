/**
 * What `holter watch` knows and shows: a row for each service, and what there is to say of backups,
 * channels and the journal. A fold over what happens. Pure.
 */
import { DateTime } from "effect"
import * as CheckResult from "../../Check/CheckResult.js"
import type { JournaledResult } from "../../Monitor/Journal.js"
import type { SuppressionDocument } from "../Journal/Suppressions.js"
import type { State } from "../../Alert/AlertPolicy.js"
import type { Beat } from "./Sparkline.js"

/** Times are milliseconds of the wall clock. */
export interface WatchState {
  readonly name: string
  /** In which its times are shown. */
  readonly zone: DateTime.TimeZone
  readonly rows: ReadonlyArray<Row>
  /** Labels of services that nobody configured. */
  readonly notConfigured: ReadonlyArray<string>
  readonly backup: Backups | undefined
  readonly channels: ReadonlyArray<ChannelTrouble>
  readonly journal: JournalTrouble
  /** Maintenances and silences: of whom nobody is told. */
  readonly quiet: ReadonlyArray<SuppressionDocument>
  /** What the shutdown is doing, once it has begun. */
  readonly stopping: string | undefined
}

export interface Row {
  readonly service: string
  readonly label: string
  readonly critical: boolean
  readonly status: CheckResult.Status
  /** Since when it has this status; none before the first result. */
  readonly since: number | undefined
  readonly millis: number | undefined
  readonly message: string
  /** The last ones, oldest first. */
  readonly beats: ReadonlyArray<Beat>
  /** No result came for so long that what is shown is old. */
  readonly stale: boolean
  /** Why messages about it are held back, or few. */
  readonly held: ReadonlyArray<Held>
}

/** Somebody silenced it, it is in a maintenance window, or somebody has seen its incident. */
export interface Held {
  readonly what: "silenced" | "maintenance" | "acknowledged"
  /** Until when; nothing where that is open. */
  readonly until: number | undefined
  readonly by: string | undefined
}

export interface Backups {
  readonly next: number | undefined
  readonly last: LastBackup | undefined
  /** What is being done, and since when. */
  readonly running: { readonly what: string; readonly since: number } | undefined
  /** Why the last run failed; none once one has succeeded. */
  readonly problem: string | undefined
}

export interface LastBackup {
  readonly name: string
  readonly bytes: number
  readonly at: number
}

export interface ChannelTrouble {
  readonly channel: string
  readonly waiting: number
  readonly problem: string
  readonly disabled: boolean
}

export interface JournalTrouble {
  /** Why it cannot be written at the moment. */
  readonly problem: string | undefined
  readonly waiting: number
}

/** What a row needs of a result, of a check or of the journal. */
export type Sample = Pick<
  JournaledResult,
  "at" | "message" | "response_time_ms" | "service" | "status"
>

export const sampleOf = (result: CheckResult.CheckResult): Sample => ({
  at: DateTime.toEpochMillis(result.lastCheck),
  service: result.service,
  status: result.status,
  message: result.message,
  response_time_ms: CheckResult.roundedMillis(result.responseTime)
})

export interface Watched {
  readonly name: string
  readonly label: string
  readonly critical: boolean
}

export interface Rows {
  readonly name: string
  readonly checks: ReadonlyArray<Watched>
  /** Labels of services that nobody configured. */
  readonly notConfigured: ReadonlyArray<string>
  /** In which times are shown. */
  readonly zone: DateTime.TimeZone
}

export const make = ({ checks, name, notConfigured, zone }: Rows): WatchState => ({
  name,
  zone,
  rows: checks.map(fresh),
  notConfigured,
  backup: undefined,
  channels: [],
  journal: { problem: undefined, waiting: 0 },
  quiet: [],
  stopping: undefined
})

const fresh = ({ critical, label, name: service }: Watched): Row => ({
  service,
  label,
  critical,
  status: "unknown",
  since: undefined,
  millis: undefined,
  message: "Not checked yet",
  beats: [],
  stale: false,
  held: []
})

/** The board of another configuration: what is known of checks goes on, but of those that start anew. */
export const reconfigured = (
  board: WatchState,
  { checks, name, notConfigured, zone }: Rows,
  started: ReadonlyArray<string>
): WatchState => ({
  ...board,
  name,
  zone,
  notConfigured,
  rows: checks.map(
    (check) => (started.includes(check.name) ? undefined : row(board, check.name)) ?? fresh(check)
  )
})

export const overall = ({ rows }: WatchState): CheckResult.Status =>
  CheckResult.overall(rows.map(({ critical, status }) => CheckResult.weigh(status, critical)))

export const row = ({ rows }: WatchState, service: string): Row | undefined =>
  rows.find((one) => one.service === service)

/** After one more result. */
export const checked = (board: WatchState, sample: Sample): WatchState =>
  withRow(board, sample.service, (before) => ({
    ...before,
    status: sample.status,
    since: before.since === undefined || sample.status !== before.status ? sample.at : before.since,
    millis: sample.response_time_ms,
    message: sample.message,
    beats: [...before.beats, { status: sample.status, millis: sample.response_time_ms }].slice(
      -mostBeats
    ),
    stale: false
  }))

export const stale = (board: WatchState, service: string): WatchState =>
  withRow(board, service, (before) => ({ ...before, stale: true }))

/** What holds back messages about each service, by what the alert policy knows. */
export const held = (
  board: WatchState,
  { incidents, offset, quiets }: Pick<State, "incidents" | "offset" | "quiets">
): WatchState => ({
  ...board,
  rows: board.rows.map((one) => {
    const by = incidents[one.service]?.acknowledgedBy ?? undefined
    const quiet = quiets
      .filter(({ services }) => services === null || services.includes(one.service))
      .map(
        ({ kind, until }): Held => ({
          what: kind === "Silence" ? "silenced" : "maintenance",
          until: until === null ? undefined : until - offset,
          by: undefined
        })
      )
    const seen: ReadonlyArray<Held> =
      by === undefined ? [] : [{ what: "acknowledged", until: undefined, by }]
    return { ...one, held: [...quiet, ...seen] }
  })
})

/** An outage that began before the results that are known. */
export const downSince = (board: WatchState, service: string, since: number): WatchState =>
  withRow(board, service, (before) =>
    before.since === undefined || before.status === "healthy"
      ? before
      : { ...before, since: Math.min(before.since, since) }
  )

/** How many beats are kept of each service. */
export const mostBeats = 40

const withRow = (board: WatchState, service: string, change: (row: Row) => Row): WatchState => ({
  ...board,
  rows: board.rows.map((one) => (one.service === service ? change(one) : one))
})
