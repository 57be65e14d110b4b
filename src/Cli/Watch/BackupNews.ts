/**
 * Scheduled backups in words: how a run ended, and what the board then shows. Pure.
 */
import { Cause, Duration, Exit } from "effect"
import type { Created, Drilled } from "../../Backup/Backup.js"
import type { BackupError } from "../../Backup/BackupError.js"
import type { Ended } from "../../Backup/BackupSchedule.js"
import type { Stored } from "../../Backup/Store.js"
import { contentOf } from "../Backup/BackupPage.js"
import type { Backups, LastBackup } from "./WatchState.js"
import { Line } from "./Lines.js"
import { messageOf } from "../../Common/Errors.js"
import * as Format from "../../Common/Format.js"

export const nothing: Backups = {
  next: undefined,
  last: undefined,
  running: undefined,
  problem: undefined
}

/** A line for the run, and one for each thing that should not have been. */
export const lines = (ended: Ended, at: number): ReadonlyArray<Line> => {
  const { exit, work } = outcomeOf(ended)
  const line = (event: string, message: string) => Line.backup({ at, work, event, message })
  return Exit.match(exit, {
    onFailure: (cause) =>
      Cause.isInterruptedOnly(cause)
        ? [line("cancelled", "nothing of it is left")]
        : [line("failed", problemOf(cause))],
    onSuccess: ({ done, text, warnings }) => [
      line(done, text),
      ...warnings.map((warning) => line("warning", warning))
    ]
  })
}

/** The board after a run: what is shown of it until the next one. */
export const after = (before: Backups, ended: Ended): Backups => {
  const { exit, work } = outcomeOf(ended)
  const idle = { ...before, running: undefined }
  return Exit.match(exit, {
    onFailure: (cause) =>
      Cause.isInterruptedOnly(cause)
        ? idle
        : { ...idle, problem: `The last ${work} failed: ${problemOf(cause)}` },
    onSuccess: ({ last = before.last }) => ({ ...idle, last, problem: undefined })
  })
}

interface Outcome {
  readonly done: string
  readonly text: string
  readonly warnings: ReadonlyArray<string>
  readonly last?: LastBackup
}

const outcomeOf = (
  ended: Ended
): { readonly work: "backup" | "drill"; readonly exit: Exit.Exit<Outcome, BackupError> } => {
  switch (ended._tag) {
    case "Create":
      return { work: "backup", exit: Exit.map(ended.exit, ofCreated) }
    case "Drill":
      return { work: "drill", exit: Exit.map(ended.exit, ofDrilled) }
  }
}

/** The newest of those that are there already. */
export const newest = ([first]: ReadonlyArray<Stored>): LastBackup | undefined =>
  first === undefined
    ? undefined
    : { name: first.name, bytes: first.bytes, at: first.parsed.startedAt.epochMillis }

const ofCreated = ({ manifest, name, warnings }: Created): Outcome => {
  const { dump, finishedAt, startedAt } = manifest
  const took = Duration.millis(finishedAt.epochMillis - startedAt.epochMillis)
  return {
    done: `created ${name}`,
    text: `${Format.bytes(dump.bytes)}, ${contentOf(dump.tables)}, in ${Format.measured(took)}`,
    warnings,
    last: { name, bytes: dump.bytes, at: startedAt.epochMillis }
  }
}

const ofDrilled = ({ name, tables, took, warnings }: Drilled): Outcome => ({
  done: `passed ${name}`,
  text: `${contentOf(tables)}, in ${Format.measured(took)}`,
  warnings
})

const problemOf = (cause: Cause.Cause<BackupError>): string => {
  const problem = Cause.squash(cause)
  return messageOf(problem)
}
