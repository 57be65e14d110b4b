/**
 * The channels of this program. The layer of a channel registers it here and takes it out again when
 * its scope closes.
 */
import { Context, type Duration, type Effect, Layer, type Scope } from "effect"
import * as Registry from "../Plugin/Registry.js"
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
  Registry.Registry<RegisteredChannel, DuplicateChannelError>
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
  Registry.layer(ChannelRegistry, Registered, channel)

export const layer: Layer.Layer<ChannelRegistry> = Layer.effect(
  ChannelRegistry,
  Registry.make(
    ({ name, type }, existing) =>
      new DuplicateChannelError({ name, type, existingType: existing.type })
  )
)
