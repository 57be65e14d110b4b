/**
 * `Holter.layer` for tests: under a virtual clock, with channels that keep what they are sent and a journal in
 * memory. Hours of beats pass in seconds.
 */
import {
  Context,
  type Duration,
  Effect,
  Layer,
  SubscriptionRef,
  TestClock,
  TestContext,
  type TestServices
} from "effect"
import type { Alert } from "../Alert/Alert.js"
import type { DuplicateChannelError } from "../Alert/AlertChannelError.js"
import * as Holter from "../Holter/Watch.js"
import * as Beacon from "../Lifecycle/Beacon.js"
import * as Lifecycle from "../Lifecycle/Lifecycle.js"
import type { JournalError } from "../Monitor/Journal.js"
import * as RecordingChannel from "./RecordingChannel.js"

export class HealthTest extends Context.Tag("holter/testing/HealthTest")<
  HealthTest,
  {
    /** Lets virtual time pass: each beat, alert and reminder comes at its time. */
    readonly pass: (duration: Duration.DurationInput) => Effect.Effect<void>
    /** The alerts that all channels were sent so far, in order. */
    readonly alerts: Effect.Effect<ReadonlyArray<Alert>>
    /** The same as short lines: `opened redis`, `reminder redis`, `resolved redis`. */
    readonly story: Effect.Effect<ReadonlyArray<string>>
  }
>() {}

/** As `Holter.Options`, with names in the place of channels, so that routes lead somewhere. */
export interface Options<A1, E1, R1, E4, R4, E5, R5>
  extends Pick<
    Holter.Options<
      A1,
      E1,
      R1,
      never,
      never,
      never,
      never,
      never,
      E4,
      R4,
      E5,
      R5,
      never,
      never,
      never
    >,
    "checks" | "heartbeat" | "maintenance" | "observers" | "onChange" | "policy" | "routes"
  > {
  /** One channel, `recording`, where left out. */
  readonly channels?: readonly [string, ...ReadonlyArray<string>]
}

/** What a test can ask for beside `HealthTest`. */
export type Services =
  | Holter.Services
  | Beacon.Beacon
  | Lifecycle.Lifecycle
  | TestServices.TestServices

/** What the parts of a test need beside what is there for them. */
export type Needs<Checks, Others> = Exclude<
  Holter.Needs<Checks, never, Others>,
  Exclude<Services, Holter.Services>
>

/** What keeps it from being built, beside what its layers fail with. */
export type Failure = Holter.Failure | JournalError | DuplicateChannelError

/**
 * Everything of `Holter.layer` beats as soon as time passes.
 *
 * @example
 * import { Effect } from "effect"
 * import { HealthTest, ScriptedCheck } from "holter/testing"
 *
 * const test = Effect.gen(function* () {
 *   const { pass, story } = yield* HealthTest.HealthTest
 *   yield* pass("10 minutes")
 *   return yield* story // ["opened redis"]
 * }).pipe(
 *   Effect.provide(
 *     HealthTest.layer({
 *       checks: ScriptedCheck.layer([ScriptedCheck.healthy(), ScriptedCheck.fail("Unreachable")], {
 *         name: "redis"
 *       })
 *     })
 *   )
 * )
 */
export const layer = <E1, R1, A1 = never, E4 = never, R4 = never, E5 = never, R5 = never>({
  channels = ["recording"],
  ...options
}: Options<A1, E1, R1, E4, R4, E5, R5>): Layer.Layer<
  HealthTest | Services | A1,
  Failure | E1 | E5,
  Needs<R1, R4 | R5>
> =>
  // Of one `Exclude` in another tsc does not know that it is this one.
  // @effect-diagnostics-next-line unsafeEffectTypeAssertion:off
  Layer.unwrapEffect(
    Effect.map(SubscriptionRef.make<ReadonlyArray<Alert>>([]), (taken) => {
      const [first, ...others] = channels
      const recording = (name: string) => RecordingChannel.into(taken, name).layer
      return Layer.merge(
        Holter.layer({
          ...options,
          channels: Layer.mergeAll(recording(first), ...others.map(recording))
        }),
        Layer.effect(
          HealthTest,
          Effect.map(TestClock.testClock(), (clock) => ({
            pass: (duration) => clock.adjust(duration),
            alerts: SubscriptionRef.get(taken),
            story: Effect.map(SubscriptionRef.get(taken), (alerts) => alerts.map(line))
          }))
        )
      )
    })
  ).pipe(
    Layer.provideMerge(Layer.provideMerge(Beacon.layer(), Lifecycle.layer())),
    Layer.provideMerge(TestContext.TestContext)
  ) as Layer.Layer<HealthTest | Services | A1, Failure | E1 | E5, Needs<R1, R4 | R5>>

const line = ({ kind, subjects }: Alert): string =>
  `${kind} ${subjects.map(({ service }) => service).join(", ")}`
