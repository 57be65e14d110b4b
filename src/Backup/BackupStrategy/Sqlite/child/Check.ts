/**
 * Whether a database is whole, as far as SQLite can tell without the program.
 *
 * Damage is told apart from what is the owner's data as it is: rows that break a rule of their table
 * (they were written like that, and are kept like that), what a virtual table reports of itself, and
 * what cannot be checked here, because the schema calls functions, collations or modules that only the
 * program brings along.
 */
import type { Database } from "better-sqlite3"
import * as Integrity from "../../../../Common/SqliteIntegrity.js"
import { orElse } from "../../../../Common/bracket.js"
import { column, pluck, quoted, tableNames } from "./Database.js"
import { beyondSqlite } from "./Fault.js"

/** @internal */
export interface Checked {
  /** Damage; none where all is well. */
  readonly problems: ReadonlyArray<string>
  /** Rows that break the rules of their table, and virtual tables that are not content with themselves. */
  readonly violations: ReadonlyArray<string>
  /** What could not be checked, and why. */
  readonly unchecked: ReadonlyArray<string>
}

/** @internal */
export type Kind = "quick_check" | "integrity_check"

/** A table that cannot be checked does not keep the others from it. @internal */
export const check = (database: Database, kind: Kind): Checked => {
  const virtual = virtualTables(database)
  const most = virtual.length + told
  const whole = orElse<Lines | undefined>(
    () => run(database, `PRAGMA ${kind}(${lines})`, most),
    beyondSqlite,
    () => undefined
  )
  const found = whole ?? eachTable(database, kind, most)
  // What virtual tables report is part of the whole: it is asked for where there is anything to tell apart.
  const isAsked = whole === undefined || found.suspects.size > 0
  const own = virtual.map((table) => ownReport(database, isAsked ? kind : undefined, table))
  const known = new Set(own.map(({ line }) => line))
  const others = [...found.suspects].filter((line) => !known.has(line))
  const orders = others.filter((line) => isOwnOrder(database, line))
  return own
    .map(({ checked }) => checked)
    .reduce(both, {
      problems: others.filter((line) => !orders.includes(line)).slice(0, told),
      violations: [...orders, ...found.violations].slice(0, told),
      unchecked: found.unchecked
    })
}

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
        (error) => unchecked(`the foreign keys of ${table}`, error)
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

const virtualTables = (database: Database): ReadonlyArray<Integrity.VirtualTable> =>
  database
    .prepare<[], { readonly name: string; readonly sql: string }>(Integrity.virtualTablesSql)
    .all()
    .map(({ name, sql }) => Integrity.virtualTable(name, sql))

interface OwnReport {
  /** As the check of the whole database has it. */
  readonly line: string | undefined
  readonly checked: Checked
}

/** SQLite passes over a virtual table whose module is not there; asked for its columns it does not. */
const ownReport = (
  database: Database,
  kind: Kind | undefined,
  table: Integrity.VirtualTable
): OwnReport =>
  orElse<OwnReport>(
    () => {
      database.prepare(`SELECT * FROM ${quoted(table.name)}`)
      const [line = "ok"] =
        kind === undefined ? [] : column(database, `PRAGMA ${kind}(${quoted(table.name)})`)
      return line === "ok"
        ? { line: undefined, checked: nothing }
        : { line, checked: { ...nothing, violations: [Integrity.ownReport(table, line)] } }
    },
    beyondSqlite,
    (error) => ({ line: undefined, checked: unchecked(`virtual table ${table.name}`, error) })
  )

interface Lines {
  /** Each once. */
  readonly suspects: ReadonlySet<string>
  readonly violations: ReadonlyArray<string>
  readonly unchecked: ReadonlyArray<string>
}

const eachTable = (database: Database, kind: Kind, most: number): Lines => {
  const found = [...tableNames(database), "sqlite_schema"].map((table) =>
    orElse<Lines>(
      () => run(database, `PRAGMA ${kind}(${quoted(table)})`, most),
      beyondSqlite,
      (error) => ({ ...noLines, unchecked: unchecked(`table ${table}`, error).unchecked })
    )
  )
  return {
    suspects: new Set(found.flatMap(({ suspects }) => [...suspects])),
    violations: found.flatMap(({ violations }) => violations),
    unchecked: found.flatMap(({ unchecked }) => unchecked)
  }
}

const noLines: Lines = { suspects: new Set(), violations: [], unchecked: [] }

/** Damage may come after thousands of rows that only break rules. */
const run = (database: Database, pragma: string, most: number): Lines => {
  const suspects = new Set<string>()
  const violations: Array<string> = []
  for (const line of database.prepare(pragma).pluck().iterate()) {
    const text = String(line)
    if (text === "ok") continue
    if (!Integrity.isViolation(text)) suspects.add(text)
    else if (violations.length < told) violations.push(text)
    if (suspects.size === most) break
  }
  return { suspects, violations, unchecked: [] }
}

/** NOCASE, for one, may be the program's own. */
const isOwnOrder = (database: Database, line: string): boolean => {
  const table = Integrity.otherOrder(line)
  return table !== undefined && Number(pluck(database, Integrity.ownOrderSql(table))) > 0
}

const unchecked = (what: string, { message }: Error): Checked => ({
  ...nothing,
  unchecked: [Integrity.unchecked(what, message)]
})

const told = 5
const lines = 2 ** 31 - 1
