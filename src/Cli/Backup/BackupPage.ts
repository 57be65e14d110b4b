/**
 * The lines that a person reads from the commands on backups. Pure.
 */
import type { Copy, Created, Drilled, Pruned, PrunedCopy, Verified } from "../../Backup/Backup.js"
import type { Table } from "../../Backup/Manifest.js"
import type { Look } from "../Output.js"
import * as Format from "../../Common/Format.js"

export const good = (look: Look): string => mark(look, "✅", "[ok]", 32)
export const bad = (look: Look): string => mark(look, "❌", "[failed]", 31)
export const warning = (look: Look): string => mark(look, "⚠️ ", "[warning]", 33)

const mark = (look: Look, emoji: string, text: string, ansi: number): string =>
  look.emoji ? emoji : look.color ? `\u001b[${ansi}m${text}\u001b[0m` : text

/** `12 tables, 48,210 rows`. */
export const contentOf = (tables: ReadonlyArray<Table>): string => {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  return `${Format.many(tables.length, "table")}, ${Format.many(rows, "row")}`
}

export const warnings = (texts: ReadonlyArray<string>, look: Look): ReadonlyArray<string> =>
  texts.map((text) => `${warning(look)} ${text}`)

export const created = (one: Created, millis: number, look: Look): ReadonlyArray<string> => {
  const { bytes, compression, contentBytes, database, tables } = one.manifest.dump
  const before = compression === "none" ? "" : ` of ${Format.bytes(contentBytes)}`
  const verified = one.manifest.verified === null ? "not verified" : "verified"
  return [
    `${good(look)} Backed up ${database.name} (${database.engine}) as ${one.name}`,
    `   ${Format.bytes(bytes)}${before}, ${contentOf(tables)}, ${verified}, in ${Format.measured(millis)}`,
    `   in ${one.store}`,
    ...one.copies
      .filter(({ problem }) => problem === undefined)
      .map(({ store }) => `   copied to ${store}`),
    ...one.pruned.map((name) => `   removed by retention: ${name}`),
    ...one.swept.map((name) => `   removed, left by a run that was killed: ${name}`)
  ]
}

export const copyNotPruned = ({ problem, store }: PrunedCopy, look: Look): string =>
  `${bad(look)} Nothing pruned in ${store}: ${problem?.message ?? "unknown"}`

export const copyFailed = ({ problem, store }: Copy, look: Look): string =>
  `${bad(look)} No copy in ${store}: ${problem?.message ?? "unknown"}`

export const verified = (
  all: ReadonlyArray<Verified>,
  deep: boolean,
  look: Look
): ReadonlyArray<string> => [
  ...all.flatMap(({ name, problem, warnings: found }) =>
    problem === undefined
      ? [
          `${good(look)} ${name}: ${deep ? "verified to its depth" : "verified"}`,
          ...indented(found, look)
        ]
      : [`${bad(look)} ${name}: ${problem.message}`]
  ),
  ...(all.length === 0 ? ["There is no backup to verify."] : []),
  ...(all.length > 1 ? [summary(all)] : [])
]

const summary = (all: ReadonlyArray<Verified>): string => {
  const broken = all.filter(({ problem }) => problem !== undefined).length
  return broken === 0
    ? `All ${all.length} are good.`
    : `${broken} of ${all.length} cannot be used. Remove them once there is a good one.`
}

const indented = (texts: ReadonlyArray<string>, look: Look): ReadonlyArray<string> =>
  warnings(texts, look).map((text) => `   ${text}`)

export const drilled = (one: Drilled, look: Look): ReadonlyArray<string> => [
  `${good(look)} ${one.name} restores: ${contentOf(one.tables)}, in ${Format.measured(one.took)}`
]

export const pruned = (one: Pruned, dryRun: boolean, look: Look): ReadonlyArray<string> => [
  ...one.removed.map((name) => `${dryRun ? "would remove" : "removed"}  ${name}`),
  ...one.kept.map(
    ({ because, name }) => `${dryRun ? "would keep  " : "kept   "}  ${name} (${because})`
  ),
  ...one.copies.flatMap(({ removed, store }) =>
    removed.map((name) => `${dryRun ? "would remove" : "removed"}  ${name} in ${store}`)
  ),
  `${good(look)} ${dryRun ? "Would remove" : "Removed"} ${Format.count(one.removed.length)}, ${dryRun ? "would keep" : "kept"} ${Format.count(one.kept.length)}`
]
