/**
 * `holter backup create`: a backup of the database, verified, with copies where they are asked for.
 */
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Clock, Effect } from "effect"
import { Output } from "../Output.js"
import * as BackupAccess from "./BackupAccess.js"
import * as BackupDocument from "./BackupDocument.js"
import { jsonFlag, keepFlag, type MakingFlags, type PlaceFlags, placeFlags } from "./BackupFlags.js"
import * as BackupPage from "./BackupPage.js"
import * as BackupRun from "./BackupRun.js"
import * as BackupSettings from "./BackupSettings.js"
import * as Globals from "./Globals.js"
import * as Progress from "./Progress.js"

export const command = Command.make(
  "create",
  {
    ...placeFlags,
    keep: keepFlag,
    compress: CliOptions.boolean("no-compress", { ifPresent: false }).pipe(
      CliOptions.withDescription("Do not compress (default: gzip)")
    ),
    acceptLoss: CliOptions.boolean("accept-loss").pipe(
      CliOptions.withDescription(
        "The loss since the last good backup is intended: do not warn of it any more"
      )
    ),
    globals: CliOptions.boolean("globals").pipe(
      CliOptions.withDescription(
        "PostgreSQL: also save the roles and tablespaces of the server, without passwords"
      )
    ),
    json: jsonFlag
  },
  (flags) => create(flags)
).pipe(Command.withDescription("Back up the database, and verify what was written"))

interface Flags extends PlaceFlags, MakingFlags {
  readonly acceptLoss: boolean
  readonly globals: boolean
  readonly json: boolean
}

const create = (flags: Flags) =>
  Effect.gen(function* () {
    const settings = yield* BackupSettings.load({ ...flags, making: flags })
    yield* Globals.check(flags, settings)
    const { look } = yield* Output
    const globals = flags.globals ? { globals: true } : {}
    const work = Effect.gen(function* () {
      const backup = yield* BackupAccess.open(settings)
      const begin = yield* Clock.currentTimeMillis
      const created = yield* Progress.shown(({ onProgress }) =>
        backup.create({ onProgress, acceptLoss: flags.acceptLoss, ...globals })
      )
      const took = (yield* Clock.currentTimeMillis) - begin
      const missing = created.copies.filter(({ problem }) => problem !== undefined)
      if (flags.json) yield* BackupRun.document(BackupDocument.ofCreated(created), settings)
      else {
        // What failed is told below, and once is enough.
        const isTold = (text: string) =>
          missing.some(({ problem }) => problem !== undefined && text.endsWith(problem.message))
        const others = created.warnings.filter((text) => !isTold(text))
        yield* BackupRun.page(BackupPage.created(created, took, look))
        yield* BackupRun.notes(BackupPage.warnings(others, look))
      }
      yield* BackupRun.notes(missing.map((copy) => BackupPage.copyFailed(copy, look)))
      // The backup is there; but who asked for a copy elsewhere has not got it.
      if (missing.length > 0) yield* BackupRun.failed
    })
    yield* BackupRun.reporting(flags, settings)(Effect.scoped(work))
  })
