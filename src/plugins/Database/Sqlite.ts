/**
 * A SQLite file, opened for each run and closed after it: opening one is cheap, and a connection
 * that is held open would keep the owner's last close from cleaning up its WAL.
 *
 * The check leaves no trace in the file or beside it. A read-only connection to a database in WAL
 * mode that nobody has open creates `-wal` and `-shm` and cannot remove them again, so a file
 * without a WAL is opened as its owner would, forbidden to write by `query_only`: SQLite removes
 * what it made when that connection closes. Where there is a WAL, somebody works with it and the
 * connection is read-only; where there is a journal, it may be hot, and only its owner may roll it
 * back.
 *
 * @internal
 */
import type Sqlite3 from "better-sqlite3"
import { Duration, Effect, Option, Predicate, Schedule, type Scope } from "effect"
import { stat } from "node:fs/promises"
import * as path from "node:path"
import type { DatabaseUrl } from "../../Common/DatabaseUrl.js"
import * as SqliteLibraries from "../../System/SqliteLibraries.js"
import type { DatabaseClient, Session } from "./DatabaseClient.js"
import { DatabaseError } from "./DatabaseError.js"
import * as SqliteError from "./SqliteError.js"

export interface Options {
  /** How long to wait for another process's lock. */
  readonly acquireTimeout: Duration.DurationInput
}

export const make = (
  url: Extract<DatabaseUrl, { _tag: "Sqlite" }>,
  options: Options
): Effect.Effect<DatabaseClient["Type"]> =>
  Effect.map(
    SqliteLibraries.warning(
      `check ${url.path} through the program's own client (Database.layerSqlClient)`
    ),
    (warnOfTwo) => ({
      kind: "sqlite",
      address: url.path,
      withSession: (use) =>
        Effect.scoped(
          Effect.flatMap(
            Effect.zipLeft(open(path.resolve(url.path), url.path), warnOfTwo),
            (database) => use(session(database, url.path, options))
          )
        )
    })
  )

const open = (
  file: string,
  address: string
): Effect.Effect<Sqlite3.Database, DatabaseError, Scope.Scope> =>
  Effect.gen(function* () {
    const { default: Sqlite } = yield* Effect.promise(() => import("better-sqlite3"))
    yield* refuseOther(file, address)
    const busy = (yield* exists(`${file}-wal`)) || (yield* exists(`${file}-journal`))
    return yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          const database = new Sqlite(file, { readonly: busy, fileMustExist: true, timeout: 0 })
          if (!busy) database.pragma("query_only = 1")
          return database
        },
        catch: (cause) => SqliteError.fromCause(cause, address)
      }),
      (database) => Effect.sync(() => database.close())
    )
  })

const refuseOther = (file: string, address: string): Effect.Effect<void, DatabaseError> =>
  Effect.tryPromise({
    try: () => stat(file),
    catch: (cause) =>
      Predicate.hasProperty(cause, "code") && (cause.code === "ENOENT" || cause.code === "ENOTDIR")
        ? new DatabaseError({ reason: "FileMissing", address, found: "no such file", cause })
        : new DatabaseError({ reason: "Unreachable", address, found: "no access", cause })
  }).pipe(
    Effect.flatMap((stats) =>
      stats.isFile()
        ? Effect.void
        : new DatabaseError({ reason: "NotADatabase", address, found: "not a regular file" })
    )
  )

const exists = (file: string): Effect.Effect<boolean> =>
  Effect.map(Effect.option(Effect.tryPromise(() => stat(file))), Option.isSome)

/** SQLite's own busy timeout would block the event loop while it waits. */
const session = (database: Sqlite3.Database, address: string, options: Options): Session => ({
  query: (sql) =>
    Effect.try({
      try: () => database.prepare<[], Record<string, unknown>>(sql).all(),
      catch: (cause) => SqliteError.fromCause(cause, address)
    }).pipe(
      Effect.catchIf(isLocked, (error) =>
        Effect.retry(
          Effect.try({
            try: () => database.prepare<[], Record<string, unknown>>(sql).all(),
            catch: (cause) => SqliteError.fromCause(cause, address)
          }),
          {
            while: isLocked,
            schedule: Schedule.spaced("25 millis").pipe(Schedule.upTo(options.acquireTimeout))
          }
        ).pipe(
          Effect.mapError((last) =>
            isLocked(last)
              ? new DatabaseError({
                  ...error,
                  found: `for ${Duration.format(Duration.decode(options.acquireTimeout))}`
                })
              : last
          )
        )
      )
    )
})

const isLocked = (error: DatabaseError): boolean => error.reason === "Locked"
