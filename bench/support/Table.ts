/** What was measured, as one table. */
import { loadavg, cpus } from "node:os"
import type { Limit } from "../limits.js"
import { median, ratios } from "./Rounds.js"

export interface Row {
  readonly name: string
  readonly values: ReadonlyArray<number>
  readonly unit: "x" | "MB" | "ms" | "cores" | "requests" | "a second" | "beats"
  /** None: the figure is shown for comparison only. */
  readonly limit?: Limit
  /** What the ratio was made of: `152.1 ms / 40.3 ms`. */
  readonly from?: string
}

/** What one part of a benchmark has to say. */
export interface Measured {
  readonly rows: ReadonlyArray<Row>
  readonly notes: ReadonlyArray<string>
}

/** How many times `base` a unit of `subject` costs. */
export const ratioRow = (
  name: string,
  subject: ReadonlyArray<number>,
  base: ReadonlyArray<number>,
  unit: "ms" | "us",
  limit?: Limit
): Row => ({
  name,
  values: ratios(subject, base),
  unit: "x",
  from: `${figure(median(subject))} ${unit} / ${figure(median(base))} ${unit}`,
  ...(limit === undefined ? {} : { limit })
})

export const print = ({ notes, rows }: Measured): void => {
  const table = [
    ["", "median", "min..max", "limit", "", "from"],
    ...rows.map((row) => [
      row.name,
      `${figure(median(row.values))} ${row.unit}`,
      `${figure(Math.min(...row.values))}..${figure(Math.max(...row.values))}`,
      row.limit === undefined ? "-" : `${signs[row.limit.kind]} ${row.limit.value}`,
      verdict(row),
      row.from ?? ""
    ])
  ]
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((cells) => (cells[column] ?? "").length))
  )
  for (const cells of table) {
    console.log(
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()
    )
  }
  for (const note of notes) console.log(`note: ${note}`)
}

const signs = { most: "<=", least: ">=" } as const

const verdict = ({ limit, values }: Row): string => {
  if (limit === undefined) return ""
  const value = median(values)
  return (limit.kind === "most" ? value <= limit.value : value >= limit.value) ? "ok" : "OVER"
}

/** Three digits that count. */
const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

/** The load tells whether anything else ran: figures of a busy machine are worth little. */
export const machine = (): string => {
  const all = cpus()
  const load = loadavg().map((value) => value.toFixed(2))
  return [
    `${all[0]?.model.trim() ?? "unknown CPU"} x ${all.length}`,
    `Node ${process.version}`,
    `${process.platform} ${process.arch}`,
    new Date().toISOString().slice(0, 10),
    `load ${load.join(" ")}`
  ].join(", ")
}
