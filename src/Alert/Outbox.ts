/**
 * Where alerts wait until their channel has them. The journal keeps it over a restart.
 *
 * @since 0.1.0
 */
import { Context, Effect, Layer } from "effect"
import type { Alert } from "./Alert.js"

/**
 * Nothing here fails: a store that is down keeps in memory what it could not write.
 *
 * @since 0.1.0
 * @category tags
 */
export class Outbox extends Context.Tag("holter/Alert/Outbox")<
  Outbox,
  {
    /** What was owed when the program started, oldest first. */
    readonly pending: Effect.Effect<ReadonlyArray<Alert>>
    /** Their channel has these. */
    readonly acknowledge: (keys: ReadonlyArray<string>) => Effect.Effect<void>
  }
>() {}

/**
 * For programs that keep nothing over a restart.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<Outbox> = Layer.succeed(Outbox, {
  pending: Effect.succeed([]),
  acknowledge: () => Effect.void
})
