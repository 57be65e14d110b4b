/** Writes into a backup's manifest what was learned of it later on. */
import { Effect } from "effect"
import type * as Manifest from "../Manifest.js"
import type { Desk } from "./Options.js"

/**
 * Changes the manifest as it is by now. A place that cannot be written (a read-only copy) is no
 * failure of what was learned: it is told as a warning.
 *
 * @internal
 */
export const record = (
  desk: Desk,
  name: string,
  change: Partial<Pick<Manifest.Manifest, "verified" | "drilled">>
): Effect.Effect<ReadonlyArray<string>> =>
  desk.main
    .update(name, (manifest) => ({ ...manifest, ...change }))
    .pipe(
      Effect.as<ReadonlyArray<string>>([]),
      Effect.catchAll((error) => Effect.succeed([`This could not be recorded: ${error.message}`]))
    )
