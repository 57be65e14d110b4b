/**
 * What a database file holds, and whether it is whole.
 *
 * @since 0.1.0
 */
import {
  isWal,
  number,
  open,
  openCopy,
  problemsOf,
  strayRows,
  type Tables,
  tablesOf,
  versionOf,
  withDatabase
} from "./Database.js"
import { fail, type Role } from "./Fault.js"

/** @internal */
export interface Facts {
  readonly engineVersion: string
  readonly pageSize: number
  readonly tables: ReadonlyArray<Tables>
  /** What the check found; none where all is well. */
  readonly problems: ReadonlyArray<string>
  /** What only `integrity_check` found: indexes that differ from their tables, broken rules. */
  readonly violations: ReadonlyArray<string>
  readonly stray: ReadonlyArray<string>
}

/** @internal */
export interface InspectInput {
  readonly path: string
  /** What it is a copy of, for messages. */
  readonly subject: string
  readonly role: Role
  readonly deep: boolean
  /** Whether rows that refer to nothing are looked for. */
  readonly stray: boolean
}

/** Of a file that nobody writes to. @internal */
export const inspect = ({ deep, path, stray }: InspectInput): Facts =>
  withDatabase(
    () => openCopy(path),
    (database) => ({
      engineVersion: versionOf(database),
      pageSize: number(database, "page_size"),
      problems: problemsOf(database, "quick_check"),
      violations: deep ? problemsOf(database, "integrity_check") : [],
      tables: tablesOf(database),
      stray: stray ? strayRows(database) : []
    })
  )

/** @internal */
export interface Present {
  /** None in an empty file, which is a database without tables. */
  readonly pages: number
  readonly pageSize: number
  readonly wal: boolean
}

/** @internal */
export interface LookInput {
  readonly database: string
  readonly busyTimeout: number
}

/** Reads the database in use to its end; fails with `Damaged`. @internal */
export const look = ({ busyTimeout, database }: LookInput): Present =>
  withDatabase(
    () => open(database, busyTimeout),
    (live) => {
      const [problem] = problemsOf(live, "quick_check")
      if (problem !== undefined) {
        fail({
          reason: "Damaged",
          subject: database,
          expected: "a database that passes quick_check",
          found: problem,
          advice: "Restore a backup of it with --replace-damaged"
        })
      }
      return {
        pages: number(live, "page_count"),
        pageSize: number(live, "page_size"),
        wal: isWal(live)
      }
    }
  )
