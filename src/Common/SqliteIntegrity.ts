/**
 * What the lines of `quick_check` and `integrity_check` mean.
 *
 * Damage is what SQLite reports of b-trees and of the rows in them. Rows that break a rule of their
 * table were written like that. What a virtual table (FTS, R-Tree) says of itself is no damage either:
 * its writer may have been another version of SQLite, and its index can be made again.
 */

/** @internal */
export interface VirtualTable {
  readonly name: string
  /** In lower case: `fts5`. */
  readonly module: string
}

/** Columns `name` and `sql`, for `virtualTable`. @internal */
export const virtualTablesSql =
  "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND coalesce(rootpage, 0) = 0 AND sql LIKE 'create virtual table%' ORDER BY name"

/** A column `name`: what only looks like a table has no root page. @internal */
export const tablesSql =
  "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name"

/** @internal */
export const virtualTable = (name: string, sql: string): VirtualTable => ({
  name,
  module: (/\busing\s+["'`[]?(\w+)/i.exec(sql.replace(name, ""))?.[1] ?? "").toLowerCase()
})

/** @internal */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Of CHECK, NOT NULL, and types of columns. @internal */
export const isViolation = (line: string): boolean => violation.test(line)

const violation = /^(CHECK constraint failed in|(NULL|NUMERIC|TEXT|non-\w+) value in) /

/**
 * The table without row ids whose rows are in another order than SQLite's own, by a line of the check;
 * undefined for another line.
 *
 * @internal
 */
export const otherOrder = (line: string): string | undefined =>
  /^row not in PRIMARY KEY order for (.+)$/s.exec(line)?.[1]

/** A column, not zero where a table's key uses an order that a program may define again. @internal */
export const ownOrderSql = (table: string): string =>
  `SELECT count(*) FROM pragma_index_list(${literal(table)}) i, pragma_index_xinfo(i.name) x WHERE i.origin = 'pk' AND x.key = 1 AND upper(x.coll) <> 'BINARY'`

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** How a table is told of that needs what only its program has. @internal */
export const unchecked = (what: string, why: string): string =>
  `not checked: ${what} (${why}), which only its program can`

/** @internal */
export const isUnchecked = (line: string): boolean => line.startsWith("not checked: ")

/** How what a virtual table said of itself is told. @internal */
export const ownReport = (table: VirtualTable, line: string): string =>
  `virtual table ${table.name}: ${line.trim().replaceAll(/\s*\n\s*/g, "; ")}. Its rows are saved as they are; ${remedy(table)}`

const remedy = ({ module, name }: VirtualTable): string => {
  const table = quoted(name)
  if (/^fts[345]$/.test(module)) {
    return `where searches miss rows, let its program build the index again: INSERT INTO ${table}(${table}) VALUES('rebuild')`
  }
  return /^(rtree|rtree_i32|geopoly)$/.test(module)
    ? `where searches miss rows, let its program make it again: DELETE FROM ${table}, then insert its rows`
    : "only its program can tell whether it has to be made again"
}
