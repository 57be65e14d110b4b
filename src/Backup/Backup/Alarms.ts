/**
 * What is odd about a backup beside the last one that was in order. Pure.
 *
 * @since 0.1.0
 */
import { Option } from "effect"
import type { Stored } from "../BackupStore/Store.js"
import { judge } from "../DatabaseIdentity.js"
import * as Manifest from "../Manifest.js"

/** The share of the last backup's content under which a new one is suspect. */
const suddenShrink = 0.5

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

/** @internal */
export const compare = (
  before: Manifest.Dump | undefined,
  now: Manifest.Dump
): ReadonlyArray<string> => {
  if (before === undefined) return []
  const isSmall = now.contentBytes < before.contentBytes * suddenShrink
  const shrunk = isSmall
    ? [
        `The database shrank from ${before.contentBytes} to ${now.contentBytes} bytes since the last good backup`
      ]
    : []
  const rows = new Map(now.tables.map((table) => [table.name, table.rows]))
  const emptied = before.tables
    .filter((table) => table.rows > 0 && (rows.get(table.name) ?? 0) === 0)
    .map((table) => ({ ...table, isGone: !rows.has(table.name) }))
  const named = emptied.slice(0, namedTables).map(lost)
  const others = emptied.length - named.length
  const more = others > 0 ? [`${others} more tables lost all their rows or are gone`] : []
  return [...shrunk, ...named, ...more]
}

const namedTables = 10

const lost = ({ isGone, name, rows }: Manifest.Table & { readonly isGone: boolean }): string =>
  isGone
    ? `Table ${name} is gone; it had ${rows} rows in the last good backup`
    : `Table ${name} has no rows; it had ${rows} in the last good backup`
