/** What is odd about a backup beside the last one that was in order. Pure. */
import { Option } from "effect"
import type { Stored } from "../Store.js"
import { judge } from "../DatabaseIdentity.js"
import * as Manifest from "../Manifest.js"
import * as Format from "../../Common/Format.js"

/**
 * What the next one is measured by, of backups newest first: not one that was suspect itself, or a loss
 * would be told once only.
 *
 * @internal
 */
export const lastGood = (
  backups: ReadonlyArray<Stored>,
  app: string,
  database: Manifest.Database,
  /** What somebody has pinned in another store. */
  pinned: ReadonlySet<string> = new Set()
): Manifest.Dump | undefined => {
  const last = backups.find(({ manifest, name, parsed, problem }) =>
    Option.exists(
      manifest,
      (known) =>
        problem === undefined &&
        parsed.app === app &&
        known.purpose === "backup" &&
        (pinned.has(name) || Manifest.suspicions(known).length === 0) &&
        // One that does not tell is measured by, rather than that a loss goes unseen.
        judge(known.dump.database, database) !== "other"
    )
  )
  return Option.getOrUndefined(last?.manifest ?? Option.none())?.dump
}

/** What one backup shows beside another. @internal */
export interface Comparison {
  /** What looks like a loss of the whole: the backup is suspect. */
  readonly alarms: ReadonlyArray<string>
  /** What is worth a line, as a small table that was emptied. */
  readonly notes: ReadonlyArray<string>
}

/**
 * An alarm is for what looks like a loss of the whole: less than half of all rows are left, or a table that
 * held a good part of them is empty or gone. A queue that was worked off is a note, and an old partition
 * that was dropped is no more than its share of its table. The size tells where rows do not.
 *
 * @internal
 */
export const compare = (
  before: Manifest.Dump | undefined,
  now: Manifest.Dump,
  ignoreTables: ReadonlyArray<string> = []
): Comparison => {
  if (before === undefined) return { alarms: [], notes: [] }
  const roots = new Map(
    [...before.tables, ...now.tables].map(({ name, root }) => [name, root ?? name])
  )
  const isCounted = isNoneOf(ignoreTables)
  const had = rowsOf(before, roots, isCounted)
  const has = rowsOf(now, roots, isCounted)
  const all = sum(had)
  const left = sum(has)
  const emptied = [...had]
    .filter(([name, rows]) => rows > 0 && (has.get(name) ?? 0) === 0)
    .map(([name, rows]) => ({ name, rows, isGone: !has.has(name) }))
  const main = emptied.filter(({ rows }) => rows >= all * mainShare)
  const small = emptied.filter(({ rows }) => rows < all * mainShare)
  const fell =
    main.length === 0 && left < all * suddenLoss
      ? [`All tables together have ${left} rows; they had ${all} in the last good backup`]
      : []
  const shrunk =
    now.contentBytes < before.contentBytes * suddenLoss
      ? [
          `The database shrank from ${Format.bytes(before.contentBytes)} to ${Format.bytes(now.contentBytes)} since the last good backup`
        ]
      : []
  // Whoever removes what takes room, and no row, has tidied up.
  const isTidied = all > 0 && left >= all && main.length === 0
  return {
    alarms: [...(isTidied ? [] : shrunk), ...told(main), ...fell],
    notes: [...(isTidied ? shrunk : []), ...told(small)]
  }
}

/** The share of the last backup's rows, or of its content, under which a new one is suspect. */
const suddenLoss = 0.5

/** The share of all rows from which on a table is one of those that matter to the whole. */
const mainShare = 0.1

/** The rows of each table; of a partitioned one, or an inheritance tree, those of all its parts. */
const rowsOf = (
  { tables }: Manifest.Dump,
  roots: ReadonlyMap<string, string>,
  isCounted: (name: string) => boolean
): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>()
  for (const { name, rows } of tables) {
    const root = roots.get(name) ?? name
    if (isCounted(root) && isCounted(name)) sums.set(root, (sums.get(root) ?? 0) + rows)
  }
  return sums
}

const sum = (rows: ReadonlyMap<string, number>): number =>
  [...rows.values()].reduce((total, one) => total + one, 0)

/** By the whole name, or by what follows the schema; a star stands for any characters. */
const isNoneOf = (patterns: ReadonlyArray<string>): ((name: string) => boolean) => {
  const wanted = patterns.map(
    (pattern) =>
      new RegExp(
        `^${pattern
          .split("*")
          .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
          .join(".*")}$`,
        "s"
      )
  )
  return (name) => {
    const plain = name.replaceAll('"', "")
    const forms = [name, plain, plain.slice(plain.indexOf(".") + 1)]
    return !wanted.some((pattern) => forms.some((form) => pattern.test(form)))
  }
}

const told = (
  tables: ReadonlyArray<Manifest.Table & { readonly isGone: boolean }>
): ReadonlyArray<string> => {
  const named = tables.slice(0, namedTables).map(lost)
  const others = tables.length - named.length
  return [
    ...named,
    ...(others > 0 ? [`${others} more tables lost all their rows or are gone`] : [])
  ]
}

const namedTables = 10

const lost = ({ isGone, name, rows }: Manifest.Table & { readonly isGone: boolean }): string =>
  isGone
    ? `Table ${name} is gone; it had ${rows} rows in the last good backup`
    : `Table ${name} has no rows; it had ${rows} in the last good backup`
