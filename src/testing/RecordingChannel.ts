/** A channel that takes every alert and keeps it, for tests of what sends alerts. */
import { Duration, Effect, Layer, Stream, SubscriptionRef } from "effect"
import type { Alert } from "../Alert/Alert.js"
import type { DuplicateChannelError } from "../Alert/AlertChannelError.js"
import {
  layerChannel,
  type ChannelRegistry,
  type Registered,
  type RegisteredChannel
} from "../Alert/ChannelRegistry.js"

export interface RecordingChannel {
  readonly channel: RegisteredChannel
  /** Registers it. */
  readonly layer: Layer.Layer<Registered, DuplicateChannelError, ChannelRegistry>
  /** What it took, in order. */
  readonly alerts: Effect.Effect<ReadonlyArray<Alert>>
  /** Waits until it has so many alerts. */
  readonly awaitAlerts: (count: number) => Effect.Effect<ReadonlyArray<Alert>>
}

export const make = (name = "recording"): Effect.Effect<RecordingChannel> =>
  Effect.map(SubscriptionRef.make<ReadonlyArray<Alert>>([]), (taken) => into(taken, name))

/** Several channels that write one list. */
export const into = (
  taken: SubscriptionRef.SubscriptionRef<ReadonlyArray<Alert>>,
  name: string
): RecordingChannel => {
  const channel: RegisteredChannel = {
    name,
    type: "recording",
    timeout: Duration.seconds(10),
    collapses: true,
    send: (alert) => SubscriptionRef.update(taken, (alerts) => [...alerts, alert])
  }
  return {
    channel,
    layer: layerChannel(Effect.succeed(channel)),
    alerts: SubscriptionRef.get(taken),
    awaitAlerts: (count) =>
      taken.changes.pipe(
        Stream.filter((alerts) => alerts.length >= count),
        Stream.runHead,
        Effect.flatMap(Effect.orDie)
      )
  }
}
