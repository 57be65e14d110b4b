/**
 * What a restore will do, and what it has done, in lines for a person. Pure.
 */
import { type DateTime, Option } from "effect"
import type { RestorePlan, Restored } from "../../Backup/Backup.js"
import * as BackupName from "../../Backup/BackupName.js"
import type { Look } from "../Output.js"
import * as Amounts from "./Amounts.js"
import * as BackupPage from "./BackupPage.js"

export const plan = (one: RestorePlan, now: DateTime.Utc, look: Look): ReadonlyArray<string> => [
  `Restore of ${one.name}`,
  `   from      ${backupOf(one, now)}`,
  `   into      ${databaseOf(one)}`,
  `   there now ${presentOf(one)}`,
  ...BackupPage.warnings(one.warnings, look),
  ...(one.present._tag === "Readable"
    ? [
        `What was written after ${startOf(one)} is then in the pre-restore backup only.`,
        others(one)
      ]
    : [])
]

/** What becomes of what programs write meanwhile. */
const others = ({ database }: RestorePlan): string =>
  database.engine === "sqlite"
    ? "Until it is done nobody else can write: programs wait, or see `database is locked`."
    : "What is written while it runs may be in neither: stop the programs that write first."

const startOf = (one: RestorePlan): string =>
  Option.match(startedAt(one), {
    onNone: () => "the backup",
    onSome: (at) => `${Amounts.time(at)} UTC`
  })

const startedAt = ({ manifest, name }: RestorePlan): Option.Option<DateTime.Utc> =>
  manifest === undefined
    ? Option.map(BackupName.parse(name), (parsed) => parsed.startedAt)
    : Option.some(manifest.startedAt)

const backupOf = (one: RestorePlan, now: DateTime.Utc): string => {
  const when = Option.match(startedAt(one), {
    onNone: () => "an unknown time",
    onSome: (at) => `${Amounts.time(at)} UTC (${Amounts.ago(at, now)})`
  })
  return one.manifest === undefined
    ? `${when}; there is no manifest to compare it with`
    : `${when}: ${Amounts.bytes(one.manifest.dump.bytes)}, ${BackupPage.contentOf(one.manifest.dump.tables)}`
}

const databaseOf = ({ database }: RestorePlan): string =>
  `${database.name} (${database.engine}) at ${database.location}`

const presentOf = ({ preRestore, present }: RestorePlan): string => {
  switch (present._tag) {
    case "Absent":
      return "nothing, so there is nothing to save first"
    case "Readable":
      return `${Amounts.bytes(present.bytes)}, saved first as ${preRestore ?? "a pre-restore backup"}`
    case "Damaged":
      return `no database that can be read (${present.found}): it is moved aside`
  }
}

/** `commandOf` gives the command that restores a backup at the same place. */
export const restored = (
  one: Restored,
  commandOf: (name: string) => string,
  look: Look
): ReadonlyArray<string> => [
  `${BackupPage.good(look)} Restored ${databaseOf(one)}`,
  `   from ${one.name}, ${one.method}: ${BackupPage.contentOf(one.tables)}`,
  ...(one.setAside === undefined ? [] : [`   the database of before is ${one.setAside}`]),
  ...(one.preRestore === undefined
    ? []
    : [
        `   what was there before is ${one.preRestore}; to take the restore back:`,
        `   ${commandOf(one.preRestore)}`
      ]),
  ...one.pruned.map((name) => `   removed, older than a day and than the last three: ${name}`)
]
