/**
 * `holter backup list`: the backups that there are, and the databases that restores set aside.
 */
import * as Command from "@effect/cli/Command"
import { DateTime, Effect } from "effect"
import { Output } from "../Output.js"
import * as BackupAccess from "./BackupAccess.js"
import * as BackupDocument from "./BackupDocument.js"
import { jsonFlag, type PlaceFlags, placeFlags } from "./BackupFlags.js"
import * as BackupListing from "./BackupListing.js"
import * as BackupPage from "./BackupPage.js"
import * as BackupRun from "./BackupRun.js"
import * as BackupSettings from "./BackupSettings.js"

export const command = Command.make("list", { ...placeFlags, json: jsonFlag }, (flags) =>
  list(flags)
).pipe(Command.withDescription("List the backups in the directory; needs no database"))

interface Flags extends PlaceFlags {
  readonly json: boolean
}

const list = (flags: Flags) =>
  Effect.gen(function* () {
    const settings = yield* BackupSettings.load({ ...flags, databaseOptional: true })
    const { look } = yield* Output
    const work = Effect.gen(function* () {
      const found = yield* BackupAccess.list(settings)
      const now = yield* DateTime.now
      if (flags.json) {
        return yield* BackupRun.document(
          BackupDocument.ofFound(found, settings.directory, now),
          settings
        )
      }
      yield* BackupRun.page(
        BackupListing.lines(found, settings.directory, now, look, settings.zone)
      )
      yield* BackupRun.notes(BackupPage.warnings(found.warnings, look))
    })
    yield* BackupRun.reporting(flags, settings)(Effect.scoped(work))
  })
