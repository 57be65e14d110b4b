/** A channel as the notifier has it, without the notifier. */
import { Effect, Layer, type Scope } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import type { AlertChannelError } from "../../src/Alert/AlertChannelError.js"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"

export interface Open {
  readonly channel: ChannelRegistry.RegisteredChannel
  readonly send: (alert: Alert) => Effect.Effect<void, AlertChannelError>
  /** The error of an alert that is not taken. */
  readonly refused: (alert: Alert) => Effect.Effect<AlertChannelError>
}

/** Open until the scope closes. */
export const openChannel = <E>(
  layer: Layer.Layer<never, E, ChannelRegistry.ChannelRegistry>
): Effect.Effect<Open, never, Scope.Scope> =>
  Effect.gen(function* () {
    const registry = yield* ChannelRegistry.ChannelRegistry
    yield* Effect.orDie(Layer.build(layer))
    const [channel] = yield* registry.all
    if (channel === undefined) return yield* Effect.dieMessage("no channel was registered")
    return {
      channel,
      send: channel.send,
      refused: (alert: Alert) => Effect.orDie(Effect.flip(channel.send(alert)))
    }
  }).pipe(Effect.provide(ChannelRegistry.layer))
