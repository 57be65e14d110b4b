/**
 * Holter's journal in a database that is restored. What is owed, open incidents and silences are of the
 * present, whatever the rows beside them become: its tables are carried over into the content that takes
 * the place of the present, with the write lock in hand and before the first page is written. So they
 * become part of the one transaction that replaces the content.
 */
import type { Database } from "better-sqlite3"
import * as fs from "node:fs"
import * as JournalTables from "../../../../Common/JournalTables.js"
import { orElse } from "../../../../Common/bracket.js"
import { copyBytes, isSame } from "./Copy.js"
import { column, open, quoted, type Tables, tablesOf, withDatabase } from "./Database.js"
import { fail } from "./Fault.js"

/** @internal */
export interface KeepInput {
  /** The content that is about to be written. */
  readonly into: string
  readonly database: string
  readonly busyTimeout: number
  /**
   * In rollback mode the lock keeps readers out too: an open descriptor of the database, which is copied
   * from, and where to. Its rows are then read from the copy.
   */
  readonly closed: { readonly descriptor: number; readonly copy: string } | undefined
}

/** @internal */
export interface Kept {
  readonly tables: ReadonlyArray<Tables>
  readonly doubts: ReadonlyArray<string>
}

/** All of them or none: a journal that cannot be read is no reason not to restore. @internal */
export const keep = (input: KeepInput): Kept =>
  orElse<Kept>(
    () => ({ tables: carried(input), doubts: [] }),
    () => true,
    ({ message }) => ({
      tables: [],
      doubts: [
        `Holter's current journal could not be kept (${message}). It is in the pre-restore backup; the database now has the journal of the restored backup, if that has one`
      ]
    })
  )

const carried = ({ busyTimeout, closed, database, into }: KeepInput): ReadonlyArray<Tables> => {
  if (closed !== undefined) {
    const { copy, descriptor } = closed
    if (!isSame(descriptor, database)) exchanged(database)
    const bytes = fs.fstatSync(descriptor).size
    copyBytes(descriptor, bytes, { database, target: copy, onProgress: () => undefined })
  }
  return withDatabase(
    () => open(into, busyTimeout),
    (target) => {
      // A copy that is made anew where this fails.
      target.pragma("journal_mode = MEMORY")
      target.pragma("synchronous = OFF")
      target.prepare("ATTACH ? AS present").run(closed?.copy ?? database)
      return target.transaction(() => exchange(target))()
    }
  )
}

const exchanged = (subject: string): never =>
  fail({
    reason: "Busy",
    subject,
    expected: "the file that was opened",
    found: "another one in its place",
    advice: "Try again"
  })

const exchange = (target: Database): ReadonlyArray<Tables> => {
  const present = JournalTables.among(column(target, tablesSql("present")))
  if (present.length === 0) return []
  for (const name of column(target, tablesSql("main")).filter(JournalTables.isOne)) {
    target.exec(`DROP TABLE main.${quoted(name)}`)
  }
  for (const name of present) {
    for (const statement of column(target, statementsSql, name)) target.exec(statement)
    target.exec(`INSERT INTO main.${quoted(name)} SELECT * FROM present.${quoted(name)}`)
  }
  return tablesOf(target).filter(({ name }) => present.includes(name))
}

const tablesSql = (schema: "main" | "present"): string =>
  `SELECT name FROM ${schema}.sqlite_schema WHERE type = 'table' AND rootpage > 0`

/** What makes a table and its indexes; those of a PRIMARY KEY come with it. */
const statementsSql = `SELECT sql FROM present.sqlite_schema
  WHERE tbl_name = ? AND type IN ('table', 'index') AND sql IS NOT NULL
  ORDER BY type = 'index'`
