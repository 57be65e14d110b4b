/**
 * The page of `holter backup list`: what there is, how old it is, whether it can be trusted. Pure.
 */
import { type DateTime, Option } from "effect"
import * as WallTime from "../../Common/WallTime.js"
import { problemOf, type Stored } from "../../Backup/Store.js"
import { suspicions } from "../../Backup/Manifest.js"
import type { SetAside } from "../../Backup/BackupStrategy/Strategy.js"
import * as Columns from "../Columns.js"
import type { Look } from "../Output.js"
import type { Found } from "./BackupAccess.js"
import * as BackupPage from "./BackupPage.js"
import * as Format from "../../Common/Format.js"

export const lines = (
  found: Found,
  directory: string,
  now: DateTime.Utc,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => {
  const regular = found.backups.filter(({ parsed }) => !parsed.preRestore)
  const preRestore = found.backups.filter(({ parsed }) => parsed.preRestore)
  const table = (title: string, backups: ReadonlyArray<Stored>) =>
    backups.length === 0
      ? []
      : [
          "",
          title,
          ...withProblems(
            Columns.table(
              [headingIn(zone), ...backups.map((one) => row(one, now, zone))],
              isFigure
            ),
            backups,
            look
          )
        ]
  return [
    headline(regular, directory, now, look),
    ...table("Backups, newest first:", regular),
    ...table(
      "Made before a restore (out of rotation; the last three stay, and those of the last day):",
      preRestore
    ),
    ...setAside(found.setAside, now, zone)
  ]
}

/** What matters at three in the morning stands in the first line. */
const headline = (
  backups: ReadonlyArray<Stored>,
  directory: string,
  now: DateTime.Utc,
  look: Look
): string => {
  const usable = backups.filter((one) => problemOf(one) === undefined)
  const [newest] = usable
  const broken = backups.length - usable.length
  const apart = broken === 0 ? "" : `, ${broken} with a problem`
  if (newest === undefined) {
    return `${BackupPage.bad(look)} ${directory}: no backup that could be restored${apart}`
  }
  const age = Format.ago(newest.parsed.startedAt.epochMillis, now.epochMillis)
  const isSuspect = suspicionsOf(newest).length > 0
  const doubt = isSuspect ? ", which may not hold all" : ""
  const sign = broken === 0 && !isSuspect ? BackupPage.good(look) : BackupPage.warning(look)
  return `${sign} ${directory}: ${Format.many(backups.length, "backup")}, the newest from ${age}${doubt}${apart}`
}

type Row = readonly [string, ...ReadonlyArray<string>]

const heading = ["AGE", "SIZE", "TABLES", "ROWS", "CHECKED", "NAME"]

/** The names have their time in UTC, whatever the zone is. */
const headingIn = (zone: DateTime.TimeZone): Row => [`WHEN (${WallTime.nameOf(zone)})`, ...heading]

const row = (one: Stored, now: DateTime.Utc, zone: DateTime.TimeZone): Row => {
  const manifest = Option.getOrUndefined(one.manifest)
  const tables = manifest?.dump.tables
  return [
    WallTime.digits(one.parsed.startedAt.epochMillis, zone),
    Format.ago(one.parsed.startedAt.epochMillis, now.epochMillis).replace(/ ago$/, ""),
    Format.bytes(one.bytes),
    tables === undefined ? "?" : Format.count(tables.length),
    tables === undefined ? "?" : Format.count(tables.reduce((sum, { rows }) => sum + rows, 0)),
    `${checked(one, now)}${manifest?.pinned === true ? ", pinned" : ""}`,
    one.name
  ]
}

const checked = (one: Stored, now: DateTime.Utc): string => {
  if (problemOf(one) !== undefined) return "not good"
  return Option.match(one.manifest, {
    onNone: () => "no manifest",
    onSome: (manifest) => {
      const { drilled } = manifest
      const how =
        drilled === null
          ? "verified"
          : `drilled ${Format.ago(drilled.at.epochMillis, now.epochMillis)}`
      return suspicions(manifest).length === 0 ? how : `${how}, suspect`
    }
  })
}

/** The table, and under each backup what is wrong with it. */
const withProblems = (
  table: ReadonlyArray<string>,
  backups: ReadonlyArray<Stored>,
  look: Look
): ReadonlyArray<string> =>
  table.flatMap((line, index) => {
    const of = backups[index - 1]
    const problem = of === undefined ? undefined : problemOf(of)
    const under =
      problem === undefined
        ? suspicionsOf(of).map((why) => `  ${BackupPage.warning(look)} ${why}`)
        : [`  ${BackupPage.bad(look)} ${problem}`]
    return [line, ...under]
  })

const suspicionsOf = (one: Stored | undefined): ReadonlyArray<string> =>
  one === undefined ? [] : Option.match(one.manifest, { onNone: () => [], onSome: suspicions })

const isFigure = (column: number): boolean => column >= 1 && column <= 4

const setAside = (
  all: ReadonlyArray<SetAside>,
  now: DateTime.Utc,
  zone: DateTime.TimeZone
): ReadonlyArray<string> =>
  all.length === 0
    ? []
    : [
        "",
        "Set aside by a restore, beside the database (the last three stay, and those of the last day):",
        ...all.map(({ at, bytes, name }) => {
          const size = bytes === undefined ? "" : `, ${Format.bytes(bytes)}`
          return `${WallTime.shown(at.epochMillis, zone)}  ${name} (${Format.ago(at.epochMillis, now.epochMillis)}${size})`
        })
      ]
