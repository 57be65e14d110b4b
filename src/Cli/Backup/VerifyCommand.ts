/**
 * `holter backup verify`: whether backups can be trusted, by reading all of them.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Effect, Option } from "effect"
import { UsageError } from "../ConfigurationError.js"
import { Output } from "../Output.js"
import * as BackupAccess from "./BackupAccess.js"
import * as BackupDocument from "./BackupDocument.js"
import { jsonFlag, type PlaceFlags, placeFlags } from "./BackupFlags.js"
import * as BackupPage from "./BackupPage.js"
import * as BackupRun from "./BackupRun.js"
import * as BackupSettings from "./BackupSettings.js"
import * as BackupVerification from "./BackupVerification.js"
import * as Progress from "./Progress.js"

export const command = Command.make(
  "verify",
  {
    ...placeFlags,
    file: Args.text({ name: "file" }).pipe(
      Args.withDescription("A backup, by its name or its path (default: the newest one)"),
      Args.optional
    ),
    all: CliOptions.boolean("all").pipe(CliOptions.withDescription("Every backup there is")),
    deep: CliOptions.boolean("deep").pipe(
      CliOptions.withDescription(
        "SQLite: also integrity_check and foreign_key_check, which take long"
      )
    ),
    json: jsonFlag
  },
  (flags) => verify(flags)
).pipe(
  Command.withDescription("Read a backup to its end and check it; a SQLite file needs no database")
)

interface Flags extends PlaceFlags {
  readonly file: Option.Option<string>
  readonly all: boolean
  readonly deep: boolean
  readonly json: boolean
}

const verify = (flags: Flags) =>
  Effect.gen(function* () {
    yield* oneOrAll(flags)
    const settings = yield* BackupSettings.load({ ...flags, databaseOptional: true })
    const { look } = yield* Output
    const work = Effect.gen(function* () {
      const verified = yield* Progress.shown(({ onProgress }) =>
        BackupVerification.verify(settings, { which: whichOf(flags), deep: flags.deep, onProgress })
      )
      if (flags.json) yield* BackupRun.document(BackupDocument.ofVerified(verified), settings)
      else yield* BackupRun.page(BackupPage.verified(verified, flags.deep, look))
      if (verified.some(({ problem }) => problem !== undefined)) yield* BackupRun.failed
    })
    yield* BackupRun.reporting(flags, settings)(Effect.scoped(work))
  })

const whichOf = ({ all, file }: Flags): BackupVerification.Which =>
  all ? { _tag: "All" } : BackupAccess.choiceOf(file)

const oneOrAll = ({ all, file }: Flags): Effect.Effect<void, UsageError> =>
  all && Option.isSome(file)
    ? new UsageError({ flag: "--all", expected: "either a file or --all", found: "both" })
    : Effect.void
