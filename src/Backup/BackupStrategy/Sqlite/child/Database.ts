/**
 * Database files: opened without ever being created, looked at, checked.
 *
 * @since 0.1.0
 */
import Sqlite from "better-sqlite3"
import type { Database } from "better-sqlite3"
import { bracket } from "./bracket.js"

/** Table rows, counted; `rootpage` leaves out what only looks like a table. @internal */
export interface Tables {
  readonly name: string
  readonly rows: number
}

/**
 * Opened for reading and writing where that is possible: a reader that may not write cannot roll back
 * a hot journal, and leaves `-wal` and `-shm` files behind.
 *
 * @internal
 */
export const open = (path: string, busyTimeout: number): Database => {
  const database = new Sqlite(path, { fileMustExist: true, timeout: busyTimeout })
  database.pragma(`cache_size = -${cacheKilobytes}`)
  return database
}

/** A file that nobody writes to. @internal */
export const openCopy = (path: string): Database => {
  const database = new Sqlite(path, { fileMustExist: true, readonly: true, timeout: 0 })
  database.pragma(`cache_size = -${cacheKilobytes}`)
  return database
}

const cacheKilobytes = 4096

/** @internal */
export const withDatabase = <A>(acquire: () => Database, use: (database: Database) => A): A =>
  bracket(acquire, use, (database) => {
    database.close()
  })

/** @internal */
export const tablesOf = (database: Database): ReadonlyArray<Tables> =>
  column(
    database,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
  ).map((name) => ({ name, rows: count(database, name) }))

const count = (database: Database, table: string): number =>
  Number(
    database
      .prepare(`SELECT count(*) FROM "${table.replaceAll('"', '""')}"`)
      .pluck()
      .get()
  )

/** The problems that SQLite finds; none where all is well. @internal */
export const problemsOf = (
  database: Database,
  check: "quick_check" | "integrity_check"
): ReadonlyArray<string> =>
  column(database, `PRAGMA ${check}(${reported})`).filter((line) => line !== "ok")

/** Rows that refer to rows which are not there, a line for each table. @internal */
export const strayRows = (database: Database): ReadonlyArray<string> => {
  const refers = column(
    database,
    "SELECT DISTINCT s.name FROM sqlite_schema s, pragma_foreign_key_list(s.name) WHERE s.type = 'table'"
  )
  return refers.flatMap((table) => {
    const found = database
      .prepare("SELECT count(*) FROM pragma_foreign_key_check(?)")
      .pluck()
      .get(table)
    const rows = Number(found)
    return rows === 0
      ? []
      : [`foreign keys: ${rows} ${rows === 1 ? "row" : "rows"} of ${table} refer to nothing`]
  })
}

/** @internal */
export const number = (database: Database, pragma: string): number =>
  Number(database.pragma(pragma, { simple: true }))

/** @internal */
export const isWal = (database: Database): boolean =>
  database.pragma("journal_mode", { simple: true }) === "wal"

/** @internal */
export const versionOf = (database: Database): string =>
  String(database.prepare("SELECT sqlite_version()").pluck().get())

const reported = 5

const column = (database: Database, sql: string): ReadonlyArray<string> =>
  database.prepare(sql).pluck().all().map(String)
