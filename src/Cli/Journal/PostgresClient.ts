/**
 * A `SqlClient` over one connection of Holter's own to a PostgreSQL server: the same URLs, TLS and
 * words for what is wrong as in checks and backups. A connection that is lost is opened again by the
 * next statement.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { defaultEscape, makeCompiler } from "@effect/sql/Statement"
import type { Reactivity } from "@effect/experimental/Reactivity"
import { Duration, Effect, Exit, Scope, Stream } from "effect"
import type * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Postgres from "../../Postgres/Connection.js"
import type { PostgresError } from "../../Postgres/PostgresError.js"
import * as Turns from "./turns.js"

/** A day of decisions is read at once. */
const maxAnswerBytes = 256 * 1024 * 1024

/** Fails where the server cannot be reached now. */
export const make = (
  url: DatabaseUrl.Postgres,
  /** How long an answer may take. Behind a connection that a router forgot there is never one. */
  patience: Duration.DurationInput
): Effect.Effect<SqlClient.SqlClient, PostgresError, Scope.Scope | Reactivity> =>
  Effect.gen(function* () {
    const session = keep(url)
    yield* Effect.addFinalizer(() => session.close)
    yield* session.connection
    const acquirer = yield* Turns.make(
      Effect.mapBoth(session.connection, {
        onFailure: unreachable,
        onSuccess: (connection) => connectionOver(connection, session, patience)
      })
    )
    return yield* SqlClient.make({
      acquirer,
      transactionAcquirer: acquirer,
      beginTransaction: begin(patience),
      compiler: makeCompiler({
        dialect: "pg",
        placeholder: (index) => `$${index}`,
        onIdentifier: defaultEscape('"'),
        onRecordUpdate: () => ["", []],
        onCustom: () => ["", []]
      }),
      spanAttributes: [["db.system.name", "postgresql"]]
    })
  })

/**
 * A program that is frozen in a transaction holds its locks no longer than that, which is less than a
 * successor waits; and a lock of somebody else ends the statement before its answer is given up. For
 * each transaction, as behind a pool the session is that of others too.
 */
const begin = (patience: Duration.DurationInput): string =>
  [
    "BEGIN",
    "SET LOCAL idle_in_transaction_session_timeout = '10s'",
    "SET LOCAL lock_timeout = '5s'",
    // When this side has given up, the server does too.
    `SET LOCAL statement_timeout = '${Duration.toMillis(patience) + 1000}ms'`
  ].join("; ")

interface Session {
  /** The open connection, or a new one. */
  readonly connection: Effect.Effect<Postgres.Connection, PostgresError>
  readonly close: Effect.Effect<void>
}

const keep = (url: DatabaseUrl.Postgres): Session => {
  let held:
    | { readonly connection: Postgres.Connection; readonly scope: Scope.CloseableScope }
    | undefined
  const close = Effect.suspend(() => {
    const last = held
    held = undefined
    return last === undefined ? Effect.void : Scope.close(last.scope, Exit.void)
  })
  const open = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const connection = yield* restore(
        Scope.extend(Postgres.open(url, { acquireTimeout: "5 seconds", maxAnswerBytes }), scope)
      ).pipe(Effect.onError(() => Scope.close(scope, Exit.void)))
      held = { connection, scope }
      return connection
    })
  )
  return {
    close,
    connection: Effect.suspend(() =>
      held === undefined || held.connection.ended
        ? Effect.zipRight(close, open)
        : Effect.succeed(held.connection)
    )
  }
}

/** All statements of a transaction go over this one, which fails once it is lost. */
const connectionOver = (
  connection: Postgres.Connection,
  session: Session,
  patience: Duration.DurationInput
): Connection => {
  const run = (sql: string, params: ReadonlyArray<unknown>) =>
    Postgres.query(connection, sql, params, failed).pipe(
      // In the middle of an answer it is of no use to anybody else.
      Effect.onInterrupt(() => {
        connection.ended = true
        return session.close
      }),
      // Also the BEGIN and COMMIT of a transaction, which nobody else may interrupt.
      Effect.interruptible,
      Effect.timeoutFail({ duration: patience, onTimeout: () => silent(patience) })
    )
  return {
    execute: run,
    executeRaw: run,
    executeUnprepared: run,
    executeStream: (sql, params) => Stream.fromIterableEffect(run(sql, params)),
    executeValues: (sql, params) =>
      Effect.map(run(sql, params), (rows) => rows.map((row) => Object.values(row)))
  }
}

const failed = (cause: unknown): SqlError =>
  new SqlError({ cause, message: "PostgreSQL refuses the statement" })

const silent = (patience: Duration.DurationInput): SqlError => {
  const message = `no answer within ${Duration.format(patience)}`
  return new SqlError({ cause: { message }, message })
}

/** In the words of PostgresError: those of the driver may be none at all. */
const unreachable = (error: PostgresError): SqlError =>
  new SqlError({ cause: { message: error.message }, message: error.message })
