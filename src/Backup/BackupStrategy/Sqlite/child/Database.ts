/** Database files: opened without ever being created, and looked at. */
import Sqlite from "better-sqlite3"
import type { Database } from "better-sqlite3"
import * as JournalTables from "../../../../Common/JournalTables.js"
import { quoted } from "../../../../Common/SqliteIntegrity.js"
import { bracket, orElse } from "../../../../Common/bracket.js"
import { beyondSqlite } from "./Fault.js"

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
  return prepared(database)
}

/** SQLite's library, which is loaded with the first database. @internal */
export const load = (): undefined => {
  new Sqlite(":memory:").close()
  return undefined
}

/** A file that nobody writes to. @internal */
export const openCopy = (path: string): Database => {
  const database = new Sqlite(path, { fileMustExist: true, readonly: true, timeout: 0 })
  return prepared(database)
}

/** The same, with the CHECK rules of its tables, which SQLite does not keep of what it may not write. @internal */
export const openWithRules = (path: string): Database => {
  const database = open(path, 0)
  database.pragma("query_only = ON")
  database.pragma("ignore_check_constraints = OFF")
  return database
}

/** Rows that break their table's own rules are the program's affair, and no damage. */
const prepared = (database: Database): Database => {
  database.pragma(`cache_size = -${cacheKilobytes}`)
  database.pragma("ignore_check_constraints = ON")
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
  tableNames(database).map((name) => ({ name, rows: count(database, name) }))

/** @internal */
export const tableNames = (database: Database): ReadonlyArray<string> =>
  column(
    database,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
  )

/** The tables of Holter's journal, where it is kept in this database. @internal */
export const journalOf = (database: Database): ReadonlyArray<string> =>
  JournalTables.among(tableNames(database))

/** By its pages where an order that only the program knows keeps SQLite from opening the table. */
const count = (database: Database, table: string): number =>
  orElse(
    () => Number(pluck(database, `SELECT count(*) FROM ${quoted(table)}`)),
    beyondSqlite,
    () =>
      Number(
        pluck(
          database,
          `SELECT coalesce(sum(ncell), 0) FROM dbstat WHERE name = ? AND (pagetype = 'leaf'
             OR (SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?))`,
          table,
          table
        )
      )
  )

/** @internal */
export const number = (database: Database, pragma: string): number =>
  Number(database.pragma(pragma, { simple: true }))

/** @internal */
export const isWal = (database: Database): boolean =>
  database.pragma("journal_mode", { simple: true }) === "wal"

/** @internal */
export const versionOf = (database: Database): string =>
  String(database.prepare("SELECT sqlite_version()").pluck().get())

export { quoted }

/** @internal */
export const column = (
  database: Database,
  sql: string,
  ...given: ReadonlyArray<string>
): ReadonlyArray<string> =>
  database
    .prepare(sql)
    .pluck()
    .all(...given)
    .map(String)

/** @internal */
export const pluck = (database: Database, sql: string, ...given: ReadonlyArray<string>): unknown =>
  database
    .prepare(sql)
    .pluck()
    .get(...given)
