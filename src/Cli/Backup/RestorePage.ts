/**
 * What a restore will do, and what it has done, in lines for a person. Pure.
 */
import { type DateTime, Option } from "effect"
import type { RestorePlan, Restored, Stopped } from "../../Backup/Backup.js"
import * as WallTime from "../../Common/WallTime.js"
import * as BackupName from "../../Backup/BackupName.js"
import type { Look } from "../Output.js"
import * as BackupPage from "./BackupPage.js"
import * as Format from "../../Common/Format.js"

/** Times are in the zone of who reads. */
export const plan = (
  one: RestorePlan,
  now: DateTime.Utc,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => [
  `Restore of ${one.name}`,
  `   from      ${backupOf(one, now, zone)}`,
  `   into      ${databaseOf(one)}`,
  `   there now ${presentOf(one)}`,
  ...keptOf(one),
  ...BackupPage.warnings(one.warnings, look),
  ...(one.present._tag === "Readable"
    ? [
        `Rows written after ${startOf(one, zone)} are then in the pre-restore backup only.`,
        meanwhile(one)
      ]
    : [])
]

/** What becomes of what programs write while the restore runs. */
const meanwhile = ({ database }: RestorePlan): string =>
  database.engine === "sqlite"
    ? "Until it is done no other program can write: programs wait, or see `database is locked`."
    : "Rows that programs write while it runs may stay behind in the old database: stop them first."

const startOf = (one: RestorePlan, zone: DateTime.TimeZone): string =>
  Option.match(startedAt(one), {
    onNone: () => "the backup",
    onSome: (at) => WallTime.shown(at.epochMillis, zone)
  })

const startedAt = ({ manifest, name }: RestorePlan): Option.Option<DateTime.Utc> =>
  manifest === undefined
    ? Option.map(BackupName.parse(name), (parsed) => parsed.startedAt)
    : Option.some(manifest.startedAt)

const backupOf = (one: RestorePlan, now: DateTime.Utc, zone: DateTime.TimeZone): string => {
  const when = Option.match(startedAt(one), {
    onNone: () => "an unknown time",
    onSome: (at) =>
      `${WallTime.shown(at.epochMillis, zone)} (${Format.ago(at.epochMillis, now.epochMillis)})`
  })
  return one.manifest === undefined
    ? `${when}; there is no manifest to compare it with`
    : `${when}: ${Format.bytes(one.manifest.dump.bytes)}, ${BackupPage.contentOf(one.manifest.dump.tables)}`
}

/** For who finds rows of today in a database of last week. */
const keptOf = ({ keeps }: RestorePlan): ReadonlyArray<string> =>
  keeps.length === 0
    ? []
    : [
        `   stays     Holter's journal (${Format.many(keeps.length, "table")} holter_*): incidents, silences and alerts not yet sent are those of now`
      ]

const databaseOf = ({ database }: RestorePlan): string =>
  `${database.name} (${database.engine}) at ${database.location}`

const presentOf = ({ preRestore, present }: RestorePlan): string => {
  switch (present._tag) {
    case "Absent":
      return "nothing, so there is nothing to save first"
    case "Readable":
      return `${Format.bytes(present.bytes)}, saved first as ${preRestore ?? "a pre-restore backup"}`
    case "Damaged":
      return `no database that can be read (${present.found}): it is moved aside`
  }
}

/** The last words of a restore that a signal ended: what the database holds now, and how to go on. */
export const interrupted = (
  { outcome, plan, preRestore }: Stopped,
  commandOf: (name: string) => string
): ReadonlyArray<string> => {
  const saved =
    preRestore === undefined
      ? []
      : [
          `   what was there before is saved as ${preRestore}; to restore that:`,
          `   ${commandOf(preRestore)}`
        ]
  switch (outcome._tag) {
    case "Unchanged":
      return [
        `Interrupted: nothing was restored, ${databaseOf(plan)} is as it was`,
        ...(preRestore === undefined ? [] : [`   ${preRestore}, made before, stays`])
      ]
    case "Unknown":
      return [
        `Interrupted while ${databaseOf(plan)} was being replaced: it holds all of what it held, or all of ${plan.name}`,
        "   look at it before you go on, and restore again where it is the old",
        ...saved
      ]
    case "Failed":
      return [
        `Interrupted, and the restore failed: ${outcome.error.message}`,
        "   the database is as it was, unless this says that it is not known",
        ...saved
      ]
    case "Replaced":
      return [
        `Interrupted after the restore was done: ${databaseOf(plan)} holds ${plan.name}`,
        ...(outcome.setAside === undefined ? [] : [asideOf(outcome.setAside)]),
        ...saved
      ]
  }
}

const asideOf = (name: string): string => `   the database of before is ${name}`

/** `commandOf` gives the command that restores a backup at the same place. */
export const restored = (
  one: Restored,
  commandOf: (name: string) => string,
  look: Look
): ReadonlyArray<string> => [
  `${BackupPage.good(look)} Restored ${databaseOf(one)}`,
  `   from ${one.name}, ${one.method}: ${BackupPage.contentOf(one.tables)}`,
  ...one.pruned.map((name) => `   removed, older than a day and than the last three: ${name}`),
  ...keptOf(one),
  ...(one.setAside === undefined ? [] : [asideOf(one.setAside)]),
  // At the end: that is where one looks for it.
  ...(one.preRestore === undefined
    ? []
    : [
        `   what was there before is saved as ${one.preRestore}; to take the restore back:`,
        `   ${commandOf(one.preRestore)}`
      ])
]
