/**
 * Reads what a journal holds.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import { Array as Arr, Chunk, Effect, Either, Option, Schema, Stream } from "effect"
import { Alert } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import { Outcome } from "../../Alert/Outbox.js"
import { Status } from "../../Check/CheckResult.js"
import { type Delivery, JournaledIncident, JournaledResult, type Query, toEvent } from "./Entry.js"
import { type JournalError, unreadable } from "./JournalError.js"
import { fromSqlError } from "./open.js"

type Read<A> = Effect.Effect<A, JournalError>

const decoded = <A, I>(what: string, schema: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(Schema.Array(schema))
  return (rows: Effect.Effect<ReadonlyArray<unknown>, SqlError>): Read<ReadonlyArray<A>> =>
    rows.pipe(
      Effect.mapError(fromSqlError),
      Effect.flatMap((found) => Effect.mapError(decode(found), (cause) => unreadable(what, cause)))
    )
}

const decodeState = decoded("states", Schema.Struct({ state: Schema.parseJson(AlertPolicy.State) }))
const decodeResults = decoded("results", JournaledResult)
const decodeIncidents = decoded("incidents", JournaledIncident)
const decodeDecisions = decoded(
  "decisions",
  Schema.Struct({ decision: Schema.parseJson(AlertPolicy.Decision) })
)
const decodeAlert = Schema.decodeUnknownEither(Schema.parseJson(Alert))

export const state = (sql: SqlClient): Read<Option.Option<AlertPolicy.State>> =>
  Effect.map(decodeState(sql`SELECT state FROM holter_state WHERE id = 1`), ([row]) =>
    Option.map(Option.fromNullable(row), ({ state: value }) => value)
  )

export interface Owed {
  readonly pending: ReadonlyArray<Alert>
  /** Why alerts cannot be read: one that cannot keeps nobody from sending the others. */
  readonly unreadable: ReadonlyArray<string>
}

/** Before the third version nobody noted what was tried. */
export const owed = (sql: SqlClient, version: number): Read<Owed> => {
  const tried = sql.literal(version < 3 ? "CAST(NULL AS text)" : "attempt")
  const rows = sql<{ readonly alert: string; readonly attempt: string | null }>`
    SELECT alert, ${tried} AS attempt FROM holter_outbox ORDER BY run, seq`
  return Effect.mapBoth(rows, {
    onFailure: fromSqlError,
    onSuccess: (found) => {
      const [unreadable, pending] = Arr.partitionMap(found, ({ alert, attempt }) =>
        Either.mapBoth(decodeAlert(alert), {
          onLeft: ({ message }) => message.split("\n")[0] ?? "",
          onRight: (one): Alert => (attempt === null ? one : { ...one, attempt })
        })
      )
      return { pending, unreadable }
    }
  })
}

export const pending = (sql: SqlClient, version: number): Read<ReadonlyArray<Alert>> =>
  Effect.map(owed(sql, version), ({ pending: alerts }) => alerts)

export const results = (sql: SqlClient, query: Query): Read<ReadonlyArray<JournaledResult>> =>
  Effect.map(
    decodeResults(sql`SELECT at, service, status, message, response_time_ms, reason,
      retry_after_ms, details FROM holter_results WHERE ${where(sql, query)}
      ORDER BY ${latest(sql, query)} LIMIT ${query.limit ?? 1000}`),
    (rows) => rows.toReversed()
  )

export const decisions = (
  sql: SqlClient,
  query: Query
): Read<ReadonlyArray<AlertPolicy.Decision>> =>
  Effect.map(
    decodeDecisions(sql`SELECT decision FROM holter_decisions WHERE ${where(sql, query)}
      ORDER BY ${latest(sql, query)} LIMIT ${query.limit ?? 1000}`),
    (rows) => rows.toReversed().map(({ decision }) => decision)
  )

/**
 * By arrival, the last one first: a clock that is set back makes nothing older. Of a span the rows
 * are found by their time and sorted then; without one they are read as they lie.
 */
const latest = (sql: SqlClient, { since }: Query): Fragment =>
  since === undefined ? sql.literal("run DESC, seq DESC") : sql.literal("+run DESC, +seq DESC")

/** More incidents than these are not sorted by their arrival. */
const mostIncidents = 10_000

/** Incidents are in a span when they were open at a time in it. */
export const incidents = (sql: SqlClient, query: Query): Read<ReadonlyArray<JournaledIncident>> => {
  const { limit = 1000, service, since, until } = query
  const conditions = [
    ...(service === undefined ? [] : [sql`service = ${service}`]),
    ...(since === undefined ? [] : [sql`(ended_at IS NULL OR ended_at >= ${since})`]),
    ...(until === undefined ? [] : [sql`opened_at <= ${until}`])
  ]
  return Effect.map(
    decodeIncidents(sql`SELECT id, service, severity, cause, since, opened_at, ended_at
      FROM holter_incidents WHERE ${sql.and(conditions)}
      ORDER BY opened_at DESC, id DESC LIMIT ${Math.max(limit, mostIncidents)}`),
    (rows) => rows.toReversed().sort(byArrival).slice(-limit)
  )
}

/** The number in an id counts incidents as they come; one of a run without the journal has another. */
const byArrival = (one: JournaledIncident, other: JournaledIncident): number =>
  numberIn(one) - numberIn(other) || one.opened_at - other.opened_at

const numberIn = ({ id }: JournaledIncident): number => Number(/-(\d+)$/.exec(id)?.[1] ?? 0)

const where = (sql: SqlClient, { service, since, until }: Query): Fragment =>
  sql.and([
    ...(service === undefined ? [] : [ofService(sql, service, since)]),
    ...(since === undefined ? [] : [sql`at >= ${since}`]),
    ...(until === undefined ? [] : [sql`at <= ${until}`])
  ])

/** SQLite would read and sort all of a service for its last few, by the index of services. */
const ofService = (sql: SqlClient, service: string, since: number | undefined): Fragment =>
  since !== undefined
    ? sql`service = ${service}`
    : sql.onDialectOrElse({
        sqlite: () => sql`+service = ${service}`,
        orElse: () => sql`service = ${service}`
      })

/** The number of the last run that left anything; 0 where none did. */
export const latestRun = (sql: SqlClient): Read<number> =>
  Effect.mapBoth(
    sql<{ readonly latest: number | null }>`SELECT max(run) AS latest FROM (
      SELECT max(run) AS run FROM holter_results UNION ALL SELECT max(run) FROM holter_events
      UNION ALL SELECT max(run) FROM holter_decisions
      UNION ALL SELECT max(run) FROM holter_outbox) AS runs`,
    { onFailure: fromSqlError, onSuccess: ([row]) => row?.latest ?? 0 }
  )

const page = 1000

const HistoryRow = Schema.Struct({
  run: Schema.Number,
  seq: Schema.Number,
  at: Schema.Number,
  service: Schema.NullOr(Schema.String),
  status: Schema.NullOr(Status),
  message: Schema.NullOr(Schema.String),
  retry_after_ms: Schema.NullOr(Schema.Number),
  event: Schema.NullOr(Schema.parseJson(AlertPolicy.Event.Event))
})
const decodeHistory = decoded("events", HistoryRow)

/** Results and all other events, as they came. */
export const history = (
  sql: SqlClient,
  since: number
): Stream.Stream<AlertPolicy.Event.Event, JournalError> =>
  Stream.paginateChunkEffect({ run: -1, seq: -1 }, ({ run, seq }) =>
    Effect.map(
      decodeHistory(sql`SELECT run, seq, at, service, status, message, retry_after_ms,
          CAST(NULL AS text) AS event
        FROM holter_results WHERE (run, seq) > (${run}, ${seq}) AND at >= ${since}
        UNION ALL SELECT run, seq, at, CAST(NULL AS text), CAST(NULL AS text),
          CAST(NULL AS text), CAST(NULL AS double precision), event
        FROM holter_events WHERE (run, seq) > (${run}, ${seq}) AND at >= ${since}
        ORDER BY run, seq LIMIT ${page}`),
      (rows) => {
        const last = rows.at(-1)
        const next = last === undefined || rows.length < page ? Option.none() : Option.some(last)
        return [Chunk.fromIterable(rows.flatMap(eventOf)), next] as const
      }
    )
  )

const eventOf = ({
  at,
  event,
  message,
  retry_after_ms,
  service,
  status
}: typeof HistoryRow.Type): ReadonlyArray<AlertPolicy.Event.Event> => {
  if (event !== null) return [event]
  return service === null || status === null
    ? []
    : [toEvent({ at, service, status, message: message ?? "", retry_after_ms })]
}

const OutboxRow = Schema.Struct({ key: Schema.String })
const decodeKeys = decoded("alerts", OutboxRow)
const decodeDeliveries = decoded(
  "deliveries",
  Schema.Struct({ key: Schema.String, at: Schema.Number, outcome: Outcome })
)
const decodeTroubles = decoded(
  "channels",
  Schema.Struct({
    channel: Schema.String,
    at: Schema.Number,
    failures: Schema.Number,
    error: Schema.String,
    next_attempt: Schema.NullOr(Schema.Number)
  })
)

/** Many keys are asked for in several statements: the number of parameters is bounded. */
const mostKeys = 500

/** What became of these alerts. One that left the outbox before that was noted is not known. */
export const deliveries = (
  sql: SqlClient,
  alerts: ReadonlyArray<Pick<Alert, "channel" | "key">>
): Read<ReadonlyMap<string, Delivery>> =>
  Effect.gen(function* () {
    const found = new Map<string, Delivery>()
    const troubles = new Map(
      (yield* decodeTroubles(sql`SELECT channel, at, failures, error, next_attempt
        FROM holter_channels`)).map(({ channel, next_attempt: nextAttempt, ...rest }) => [
        channel,
        { ...rest, nextAttempt }
      ])
    )
    const channels = new Map(alerts.map(({ channel, key }) => [key, channel]))
    for (const keys of Arr.chunksOf([...channels.keys()], mostKeys)) {
      const owed = sql`SELECT key FROM holter_outbox WHERE ${sql.in("key", keys)}`
      for (const { key } of yield* decodeKeys(owed)) {
        const trouble = troubles.get(channels.get(key) ?? "") ?? null
        found.set(key, { outcome: "queued", at: null, trouble })
      }
      const gone = sql`SELECT key, at, outcome FROM holter_deliveries WHERE ${sql.in("key", keys)}`
      for (const { at, key, outcome } of yield* decodeDeliveries(gone)) {
        found.set(key, { outcome, at, trouble: null })
      }
    }
    return found
  })
