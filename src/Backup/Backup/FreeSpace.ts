/** Free space, looked at before the work. */
import { Effect, Option } from "effect"
import { BackupError } from "../BackupError.js"
import type { Store, Stored } from "../Store.js"
import { judge } from "../DatabaseIdentity.js"
import type * as Manifest from "../Manifest.js"
import * as Format from "../../Common/Format.js"

/**
 * What the last dump of this database took, on the disk: the best that is known of the next one. Backups
 * are given newest first; 0 where there is none.
 *
 * @internal
 */
export const lastBytes = (backups: ReadonlyArray<Stored>, database: Manifest.Database): number => {
  const last = backups.find(
    ({ manifest, problem }) =>
      problem === undefined &&
      Option.exists(manifest, ({ dump }) => judge(dump.database, database) !== "other")
  )
  return Option.match(last?.manifest ?? Option.none(), {
    onNone: () => 0,
    onSome: ({ dump }) => dump.bytes
  })
}

/** Fails with `DiskFull` where a store has no room. @internal */
export const room = (store: Store, bytes: number, what: string): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    const free = yield* Effect.flatMap(store.describe, (place) => place.free)
    if (free === undefined || free >= bytes) return
    return yield* new BackupError({
      reason: "DiskFull",
      subject: store.description,
      expected: `${Format.bytes(bytes)} free for ${what}`,
      found: `${Format.bytes(free)}, which is ${Format.bytes(bytes - free)} too little`,
      advice:
        "Free some space; where nothing else can go, delete the oldest backup by hand, and keep fewer"
    })
  })
