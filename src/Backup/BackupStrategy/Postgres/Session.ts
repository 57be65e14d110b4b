/**
 * A connection for the work on backups: no timeout of the server's or the role's ends it in the
 * middle, and no schema of the database stands in the way of the catalog.
 *
 * @internal
 */
import { Effect, Schema, type Scope } from "effect"
import * as Connection from "../../../Postgres/Connection.js"
import * as PostgresError from "../../../Postgres/PostgresError.js"
import type { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Target } from "./Target.js"

/** Who can be asked: a session, or one of psql. */
export interface Reader {
  readonly execute: (sql: string) => Effect.Effect<void, BackupError>
  readonly rows: <A, I>(
    row: Schema.Schema<A, I>,
    sql: string
  ) => Effect.Effect<ReadonlyArray<A>, BackupError>
}

export interface Session extends Reader {
  /** The error as the server gave it, for who has to tell its kind. */
  readonly attempt: (sql: string) => Effect.Effect<void, PostgresError.PostgresError>
  readonly rows: <A, I>(
    row: Schema.Schema<A, I>,
    sql: string,
    values?: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<A>, BackupError>
}

/** A session in this database, or in the one of the URL. */
export const open = (
  target: Target,
  database?: string
): Effect.Effect<Session, BackupError, Scope.Scope> =>
  connect(target, database).pipe(Effect.mapError(Failure.fromPostgres(target)))

export const connect = (
  target: Target,
  database?: string
): Effect.Effect<Session, PostgresError.PostgresError, Scope.Scope> =>
  Effect.gen(function* () {
    // As the tools connect: a pooler that does not take this is told before any work.
    const options = `${target.url.options ?? ""} -c default_transaction_read_only=off`.trim()
    const url = { ...target.url, options, ...(database === undefined ? {} : { database }) }
    const connection = yield* Connection.open(url, { acquireTimeout: target.acquireTimeout })
    const run = (sql: string, values?: ReadonlyArray<unknown>) =>
      Connection.query(connection, sql, values, (cause) =>
        PostgresError.fromCause(cause, target.address)
      )
    yield* run("SET statement_timeout = 0")
    yield* run(settings)
    const known = Effect.mapError(Failure.fromPostgres(target))
    return {
      attempt: (sql) => Effect.asVoid(run(sql)),
      execute: (sql) => Effect.asVoid(known(run(sql))),
      rows: (row, sql, values = []) =>
        Effect.flatMap(known(run(sql, values)), (found) =>
          // The statement says what its columns are: another answer is a fault of ours.
          Effect.orDie(Schema.decodeUnknown(Schema.Array(row))(found))
        )
    }
  })

/** A query of a client that is gone ends too, where the server can tell. */
const settings = `SELECT pg_catalog.set_config(name, CASE name
    WHEN 'client_connection_check_interval' THEN '2s' WHEN 'search_path' THEN ''
    WHEN 'default_transaction_read_only' THEN 'off' WHEN 'row_security' THEN 'off' ELSE '0' END, false)
  FROM pg_catalog.pg_settings
  WHERE name IN ('lock_timeout', 'idle_in_transaction_session_timeout',
    'idle_session_timeout', 'transaction_timeout', 'client_connection_check_interval', 'search_path',
    'default_transaction_read_only', 'row_security')`
