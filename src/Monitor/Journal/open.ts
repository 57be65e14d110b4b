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

/** Sets a connection of the journal's own, once the database was looked at. */
type Prepare = (sql: SqlClient) => Effect.Effect<void, SqlError>

/**
 * Makes a journal where there is none. One that is up to date is not touched: its tables would have to
 * be locked, and others who read them, as a dump does, would be waited for.
 */
export const open = (
  sql: SqlClient,
  prepare: Prepare | undefined
): Effect.Effect<number, JournalError> =>
  Effect.gen(function* () {
    const found = yield* inspect(sql, prepare)
    if (prepare !== undefined) yield* Effect.mapError(prepare(sql), fromSqlError)
    if (found === version) return version
    yield* migrate(sql)
    // Of two programs that make the tables at once one finds that the other is about to.
    const made = yield* refuseNewer(sql)
    return made === version
      ? version
      : yield* unavailable("that another program makes its tables at this moment", busy)
  }).pipe(whileBusy)

const busy = { code: "SQLITE_BUSY", message: "another program writes" }

/** Changes nothing. Its value is the version that was found. */
export const openReading = (
  sql: SqlClient,
  prepare: Prepare | undefined
): Effect.Effect<number, JournalError> =>
  Effect.filterOrElse(
    inspect(sql, prepare),
    (found) => found > 0,
    () => missing("a database without one")
  )

/** The version that was found, 0 where there is no journal. */
const inspect = Effect.fnUntraced(function* (sql: SqlClient, prepare: Prepare | undefined) {
  const check = prepare === undefined ? checkTables : checkFile
  yield* sql.onDialectOrElse({
    sqlite: () => Effect.catchTag(check(sql), "SqlError", fromSqlError),
    pg: () => Effect.void,
    orElse: () =>
      new JournalError({
        reason: "Unsupported",
        expected: "SQLite or PostgreSQL",
        found: "another dialect of SQL",
        advice: "Give the journal a database of one of these kinds"
      })
  })
  return yield* refuseNewer(sql)
})

/** A whole check reads the whole file and blocks the loop; a large file is looked at in part. */
const mostBytes = 64 * 1024 * 1024

type Check = (sql: SqlClient) => Effect.Effect<void, JournalError | SqlError>

/** Of a file that is the journal's own. */
const checkFile: Check = Effect.fnUntraced(function* (sql) {
  yield* sql`SELECT count(*) FROM sqlite_master`
  if (yield* isLarge(sql)) return
  yield* judged(yield* sql<Verdict>`PRAGMA quick_check(1)`)
})

/** The rest of the file belongs to the program, and is none of the journal's business. */
const checkTables: Check = Effect.fnUntraced(function* (sql) {
  const tables = yield* sql<{ readonly name: string }>`SELECT name FROM sqlite_master
    WHERE type = 'table' AND name GLOB 'holter_*'`
  if (yield* isLarge(sql)) return
  for (const { name } of tables) {
    yield* judged(yield* sql<Verdict>`PRAGMA quick_check(${sql(name)})`)
  }
})

type Verdict = Readonly<Record<string, unknown>>

const judged = ([found]: ReadonlyArray<Verdict>): Effect.Effect<void, JournalError> => {
  const verdict = Object.values(found ?? {})[0]
  return verdict === "ok" ? Effect.void : corrupt(String(verdict))
}

const isLarge = (sql: SqlClient): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    sql<{ readonly bytes: number }>`SELECT page_count * page_size AS bytes
      FROM pragma_page_count, pragma_page_size`,
    ([row]) => row === undefined || row.bytes > mostBytes
  )

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

const migrate = (sql: SqlClient): Effect.Effect<void, JournalError> =>
  Migrator.make({})({ loader: Migrator.fromRecord(migrations), table }).pipe(
    Effect.provideService(SqlClient, sql),
    // The migrator dies of a migration that fails.
    Effect.catchAllCause((cause) =>
      Effect.fail(
        unavailable(`its tables cannot be made (${reasonOf(Cause.squash(cause))})`, cause)
      )
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
