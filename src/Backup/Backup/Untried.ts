/**
 * A schema that was not backed up before: whether its backup can be brought back, nobody knows yet.
 *
 * @since 0.1.0
 */
import { Effect, Option } from "effect"
import type * as Manifest from "../Manifest.js"
import * as Retention from "../Retention.js"
import type { Desk } from "./Options.js"

/**
 * What is said once for each new schema, with what a restore without rows has shown. The backup is made by
 * then: nothing here is a failure of it.
 *
 * @internal
 */
export const look = (
  desk: Desk,
  { dump, name }: Manifest.Manifest
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    if (dump.schema === undefined) return []
    const isSame = ({ dump: other, name: another, purpose }: Manifest.Manifest) =>
      another !== name &&
      purpose === "backup" &&
      other.schema === dump.schema &&
      Retention.isSameDatabase(other.database, dump.database)
    const known = yield* desk.main.list
    if (known.some(({ manifest }) => Option.exists(manifest, isSame))) return []
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
