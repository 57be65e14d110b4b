/**
 * Room on the disk where a dump is written. How much it takes, nobody knows before: so it is watched.
 *
 * @internal
 */
import { Effect, Schedule } from "effect"
import * as path from "node:path"
import { BackupError } from "../../BackupError.js"
import { reserveOf } from "../../../Common/DiskBlocks.js"
import * as LocalFiles from "../../LocalFiles.js"
import type { DumpOptions } from "../Strategy.js"
import * as Format from "../../../Common/Format.js"

/**
 * Never ends but by failing with `DiskFull`, once no more is left than must stay: others write to the same
 * disk, the database itself maybe.
 */
export const watch = (
  options: Pick<DumpOptions, "minimumFree" | "path">
): Effect.Effect<Effect.Effect<never, BackupError>, BackupError> =>
  Effect.map(LocalFiles.free(path.dirname(options.path)), (before) => {
    if (before === undefined) return Effect.never
    const directory = path.dirname(options.path)
    const reserve = Math.max(options.minimumFree ?? 0, reserveOf(before))
    const look = Effect.filterOrFail(
      LocalFiles.free(directory),
      (free) => free === undefined || free > reserve,
      (free) =>
        new BackupError({
          reason: "DiskFull",
          subject: directory,
          expected: `room for the dump, and ${Format.bytes(reserve)} that stay free beside it`,
          found: `${Format.bytes(before)} free before it, and ${Format.bytes(free ?? 0)} by now`,
          advice:
            "Free some space; where nothing else can go, delete the oldest backup by hand, and keep fewer"
        })
    )
    return Effect.zipRight(Effect.repeat(look, Schedule.spaced("250 millis")), Effect.never)
  })
