/**
 * One PostgreSQL connection of the check's own, kept between beats.
 *
 * @internal
 */
import { Effect, type Scope } from "effect"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Connection from "../../Postgres/Connection.js"
import * as KeptConnection from "../shared/KeptConnection.js"
import type { DatabaseClient, Session } from "./DatabaseClient.js"
import * as PostgresError from "./PostgresError.js"

/** One row of a hundred bytes is asked for. */
const maxAnswerBytes = 1_048_576

export const make = (
  url: DatabaseUrl.Postgres,
  options: Connection.Options
): Effect.Effect<DatabaseClient["Type"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const address = DatabaseUrl.address(url)
    let latest: Connection.Connection | undefined
    const kept = yield* KeptConnection.make(
      Connection.open(url, { maxAnswerBytes, ...options }).pipe(
        Effect.mapError(PostgresError.fromPostgres),
        Effect.map((connection) => {
          latest = connection
          return session(connection, address)
        })
      )
    )
    return {
      kind: "postgresql" as const,
      address,
      withSession: (use) =>
        Effect.suspend(() => {
          const used = kept.use(use)
          // A server that closed the connection between two beats costs a new one, not a failure.
          return latest?.ended === true ? Effect.zipRight(kept.drop, used) : used
        })
    }
  })

/** What is interrupted takes its connection with it: see KeptConnection. */
const session = (connection: Connection.Connection, address: string): Session => ({
  query: (sql) =>
    Connection.query(connection, sql, undefined, (cause) => PostgresError.fromCause(cause, address))
})
