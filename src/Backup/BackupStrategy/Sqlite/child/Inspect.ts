/** What a database file holds, and whether it is whole. */
import * as fs from "node:fs"
import { check, strayRows } from "./Check.js"
import {
  isWal,
  journalOf,
  number,
  open,
  openCopy,
  openWithRules,
  type Tables,
  tablesOf,
  versionOf,
  withDatabase
} from "./Database.js"
import { encrypted, fail, notPlain, type Role } from "./Fault.js"
import { firstBytes } from "./files.js"
import * as Header from "./Header.js"

/** @internal */
export interface Facts {
  readonly engineVersion: string
  readonly pageSize: number
  readonly tables: ReadonlyArray<Tables>
  /** What the check found; none where all is well. */
  readonly problems: ReadonlyArray<string>
  /** What only `integrity_check` found: indexes that differ from their tables. */
  readonly differences: ReadonlyArray<string>
  /** What is no damage: rows that break rules or refer to nothing, what could not be checked. */
  readonly warnings: ReadonlyArray<string>
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
    () => (deep ? openWithRules(path) : openCopy(path)),
    (database) => {
      const quick = check(database, "quick_check")
      const isSound = quick.problems.length === 0
      const whole = deep && isSound ? check(database, "integrity_check") : undefined
      const keys = stray ? strayRows(database) : undefined
      return {
        engineVersion: versionOf(database),
        pageSize: number(database, "page_size"),
        tables: tablesOf(database),
        problems: quick.problems,
        differences: whole?.problems ?? [],
        // Both checks say the same of what they cannot check.
        warnings: unique(
          ...(whole ?? quick).violations.map((line) => `integrity: ${line}`),
          ...(keys?.violations ?? []),
          ...quick.unchecked,
          ...(whole?.unchecked ?? []),
          ...(keys?.unchecked ?? [])
        )
      }
    }
  )

const unique = (...lines: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(lines)]

/** @internal */
export interface Present {
  /** None in an empty file, which is a database without tables. */
  readonly pages: number
  readonly pageSize: number
  readonly wal: boolean
  /** The tables of Holter's journal in it. */
  readonly journal: ReadonlyArray<string>
}

/** @internal */
export interface LookInput {
  readonly database: string
  readonly busyTimeout: number
}

/**
 * Fails with `Damaged` where the file is none of SQLite's. To be called before there is any connection
 * in this process, see `Copy.ts`; SQLite itself would remove the `-wal` of such a file when it closes it.
 *
 * @internal
 */
export const refuseOther = (database: string): void => {
  const head = firstBytes(database)
  if (
    head.length === 0 &&
    (fs.statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
  ) {
    fail({
      reason: "Damaged",
      subject: database,
      expected: "a SQLite database",
      found: "an empty file beside a -wal file that has content, which SQLite would remove",
      advice: "Save both files elsewhere, then restore a backup with --replace-damaged"
    })
  }
  if (head.length === 0 || Header.isSqlite(head)) return
  // As a crash leaves it.
  if (head.every((byte) => byte === 0)) {
    fail({
      reason: "Damaged",
      subject: database,
      expected: "a SQLite database",
      found: "zeros where its header was",
      advice: "Restore a backup of it with --replace-damaged"
    })
  }
  fail({ ...notPlain, subject: database, found: encrypted })
}

/** Reads the database in use to its end; fails with `Damaged`. @internal */
export const look = ({ busyTimeout, database }: LookInput): Present => {
  refuseOther(database)
  return withDatabase(
    () => open(database, busyTimeout),
    (live) => {
      const [problem] = check(live, "quick_check").problems
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
        wal: isWal(live),
        journal: journalOf(live)
      }
    }
  )
}

/**
 * What a copy without the free pages takes, by the header and without a lock: what is still in the WAL
 * is not counted.
 *
 * @internal
 */
export const measure = (database: string): number => {
  const { size } = fs.statSync(database)
  const head = firstBytes(database)
  const pages = Header.isSqlite(head) ? Header.pageCount(head) : undefined
  return pages === undefined ? size : (pages - Header.freePages(head)) * Header.pageSize(head)
}
