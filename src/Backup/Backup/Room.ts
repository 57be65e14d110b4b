/**
 * Free space, looked at before the work.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { BackupError } from "../BackupError.js"
import type { Store } from "../BackupStore/Store.js"

/** Fails with `DiskFull` where a store has no room. @internal */
export const room = (store: Store, bytes: number, what: string): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    const free = yield* store.free
    if (free === undefined || free >= bytes) return
    return yield* new BackupError({
      reason: "DiskFull",
      subject: store.description,
      expected: `${Math.ceil(bytes)} bytes free for ${what}`,
      found: `${free}`,
      advice:
        "Free some space; where nothing else can go, delete the oldest backup by hand, and keep fewer"
    })
  })
