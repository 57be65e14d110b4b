/**
 * A channel that does as its script says: refuses, hangs, crashes, asks to be left alone. Under
 * TestClock nothing in it takes time of its own.
 */
import { Data, Duration, Effect, Layer, Stream, SubscriptionRef } from "effect"
import type { Alert } from "../Alert/Alert.js"
import { AlertChannelError, type DuplicateChannelError } from "../Alert/AlertChannelError.js"
import {
  layerChannel,
  type ChannelRegistry,
  type Registered,
  type RegisteredChannel
} from "../Alert/ChannelRegistry.js"

/** What one attempt does. An `unclear` failure is one after which the receiver may have the alert. */
export type Step = Data.TaggedEnum<{
  Take: Readonly<Record<never, never>>
  Fail: {
    readonly reason: AlertChannelError["reason"]
    readonly retryAfter: Duration.Duration | undefined
    readonly unclear: boolean
  }
  Die: { readonly defect: unknown }
  Hang: Readonly<Record<never, never>>
  IgnoreInterruption: Readonly<Record<never, never>>
}>

const Step = Data.taggedEnum<Step>()

export const take: Step = Step.Take()

export const fail = (
  reason: AlertChannelError["reason"],
  options: { readonly retryAfter?: Duration.DurationInput; readonly unclear?: boolean } = {}
): Step =>
  Step.Fail({
    reason,
    unclear: options.unclear ?? false,
    retryAfter: options.retryAfter === undefined ? undefined : Duration.decode(options.retryAfter)
  })

/** A defect, as when a channel throws. */
export const die = (defect: unknown = new Error("scripted defect")): Step => Step.Die({ defect })

/** Never ends, but can be interrupted. */
export const hang: Step = Step.Hang()

/** Never ends and does not heed interruption. */
export const ignoreInterruption: Step = Step.IgnoreInterruption()

export interface Options {
  /** `faulty` by default. */
  readonly name?: string
  readonly timeout?: Duration.DurationInput
  readonly collapses?: boolean
}

export interface FaultyChannel {
  readonly channel: RegisteredChannel
  /** Registers it. */
  readonly layer: Layer.Layer<Registered, DuplicateChannelError, ChannelRegistry>
  /** What it was asked to take, each attempt in order. */
  readonly attempts: Effect.Effect<ReadonlyArray<Alert>>
  /** What it took. */
  readonly taken: Effect.Effect<ReadonlyArray<Alert>>
  /** Waits until there were so many attempts. */
  readonly awaitAttempts: (count: number) => Effect.Effect<ReadonlyArray<Alert>>
  /** Waits until it took so many. */
  readonly awaitTaken: (count: number) => Effect.Effect<ReadonlyArray<Alert>>
  /** Puts another script in the place of what is left of this one. */
  readonly rescript: (...script: readonly [Step, ...ReadonlyArray<Step>]) => Effect.Effect<void>
}

/** The steps are taken in turn, one an attempt, and the last one stays. */
export const make = (
  script: readonly [Step, ...ReadonlyArray<Step>],
  options: Options = {}
): Effect.Effect<FaultyChannel> =>
  Effect.gen(function* () {
    const name = options.name ?? "faulty"
    const attempts = yield* SubscriptionRef.make<ReadonlyArray<Alert>>([])
    const taken = yield* SubscriptionRef.make<ReadonlyArray<Alert>>([])
    let steps: ReadonlyArray<Step> = script
    let current = script[0]

    const next = Effect.sync(() => {
      const [step, ...rest] = steps
      steps = rest
      current = step ?? current
      return current
    })
    const add = (ref: typeof taken, alert: Alert) =>
      SubscriptionRef.update(ref, (alerts) => [...alerts, alert])
    const perform = (alert: Alert): ((step: Step) => Effect.Effect<void, AlertChannelError>) =>
      Step.$match({
        Take: () => add(taken, alert),
        Fail: ({ reason, retryAfter, unclear }) =>
          Effect.fail(
            new AlertChannelError({
              reason,
              channel: name,
              problem: `scripted failure: ${reason}`,
              ...(retryAfter === undefined ? {} : { retryAfter }),
              ...(unclear ? { unclear } : {})
            })
          ),
        Die: ({ defect }) => Effect.die(defect),
        Hang: () => Effect.never,
        IgnoreInterruption: () => Effect.uninterruptible(Effect.never)
      })
    const atLeast = (ref: typeof taken, count: number) =>
      ref.changes.pipe(
        Stream.filter((alerts) => alerts.length >= count),
        Stream.runHead,
        Effect.flatMap(Effect.orDie)
      )

    const channel: RegisteredChannel = {
      name,
      type: "faulty",
      timeout: Duration.decode(options.timeout ?? "10 seconds"),
      collapses: options.collapses ?? true,
      send: (alert) => Effect.zipRight(add(attempts, alert), Effect.flatMap(next, perform(alert)))
    }
    return {
      channel,
      layer: layerChannel(Effect.succeed(channel)),
      attempts: SubscriptionRef.get(attempts),
      taken: SubscriptionRef.get(taken),
      awaitAttempts: (count) => atLeast(attempts, count),
      awaitTaken: (count) => atLeast(taken, count),
      rescript: (...newScript) =>
        Effect.sync(() => {
          steps = newScript
        })
    }
  })
