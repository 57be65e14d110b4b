/** A schema that was not backed up before: whether its backup can be brought back, nobody knows yet. */
import { Effect, Option } from "effect"
import type { Stored } from "../Store.js"
import type * as Manifest from "../Manifest.js"
import { judge } from "../DatabaseIdentity.js"
import type { Desk } from "./Options.js"

/**
 * What is said once for each new schema, with what a restore without rows has shown. The backup is made by
 * then: nothing here is a failure of it.
 *
 * @internal
 */
export const look = (
  desk: Desk,
  { dump, name }: Manifest.Manifest,
  /** The backups that were there before. */
  earlier: ReadonlyArray<Stored>
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    if (dump.schema === undefined) return []
    const isSame = ({ dump: other, purpose }: Manifest.Manifest) =>
      purpose === "backup" &&
      other.schema === dump.schema &&
      judge(other.database, dump.database) !== "other"
    if (earlier.some(({ manifest }) => Option.exists(manifest, isSame))) return []
    const path = yield* desk.main.fetch(name)
    const payload = { path, compression: dump.compression, dump }
    const found = yield* desk.strategy.rehearse?.(payload) ?? Effect.succeed([])
    return [neverDrilled, ...found]
  }).pipe(
    Effect.scoped,
    Effect.catchAll(({ message }) =>
      Effect.succeed([neverDrilled, `Its restore could not be rehearsed: ${message}`])
    )
  )

const neverDrilled =
  "No backup of this database with this schema was ever drilled: holter backup drill proves that it can be restored"
