/** Where alerts wait until their channel has them. The journal keeps it over a restart. */
import { Context, type Effect, Schema } from "effect"
import type { Alert } from "./Alert.js"

/** How an alert left the outbox: its channel took it, another channel took it over, or it was given up. */
export const Outcome = Schema.Literal("delivered", "handed on", "given up")

export type Outcome = typeof Outcome.Type

/** Why a channel does not take what waits for it. Times are milliseconds of the wall clock. */
export interface Trouble {
  readonly at: number
  /** Attempts in a row that failed. */
  readonly failures: number
  readonly error: string
  /** When it is tried again; `null` for one that is disabled. */
  readonly nextAttempt: number | null
}

/** Nothing here fails: a store that is down keeps in memory what it could not write. */
export class Outbox extends Context.Tag("holter/Alert/Outbox")<
  Outbox,
  {
    /** What was owed when the program started, oldest first, with the delivery that it was tried in. */
    readonly pending: Effect.Effect<ReadonlyArray<Alert>>
    /**
     * These are tried now, in the delivery with this key; `undefined`, or a late key with `/clear` behind
     * it, which is to be kept: it is clear that they did not arrive. It comes back when that is written, or when it is known that it cannot be.
     */
    readonly attempting: (
      keys: ReadonlyArray<string>,
      delivery: string | undefined
    ) => Effect.Effect<void>
    /** Their channel has these, since then. */
    readonly acknowledge: (keys: ReadonlyArray<string>, at: number) => Effect.Effect<void>
    /** Their channel is not to have these any more. */
    readonly discard: (
      keys: ReadonlyArray<string>,
      outcome: Exclude<Outcome, "delivered">,
      at: number
    ) => Effect.Effect<void>
    /** Why this channel takes nothing now, for whoever asks what became of an alert; or that it does. */
    readonly note: (channel: string, trouble: Trouble | undefined) => Effect.Effect<void>
    /**
     * Comes back when this program may send: while another may have taken its place, nothing is sent.
     * A store that has no other program leaves it out.
     */
    readonly turn?: Effect.Effect<void>
  }
>() {}
