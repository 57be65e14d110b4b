/**
 * How far a long piece of work has come, as one line for a terminal. Pure.
 */
import { Duration } from "effect"
import type { Progress } from "../../Backup/BackupStrategy/Strategy.js"
import * as Format from "../../Common/Format.js"

/** What is remembered between two reports. */
export interface State {
  readonly stage: string
  /** When the stage began, and when the line was last drawn, in milliseconds. */
  readonly since: number
  readonly drawn: number
}

/** A line is not drawn more often than this. */
export const pause = Duration.millis(100)

/** The state after a report, and the line to draw; none where the last one is fresh enough. */
export const next = (
  before: State | undefined,
  progress: Progress,
  now: number,
  columns: number
): { readonly state: State; readonly line: string | undefined } => {
  const isNew = before?.stage !== progress.stage
  const since = isNew ? now : before.since
  const isDue = isNew || now - before.drawn >= Duration.toMillis(pause)
  const isDone = progress.total !== undefined && progress.bytes >= progress.total
  if (!isDue && !isDone) return { state: before, line: undefined }
  return {
    state: { stage: progress.stage, since, drawn: now },
    line: fit(lineOf(progress, now - since), columns)
  }
}

const lineOf = ({ bytes, note, stage, total }: Progress, elapsed: number): string => {
  if (note !== undefined) return `${inWords[stage] ?? stage}  ${note} (${Format.about(elapsed)})`
  const words = inWords[stage] ?? stage
  const rate = elapsed > 0 ? (bytes / elapsed) * 1000 : 0
  const amount =
    total === undefined || total <= 0
      ? Format.bytes(bytes)
      : `${Math.min(100, Math.floor((bytes / total) * 100))} %  ${Format.bytes(bytes)} of ${Format.bytes(total)}`
  // The first moments say little about the rest.
  const isSteady = elapsed >= 1000 && rate > 0
  const speed = isSteady ? `  ${Format.bytes(rate)}/s` : ""
  const left =
    isSteady && total !== undefined && total > bytes
      ? `  ${Format.about(((total - bytes) / rate) * 1000)} left`
      : ""
  return `${words}  ${amount}${speed}${left}`
}

const inWords: Readonly<Record<string, string>> = {
  wait: "Waiting for another run to end:",
  dump: "Reading the database",
  compress: "Compressing",
  verify: "Verifying",
  restore: "Restoring",
  compare: "Comparing",
  copy: "Copying to another store"
}

/** A line that wraps cannot be put in the place of the last one. */
const fit = (text: string, columns: number): string =>
  text.length < columns ? text : text.slice(0, Math.max(0, columns - 1))
