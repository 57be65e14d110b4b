/**
 * Looks at a database before anything is written to it, and makes a journal of it. What is damaged
 * or newer is refused as it is.
 *
 * @internal
 */
import * as Migrator from "@effect/sql/Migrator"
import { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Cause, Effect, Predicate, Schedule } from "effect"
import { corrupt, JournalError, missing, newer, unavailable } from "./JournalError.js"
import { migrations, table, version } from "./migrations.js"
import { codeOf } from "../../Common/Errors.js"

/**
 * Makes a journal where there is none. One that is up to date is not touched: its tables would have to
 * be locked, and others who read them, as a dump does, would be waited for.
 */
export const open = (
  /** Sets a connection of the caller's own, once the database was looked at. */
  prepare: (sql: SqlClient) => Effect.Effect<void, SqlError>
): Effect.Effect<number, JournalError, SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const found = yield* inspect
    yield* Effect.mapError(prepare(sql), fromSqlError)
    if (found === version) return version
    yield* migrate
    // Of two programs that make the tables at once one finds that the other is about to.
    const made = yield* refuseNewer(sql)
    return made === version
      ? version
      : yield* unavailable("that another program makes its tables at this moment", busy)
  }).pipe(whileBusy)

const busy = { code: "SQLITE_BUSY", message: "another program writes" }

/** Changes nothing. Its value is the version that was found. */
export const openReading: Effect.Effect<number, JournalError, SqlClient> = Effect.filterOrElse(
  Effect.suspend(() => inspect),
  (found) => found > 0,
  () => missing("a database without one")
)

/** The version that was found, 0 where there is no journal. */
const inspect: Effect.Effect<number, JournalError, SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient
  yield* sql.onDialectOrElse({
    sqlite: () => inspectSqlite(sql),
    pg: () => Effect.void,
    orElse: () =>
      new JournalError({
        reason: "Unsupported",
        expected: "SQLite or PostgreSQL",
        found: "another dialect of SQL",
        advice: "Name a journal of one of these kinds with HOLTER_JOURNAL_URL"
      })
  })
  return yield* refuseNewer(sql)
})

/** A whole check reads the whole file and blocks the loop; a large file is looked at in part. */
const mostBytes = 64 * 1024 * 1024

const inspectSqlite = (sql: SqlClient): Effect.Effect<void, JournalError> =>
  Effect.gen(function* () {
    yield* sql`SELECT count(*) FROM sqlite_master`
    const [row] = yield* sql<{ readonly bytes: number }>`SELECT page_count * page_size AS bytes
      FROM pragma_page_count, pragma_page_size`
    if (row === undefined || row.bytes > mostBytes) return
    const [found] = yield* sql<Readonly<Record<string, unknown>>>`PRAGMA quick_check(1)`
    const verdict = Object.values(found ?? {})[0]
    if (verdict !== "ok") return yield* corrupt(String(verdict))
  }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(fromSqlError(error))))

const refuseNewer = (sql: SqlClient): Effect.Effect<number, JournalError> =>
  Effect.gen(function* () {
    const found = yield* sql.onDialectOrElse({
      pg: () => sql`SELECT 1 FROM pg_class WHERE oid = to_regclass(${table})`,
      orElse: () => sql`SELECT 1 FROM sqlite_master WHERE name = ${table}`
    })
    if (found.length === 0) return 0
    const [row] = yield* sql<{ readonly latest: number | null }>`SELECT
      max(migration_id) AS latest FROM ${sql(table)}`
    const latest = row?.latest ?? 0
    return latest > version ? yield* newer(latest, version) : latest
  }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(fromSqlError(error))))

const migrate: Effect.Effect<void, JournalError, SqlClient> = Migrator.make({})({
  loader: Migrator.fromRecord(migrations),
  table
}).pipe(
  // The migrator dies of a migration that fails.
  Effect.catchAllCause((cause) =>
    Effect.fail(unavailable(`its tables cannot be made (${reasonOf(Cause.squash(cause))})`, cause))
  ),
  Effect.asVoid
)

/** What the driver said, which stands two errors deep. */
export const reasonOf = (error: unknown): string => {
  const cause = Predicate.hasProperty(error, "cause") ? error.cause : undefined
  if (cause !== undefined) return reasonOf(cause)
  return Predicate.hasProperty(error, "message") ? String(error.message) : String(error)
}

/**
 * Somebody else who writes to a SQLite file at this moment is waited for. By time and not by count: the
 * program's own connection may wait in SQLite too, and then each attempt blocks the loop.
 */
export const whileBusy = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(work, {
    while: (error) => codeOf(error)?.startsWith("SQLITE_BUSY") === true,
    schedule: Schedule.upTo(Schedule.spaced("50 millis"), "2 seconds")
  })

export const fromSqlError = (error: SqlError): JournalError =>
  /^SQLITE_(?:NOTADB|CORRUPT)/.test(codeOf(error) ?? "")
    ? corrupt(reasonOf(error), error)
    : unavailable(reasonOf(error), error)
