/**
 * The channels of this program. The layer of a channel registers it here and takes it out again when
 * its scope closes.
 */
import { Context, type Duration, Effect, Layer, Option, type Scope } from "effect"
import type { Alert } from "./Alert.js"
import { type AlertChannelError, DuplicateChannelError } from "./AlertChannelError.js"

/** A channel with its configuration and its services: ready to send. */
export interface RegisteredChannel {
  /** The name that routes use. */
  readonly name: string
  readonly type: string
  /** How long one attempt may take. */
  readonly timeout: Duration.Duration
  /** Whether messages that are late may come as one. */
  readonly collapses: boolean
  readonly send: (alert: Alert) => Effect.Effect<void, AlertChannelError>
}

export class ChannelRegistry extends Context.Tag("holter/Alert/ChannelRegistry")<
  ChannelRegistry,
  {
    /** Adds a channel for as long as the scope is open. */
    readonly register: (
      channel: RegisteredChannel
    ) => Effect.Effect<void, DuplicateChannelError, Scope.Scope>
    /**
     * Takes the place of the channel of that name, if there is one, for as long as the scope is open: at
     * no moment there is none.
     */
    readonly replace: (channel: RegisteredChannel) => Effect.Effect<void, never, Scope.Scope>
    /** All channels, in the order of their registration. */
    readonly all: Effect.Effect<ReadonlyArray<RegisteredChannel>>
    readonly find: (name: string) => Effect.Effect<Option.Option<RegisteredChannel>>
  }
>() {}

/** What the layer of a channel gives: that it registered itself. */
export class Registered extends Context.Tag("holter/Alert/ChannelRegistry/Registered")<
  Registered,
  { readonly name: string }
>() {}

/** Registers a channel for as long as the layer lives. */
export const layerChannel = <E, R>(
  channel: Effect.Effect<RegisteredChannel, E, R>
): Layer.Layer<Registered, E | DuplicateChannelError, ChannelRegistry | Exclude<R, Scope.Scope>> =>
  Layer.scoped(
    Registered,
    Effect.gen(function* () {
      const { register } = yield* ChannelRegistry
      const described = yield* channel
      yield* register(described)
      return { name: described.name }
    })
  )

export const layer: Layer.Layer<ChannelRegistry> = Layer.sync(ChannelRegistry, () => {
  const channels = new Map<string, RegisteredChannel>()
  const add = (channel: RegisteredChannel) =>
    Effect.suspend(() => {
      const existing = channels.get(channel.name)
      if (existing !== undefined) {
        const { name, type } = channel
        return new DuplicateChannelError({ name, type, existingType: existing.type })
      }
      channels.set(channel.name, channel)
      return Effect.void
    })
  const remove = (channel: RegisteredChannel) =>
    Effect.sync(() => {
      // Another one may have its name by now.
      if (channels.get(channel.name) === channel) channels.delete(channel.name)
    })
  return {
    register: (channel) => Effect.acquireRelease(add(channel), () => remove(channel)),
    replace: (channel) =>
      Effect.acquireRelease(
        Effect.sync(() => channels.set(channel.name, channel)),
        () => remove(channel)
      ),
    all: Effect.sync(() => [...channels.values()]),
    find: (name) => Effect.sync(() => Option.fromNullable(channels.get(name)))
  }
})
