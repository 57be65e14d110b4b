/**
 * Writes what waits, in one transaction. Writing it twice is the same as once.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Array as Arr, Effect, Schema } from "effect"
import { Alert } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Changes } from "./Changes.js"
import { inTransaction } from "./transaction.js"

/**
 * How many rows one statement writes. better-sqlite3 blocks the loop while it works, for a few
 * milliseconds with so many; between two of them others have their turn.
 */
const batch = 200

const encodeState = Schema.encodeSync(Schema.parseJson(AlertPolicy.State))
const encodeEvent = Schema.encodeSync(Schema.parseJson(AlertPolicy.Event.Event))
const encodeDecision = Schema.encodeSync(Schema.parseJson(AlertPolicy.Decision))
const encodeAlert = Schema.encodeSync(Schema.parseJson(Alert))

export const write = <E>(
  sql: SqlClient,
  run: number,
  changes: Changes,
  /** Looks, in the same transaction, whether this program may still write. */
  fence: Effect.Effect<void, E | SqlError>
): Effect.Effect<void, E | SqlError> => {
  const insert = (table: string, key: string, rows: ReadonlyArray<Row>) =>
    Effect.forEach(
      Arr.chunksOf(rows, batch),
      (some, index) =>
        Effect.zipRight(
          index === 0 ? Effect.void : turn,
          sql`INSERT INTO ${sql(table)} ${sql.insert(some)}
            ON CONFLICT (${sql.literal(key)}) DO NOTHING`
        ),
      { discard: true }
    )
  const { decisions, events, results, state, taken } = changes
  return inTransaction(
    sql,
    Effect.gen(function* () {
      yield* insert(
        "holter_results",
        "run, seq",
        results.map(({ seq, value }) => ({
          run,
          seq,
          ...value,
          details: JSON.stringify(value.details)
        }))
      )
      yield* insert(
        "holter_events",
        "run, seq",
        events.map(({ seq, value }) => ({ run, seq, at: value.at, event: encodeEvent(value) }))
      )
      yield* insert(
        "holter_decisions",
        "run, seq",
        decisions.map(({ seq, value }) => ({
          run,
          seq,
          at: value.at,
          service: value.service,
          decision: encodeDecision(value)
        }))
      )
      yield* writeIncidents(sql, changes)
      yield* writeOutbox(sql, run, changes)
      if (state !== undefined) {
        yield* sql`INSERT INTO holter_state (id, state) VALUES (1, ${encodeState(state)})
          ON CONFLICT (id) DO UPDATE SET state = excluded.state`
      }
      yield* writeDeliveries(sql, changes)
      for (const some of Arr.chunksOf(taken, batch)) {
        yield* sql`DELETE FROM holter_requests WHERE ${sql.in("id", some)}`
      }
      // At the end, when nobody else can write any more until this is committed.
      yield* fence
    })
  )
}

/** Timers and sockets have their turn; `yieldNow` is for other fibers only. */
const turn = Effect.sleep(0)

type Row = Readonly<Record<string, string | number | null>>

const writeIncidents = (sql: SqlClient, { incidents }: Changes) =>
  Effect.forEach(
    incidents.values(),
    (incident) => sql`INSERT INTO holter_incidents ${sql.insert(incident)} ON CONFLICT (id)
      DO UPDATE SET severity = excluded.severity, ended_at = excluded.ended_at`,
    { discard: true }
  )

const writeOutbox = (sql: SqlClient, run: number, { attempts, outbox }: Changes) =>
  Effect.gen(function* () {
    for (const [key, owed] of outbox) {
      if (owed === undefined) yield* sql`DELETE FROM holter_outbox WHERE key = ${key}`
      else {
        const row = { key, run, seq: owed.seq, alert: encodeAlert(owed.value) }
        yield* sql`INSERT INTO holter_outbox ${sql.insert(row)} ON CONFLICT (key) DO NOTHING`
      }
    }
    for (const [key, delivery] of attempts) {
      yield* sql`UPDATE holter_outbox SET attempt = ${delivery} WHERE key = ${key}`
    }
  })

const writeDeliveries = (sql: SqlClient, { deliveries, troubles }: Changes) =>
  Effect.gen(function* () {
    for (const [key, { at, outcome }] of deliveries) {
      yield* sql`INSERT INTO holter_deliveries ${sql.insert({ key, at, outcome })}
        ON CONFLICT (key) DO NOTHING`
    }
    for (const [channel, trouble] of troubles) {
      if (trouble === undefined) {
        yield* sql`DELETE FROM holter_channels WHERE channel = ${channel}`
        continue
      }
      const { at, error, failures, nextAttempt } = trouble
      const row = { channel, at, failures, error, next_attempt: nextAttempt }
      yield* sql`INSERT INTO holter_channels ${sql.insert(row)} ON CONFLICT (channel)
        DO UPDATE SET at = excluded.at, failures = excluded.failures, error = excluded.error,
        next_attempt = excluded.next_attempt`
    }
  })

/** Removes what is older, a bit at a time. */
export const prune = (sql: SqlClient, before: number): Effect.Effect<void, SqlError> =>
  Effect.forEach(
    ["holter_results", "holter_events", "holter_decisions"],
    (table) => pruneTable(sql, table, before),
    { discard: true }
  ).pipe(
    Effect.zipRight(sql`DELETE FROM holter_incidents WHERE ended_at < ${before}`),
    Effect.zipRight(sql`DELETE FROM holter_deliveries WHERE at < ${before}`),
    Effect.zipRight(sql`DELETE FROM holter_requests_aside WHERE at < ${before}`),
    Effect.asVoid
  )

const pruneTable = (sql: SqlClient, table: string, before: number): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    const old = sql<{ readonly run: number; readonly seq: number }>`SELECT run, seq
      FROM ${sql(table)} WHERE at < ${before} ORDER BY at LIMIT 1000`
    for (let rows = yield* old; rows.length > 0; rows = yield* old) {
      yield* sql`DELETE FROM ${sql(table)} WHERE (run, seq) IN (SELECT run, seq
        FROM ${sql(table)} WHERE at < ${before} ORDER BY at LIMIT 1000)`
      yield* turn
    }
  })
