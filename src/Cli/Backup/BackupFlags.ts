/**
 * Flags that several of the commands on backups have.
 */
import * as CliOptions from "@effect/cli/Options"
import { Effect, Option } from "effect"
import { UsageError } from "../ConfigurationError.js"
import { configFlag } from "../Flags.js"
import type { Database } from "./Database.js"

/** Which database, and where its backups lie. */
export const placeFlags = {
  databaseUrl: CliOptions.text("database-url").pipe(
    CliOptions.withDescription(
      "The database (default: backup.url of the configuration file, else DATABASE_URL). A password in a command line can be read by every user of the machine"
    ),
    CliOptions.optional
  ),
  backupDir: CliOptions.text("backup-dir").pipe(
    CliOptions.withDescription(
      "Where backups lie (default: backup.directory of the configuration file, else HOLTER_BACKUP_DIR, else backups)"
    ),
    CliOptions.optional
  ),
  config: configFlag
}

export const keepFlag = CliOptions.integer("keep").pipe(
  CliOptions.withDescription("How many of the last backups to keep (default 7)"),
  CliOptions.optional
)

export const jsonFlag = CliOptions.boolean("json").pipe(
  CliOptions.withDescription("Print one JSON document")
)

/** What a restore of PostgreSQL may leave out. */
export const leniencyFlags = {
  allowIncomplete: CliOptions.boolean("allow-incomplete").pipe(
    CliOptions.withDescription(
      "PostgreSQL: go on without objects that the server does not make, and name each; rows are whole in any case"
    )
  ),
  noOwner: CliOptions.boolean("no-owner").pipe(
    CliOptions.withDescription(
      "PostgreSQL: without owners, and without the grants of roles that the server does not have"
    )
  )
}

export interface LeniencyFlags {
  readonly allowIncomplete: boolean
  readonly noOwner: boolean
}

/** A flag that does nothing would be believed. */
export const checkLeniency = (
  { allowIncomplete, noOwner }: LeniencyFlags,
  url: Database | undefined
): Effect.Effect<void, UsageError> =>
  url?._tag === "Sqlite" && (allowIncomplete || noOwner)
    ? notOfSqlite(allowIncomplete ? "--allow-incomplete" : "--no-owner")
    : Effect.void

export const notOfSqlite = (flag: string): UsageError =>
  new UsageError({
    flag,
    expected: "a PostgreSQL database",
    found: "a SQLite database, which has nothing of the kind: leave the flag out"
  })

export interface PlaceFlags {
  readonly databaseUrl: Option.Option<string>
  readonly backupDir: Option.Option<string>
  readonly config: Option.Option<string>
}

/** What the flags say beside the place. */
export interface MakingFlags {
  readonly keep: Option.Option<number>
  /** Off for `--no-compress`. */
  readonly compress: boolean
}

export const noMakingFlags: MakingFlags = { keep: Option.none(), compress: true }

/** `--keep 0` would remove what it has just made. */
export const checkKeep = (keep: Option.Option<number>): Effect.Effect<void, UsageError> =>
  Option.exists(keep, (count) => count < 1)
    ? new UsageError({
        flag: "--keep",
        expected: "a whole number of at least 1",
        found: String(Option.getOrElse(keep, () => 0))
      })
    : Effect.void
