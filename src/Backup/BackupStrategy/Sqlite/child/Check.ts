/**
 * Whether a database is whole, as far as SQLite can tell without the program.
 *
 * Three things are told apart: damage, rows that break a rule of their table (they were written like
 * that, and are kept like that), and what cannot be checked here, because the schema calls functions
 * or collations that only the program brings along.
 *
 * @since 0.1.0
 */
import type { Database } from "better-sqlite3"
import { orElse } from "./bracket.js"
import { column, pluck, quoted, tableNames } from "./Database.js"
import { beyondSqlite } from "./Fault.js"

/** @internal */
export interface Checked {
  /** Damage; none where all is well. */
  readonly problems: ReadonlyArray<string>
  /** Rows that break the rules of their table. */
  readonly violations: ReadonlyArray<string>
  /** What could not be checked, and why. */
  readonly unchecked: ReadonlyArray<string>
}

/** @internal */
export type Kind = "quick_check" | "integrity_check"

/** A table that cannot be checked does not keep the others from it. @internal */
export const check = (database: Database, kind: Kind): Checked =>
  orElse(
    () => run(database, `PRAGMA ${kind}(${lines})`),
    beyondSqlite,
    () =>
      [...tableNames(database), "sqlite_schema"]
        .map((table) =>
          orElse(
            () => run(database, `PRAGMA ${kind}(${quoted(table)})`),
            beyondSqlite,
            (error) => unchecked(`table ${table}`, kind, error)
          )
        )
        .reduce(both, nothing)
  )

/** Rows that refer to rows which are not there, a line for each table. @internal */
export const strayRows = (database: Database): Checked =>
  column(
    database,
    "SELECT DISTINCT s.name FROM sqlite_schema s, pragma_foreign_key_list(s.name) WHERE s.type = 'table'"
  )
    .map((table) =>
      orElse(
        () => strayRowsOf(database, table),
        beyondSqlite,
        (error) => unchecked(`table ${table}`, "foreign_key_check", error)
      )
    )
    .reduce(both, nothing)

const strayRowsOf = (database: Database, table: string): Checked => {
  const rows = Number(pluck(database, "SELECT count(*) FROM pragma_foreign_key_check(?)", table))
  const found = `foreign keys: ${rows} ${rows === 1 ? "row" : "rows"} of ${table} refer to nothing`
  return { ...nothing, violations: rows === 0 ? [] : [found] }
}

const nothing: Checked = { problems: [], violations: [], unchecked: [] }

const both = (one: Checked, other: Checked): Checked => ({
  problems: [...one.problems, ...other.problems],
  violations: [...one.violations, ...other.violations],
  unchecked: [...one.unchecked, ...other.unchecked]
})

/** Damage may come after thousands of rows that only break rules; five lines of it are enough. */
const run = (database: Database, pragma: string): Checked => {
  const problems: Array<string> = []
  const violations: Array<string> = []
  for (const line of database.prepare(pragma).pluck().iterate()) {
    const text = String(line)
    if (text === "ok") continue
    const kept = isViolation.test(text) ? violations : problems
    if (kept.length < told) kept.push(text)
    if (problems.length === told) break
  }
  return { problems, violations, unchecked: [] }
}

/** Of CHECK, NOT NULL, and types of columns. */
const isViolation = /^(CHECK constraint failed in|(NULL|NUMERIC|TEXT|non-\w+) value in) /

const unchecked = (what: string, kind: string, error: Error): Checked => ({
  ...nothing,
  unchecked: [`not checked by ${kind}: ${what} (${error.message}), which only its program can`]
})

const told = 5
const lines = 2 ** 31 - 1
