/**
 * Who wants the configuration to be read again: a signal (`null`), or the id of what somebody asked.
 */
import { Chunk, Effect, type Mailbox } from "effect"

/**
 * Waits for the first, and takes all that wait with it. Each who asked has an answer of their own; the
 * signals are one, and are obeyed by any reload that begins after them.
 */
export const take = (
  asked: Mailbox.ReadonlyMailbox<string | null>
): Effect.Effect<ReadonlyArray<string | null>> =>
  Effect.map(Effect.orDie(asked.takeAll), ([all]) => {
    const ids = Chunk.toReadonlyArray(all).filter((one) => one !== null)
    return ids.length === 0 ? [null] : ids
  })
