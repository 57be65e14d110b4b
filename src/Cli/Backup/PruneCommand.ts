/**
 * `holter backup prune`: retention, without a new backup.
 */
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Effect } from "effect"
import { Output } from "../Output.js"
import * as BackupAccess from "./BackupAccess.js"
import * as BackupDocument from "./BackupDocument.js"
import { jsonFlag, keepFlag, type MakingFlags, type PlaceFlags, placeFlags } from "./BackupFlags.js"
import * as BackupPage from "./BackupPage.js"
import * as BackupRun from "./BackupRun.js"
import * as BackupSettings from "./BackupSettings.js"

export const command = Command.make(
  "prune",
  {
    ...placeFlags,
    keep: keepFlag,
    dryRun: CliOptions.boolean("dry-run").pipe(
      CliOptions.withDescription("Only say what would be removed, and why the others stay")
    ),
    json: jsonFlag
  },
  (flags) => prune({ ...flags, compress: true })
).pipe(Command.withDescription("Remove the backups that retention does not keep"))

interface Flags extends PlaceFlags, MakingFlags {
  readonly dryRun: boolean
  readonly json: boolean
}

const prune = (flags: Flags) =>
  Effect.gen(function* () {
    const settings = yield* BackupSettings.load({ ...flags, making: flags })
    const { look } = yield* Output
    const work = Effect.gen(function* () {
      const backup = yield* BackupAccess.open(settings)
      const pruned = yield* backup.prune({ dryRun: flags.dryRun })
      yield* flags.json
        ? BackupRun.document(BackupDocument.ofPruned(pruned, flags.dryRun), settings)
        : BackupRun.page(BackupPage.pruned(pruned, flags.dryRun, look))
      const failed = pruned.copies.filter(({ problem }) => problem !== undefined)
      yield* BackupRun.notes(failed.map((copy) => BackupPage.copyNotPruned(copy, look)))
      if (failed.length > 0) yield* BackupRun.failed
    })
    yield* BackupRun.reporting(flags, settings)(Effect.scoped(work))
  })
