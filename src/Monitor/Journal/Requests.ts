/**
 * What other programs leave for the one that watches. A row that cannot be read, as one of a newer
 * version, keeps nobody from hearing the others.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Array as Arr, Clock, Effect, Either, ParseResult, Random, Schema } from "effect"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Requests, Unreadable } from "./Entry.js"
import type { JournalError } from "./JournalError.js"
import { fromSqlError } from "./open.js"
import { inTransaction } from "./transaction.js"

const Json = Schema.parseJson(AlertPolicy.Event.Event)
const decode = Schema.decodeEither(Json)
const encode = Schema.encodeSync(Json)

interface Store {
  readonly request: (event: AlertPolicy.Event.Event) => Effect.Effect<void, JournalError>
  readonly requests: Effect.Effect<Requests, JournalError>
  readonly setAside: (unreadable: ReadonlyArray<Unreadable>) => Effect.Effect<void, JournalError>
}

export const make = (sql: SqlClient): Store => ({
  request: (event) =>
    Effect.gen(function* () {
      const id = `${event.at}-${yield* Random.nextIntBetween(0, 2 ** 31)}`
      const row = { id, at: event.at, event: encode(event) }
      yield* Effect.mapError(sql`INSERT INTO holter_requests ${sql.insert(row)}`, fromSqlError)
    }),
  requests: Effect.mapBoth(
    sql<{ readonly id: string; readonly event: string }>`SELECT id, event
      FROM holter_requests ORDER BY at, id`,
    { onFailure: fromSqlError, onSuccess: read }
  ),
  setAside: (unreadable) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      inTransaction(sql, Effect.forEach(unreadable, aside(sql, now), { discard: true }))
    ).pipe(Effect.mapError(fromSqlError))
})

const read = (rows: ReadonlyArray<{ readonly id: string; readonly event: string }>): Requests => {
  const [unreadable, known] = Arr.partitionMap(rows, ({ event, id }) =>
    Either.mapBoth(decode(event), {
      onLeft: (error) => ({ id, why: whyOf(error) }),
      onRight: (decoded) => ({ id, event: decoded })
    })
  )
  return { known, unreadable }
}

/** The first thing that is wrong with it; the row itself has the rest. */
const whyOf = (error: ParseResult.ParseError): string => {
  const [first] = ParseResult.ArrayFormatter.formatErrorSync(error)
  return first === undefined ? error.message : `${first.path.join(".")} ${first.message}`.trim()
}

/** With the time of now: its own may be anything, and it is to be kept for a while. */
const aside =
  (sql: SqlClient, now: number) =>
  ({ id, why }: Unreadable): Effect.Effect<void, SqlError> =>
    Effect.zipRight(
      sql`INSERT INTO holter_requests_aside (id, at, event, why)
        SELECT id, CAST(${now} AS double precision), event, CAST(${why} AS text) FROM holter_requests WHERE id = ${id}
        ON CONFLICT (id) DO NOTHING`,
      sql`DELETE FROM holter_requests WHERE id = ${id}`
    )
