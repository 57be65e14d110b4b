/**
 * `holter backup drill`: a restore into a scratch database, to prove that a backup works.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { Effect, type Option } from "effect"
import { Output } from "../Output.js"
import * as BackupAccess from "./BackupAccess.js"
import * as BackupDocument from "./BackupDocument.js"
import {
  checkLeniency,
  jsonFlag,
  type LeniencyFlags,
  leniencyFlags,
  type PlaceFlags,
  placeFlags
} from "./BackupFlags.js"
import * as BackupPage from "./BackupPage.js"
import * as BackupRun from "./BackupRun.js"
import * as BackupSettings from "./BackupSettings.js"
import * as Progress from "./Progress.js"

export const command = Command.make(
  "drill",
  {
    ...placeFlags,
    file: Args.text({ name: "file" }).pipe(
      Args.withDescription("A backup, by its name or its path (default: the newest one)"),
      Args.optional
    ),
    ...leniencyFlags,
    json: jsonFlag
  },
  (flags) => drill(flags)
).pipe(
  Command.withDescription(
    "Restore a backup into a scratch database, compare it with what was backed up, and drop it"
  )
)

interface Flags extends PlaceFlags, LeniencyFlags {
  readonly file: Option.Option<string>
  readonly json: boolean
}

const drill = (flags: Flags) =>
  Effect.gen(function* () {
    const settings = yield* BackupSettings.load(flags)
    yield* checkLeniency(flags, settings.url)
    const { look } = yield* Output
    const work = Effect.gen(function* () {
      const backup = yield* BackupAccess.open(settings)
      const drilled = yield* Progress.shown(({ onProgress }) =>
        backup.drill({
          choice: BackupAccess.choiceOf(flags.file),
          allowIncomplete: flags.allowIncomplete,
          noOwner: flags.noOwner,
          onProgress
        })
      )
      if (flags.json) {
        return yield* BackupRun.document(BackupDocument.ofDrilled(drilled), settings)
      }
      yield* BackupRun.page(BackupPage.drilled(drilled, look))
      yield* BackupRun.notes(BackupPage.warnings(drilled.warnings, look))
    })
    yield* BackupRun.reporting(flags, settings)(Effect.scoped(work))
  })
