/**
 * A `SqlClient` over the better-sqlite3 that Holter itself depends on. That of
 * @effect/sql-sqlite-node brings another one where Node is newer than 20, and two SQLite libraries in
 * one process drop each other's locks on a file that both have open.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { makeCompilerSqlite } from "@effect/sql/Statement"
import type { Reactivity } from "@effect/experimental/Reactivity"
import type Sqlite from "better-sqlite3"
import { Effect, type Scope, Stream } from "effect"
import * as PrivateFile from "../PrivateFile.js"
import * as Turns from "./turns.js"

/** The client of this file, which is made where it is missing. It is closed at the end. */
export const make = (
  file: string
): Effect.Effect<SqlClient.SqlClient, SqlError, Scope.Scope | Reactivity> =>
  Effect.gen(function* () {
    const { default: Database } = yield* Effect.promise(() => import("better-sqlite3"))
    const database = yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          PrivateFile.make(file)
          return new Database(file)
        },
        catch: failed
      }),
      (opened) => Effect.sync(() => opened.close())
    )
    const acquirer = yield* Turns.make(Effect.succeed(connectionTo(database)))
    return yield* SqlClient.make({
      acquirer,
      transactionAcquirer: acquirer,
      compiler: makeCompilerSqlite(),
      spanAttributes: [["db.system.name", "sqlite"]]
    })
  })

/**
 * WAL, so that others can read while this one writes; a sync at checkpoints only, which a crash of
 * the program survives whole. A lock is waited for in Effect: SQLite's own wait blocks the loop.
 */
export const tune = (sql: SqlClient.SqlClient): Effect.Effect<void, SqlError> =>
  Effect.forEach(
    ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA busy_timeout = 0"],
    (pragma) => sql.unsafe(pragma),
    { discard: true }
  )

const failed = (cause: unknown): SqlError =>
  new SqlError({ cause, message: "SQLite refuses the statement" })

/** Most statements come again and again; one that failed to compile is compiled anew. */
const mostStatements = 100

const connectionTo = (database: Sqlite.Database): Connection => {
  const statements = new Map<string, Sqlite.Statement>()
  const prepare = (sql: string): Sqlite.Statement => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    const [oldest] = statements.keys()
    if (oldest !== undefined && statements.size >= mostStatements) statements.delete(oldest)
    statements.set(sql, statement)
    return statement
  }
  const run = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.try({
      try: (): ReadonlyArray<unknown> => {
        const statement = prepare(sql)
        if (statement.reader) return statement.all(...params)
        statement.run(...params)
        return []
      },
      catch: failed
    })
  return {
    execute: run,
    executeRaw: run,
    executeUnprepared: run,
    executeStream: (sql, params) => Stream.fromIterableEffect(run(sql, params)),
    executeValues: (sql, params) =>
      Effect.try({
        try: () =>
          database
            .prepare<Array<unknown>, Array<unknown>>(sql)
            .raw()
            .all(...params),
        catch: failed
      })
  }
}
