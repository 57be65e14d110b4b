/** What a shutdown did: every hook, how long it took and how it ended, as data, as text and as JSON. */
import { Schema } from "effect"
import * as Format from "../Common/Format.js"

/**
 * How a hook ended. `overran`: it was not done within its limit, and was left behind. `running`: it
 * had not ended when the report was taken. `skipped`: no time was left for it.
 */
export const Ended = Schema.Literal(
  "completed",
  "failed",
  "died",
  "interrupted",
  "overran",
  "running",
  "skipped"
)

export type Ended = typeof Ended.Type

export const Entry = Schema.Struct({
  phase: Schema.String,
  hook: Schema.String,
  /** Since the stop was requested. */
  started_ms: Schema.Number,
  took_ms: Schema.Number,
  limit_ms: Schema.Number,
  ended: Ended,
  /** Why it failed. */
  message: Schema.optional(Schema.String),
  /** What it has to tell: the beacons that were cancelled, a file that was written. */
  notes: Schema.Array(Schema.String)
})

export type Entry = typeof Entry.Type

export const ShutdownReport = Schema.Struct({
  /** `SIGTERM`, or what else asked for it. */
  reason: Schema.String,
  /** A fault that nobody caught, as the cause of the shutdown or during it. */
  fault: Schema.optional(Schema.String),
  requested_at: Schema.DateTimeUtc,
  grace_ms: Schema.Number,
  took_ms: Schema.Number,
  /** The phase that was running, when it was not over yet. */
  phase: Schema.optional(Schema.String),
  entries: Schema.Array(Entry)
})

export type ShutdownReport = typeof ShutdownReport.Type

/** 0 after an orderly stop, 1 when a hook failed or overran, 70 after a fault. */
export const exitCode = (report: ShutdownReport): number => {
  if (report.fault !== undefined) return 70
  return report.entries.every(({ ended }) => ended === "completed") ? 0 : 1
}

/** The hooks that had not ended. */
export const running = (report: ShutdownReport): ReadonlyArray<Entry> =>
  report.entries.filter(({ ended }) => ended === "running")

/** @internal */
export const withoutRunning = ({ phase: _, ...report }: ShutdownReport): ShutdownReport => ({
  ...report,
  entries: report.entries.filter(({ ended }) => ended !== "running")
})

/** The waterfall: a line a hook, with a bar that shows when it ran. */
export const text = (report: ShutdownReport): string => {
  const head = `shutdown by ${report.reason}: ${took(report.took_ms)} of ${took(report.grace_ms)}${
    report.phase === undefined ? "" : `, in phase ${report.phase}`
  }`
  const fault = report.fault === undefined ? [] : [`  fault: ${report.fault}`]
  const width = (cell: (entry: Entry) => string) =>
    Math.max(0, ...report.entries.map((entry) => cell(entry).length))
  const [phase, hook] = [width((entry) => entry.phase), width((entry) => entry.hook)]
  const lines = report.entries.flatMap((entry) => [
    [
      `  ${entry.phase.padEnd(phase)}`,
      entry.hook.padEnd(hook),
      bar(entry, report.took_ms),
      took(entry.took_ms).padStart(8),
      endOf(entry),
      ...(entry.message === undefined ? [] : [entry.message])
    ].join("  "),
    ...entry.notes.map((note) => `  ${" ".repeat(phase)}  ${note}`)
  ])
  return [head, ...fault, ...lines].join("\n")
}

/**
 * What to log of it: one line where every hook completed, with what they have to tell, else the waterfall.
 */
export const brief = (report: ShutdownReport): string => {
  const { entries, fault } = report
  const isClean = fault === undefined && entries.every(({ ended }) => ended === "completed")
  if (!isClean) return text(report)
  const { length } = entries
  const notes = entries.flatMap((entry) => entry.notes.map((note) => `${entry.hook}: ${note}`))
  return [
    text({ ...report, entries: [] }),
    ...(length === 0 ? [] : [`, ${length} ${length === 1 ? "hook" : "hooks"} completed`]),
    ...(notes.length === 0 ? [] : [` (${notes.join("; ")})`])
  ].join("")
}

export const json = Schema.encodeSync(Schema.parseJson(ShutdownReport))

/** A fault shortens the limit of the hook that runs. */
const endOf = ({ ended, limit_ms, took_ms }: Entry): string => {
  if (ended !== "overran") return ended
  return took_ms < limit_ms ? "overran, cut short" : `overran ${took(limit_ms)}`
}

const columns = 20

/** Where in the whole the hook ran; what took no time still shows. */
const bar = (entry: Entry, whole: number): string => {
  const scale = whole === 0 ? 0 : columns / whole
  const from = Math.min(columns - 1, Math.floor(entry.started_ms * scale))
  const length = Math.max(1, Math.min(columns - from, Math.round(entry.took_ms * scale)))
  return `|${" ".repeat(from)}${"=".repeat(length)}${" ".repeat(columns - from - length)}|`
}

const took = (millis: number): string => Format.measured(millis)
