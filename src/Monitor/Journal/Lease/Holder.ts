/**
 * Who keeps a journal, as it says of itself.
 *
 * @since 0.1.0
 */
import type { Effect } from "effect"

/**
 * A program that is to be the only one on its journal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Holder {
  /** For who is refused because of it: `holter watch, process 12 on bot-1`. */
  readonly name: string
  /** What `isDead` needs to know of it, in a run to come. */
  readonly identity: string
  /** Whether the program that said this of itself is known to have ended. `false`: not known. */
  readonly isDead: (identity: string) => Effect.Effect<boolean>
}
