/**
 * What is odd about a backup beside the last one that was in order. Pure.
 *
 * @since 0.1.0
 */
import type * as Manifest from "../Manifest.js"

/** The share of the last backup's content under which a new one is suspect. */
const suddenShrink = 0.5

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
