/**
 * A check that does as its script says, for tests of what runs, judges and reports checks. Under
 * TestClock nothing in it takes time of its own.
 */
import { Data, type Duration, Effect, Layer, Stream, SubscriptionRef } from "effect"
import type { CheckFailure, DuplicateCheckError } from "../Check/CheckError.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import {
  layerCheck,
  type CheckRegistry,
  type Registered,
  type RegisteredCheck
} from "../Check/CheckRegistry.js"
import type { Status } from "../Check/CheckResult.js"
import * as Outcome from "../Check/Outcome.js"
import * as Secrets from "../Common/Secrets.js"

/** What a scripted check fails with. */
export class ScriptedFailure
  extends Data.TaggedError("ScriptedFailure")<{
    readonly reason: string
    readonly message: string
    readonly isRetryable: boolean
    readonly details: Outcome.Details | undefined
    readonly retryAfter: Duration.Duration | undefined
  }>
  implements CheckFailure {}

/** What one run does. */
export type Step = Data.TaggedEnum<{
  Report: { readonly outcome: Outcome.Outcome }
  Fail: { readonly failure: ScriptedFailure }
  Die: { readonly defect: unknown }
  Hang: Readonly<Record<never, never>>
  IgnoreInterruption: Readonly<Record<never, never>>
  After: { readonly delay: Duration.DurationInput; readonly step: Step }
}>

const Step = Data.taggedEnum<Step>()

export const healthy = (message = "Scripted service OK", details: Outcome.Details = {}): Step =>
  Step.Report({ outcome: Outcome.healthy(message, { details }) })

export const degraded = (message = "Scripted service slow", details: Outcome.Details = {}): Step =>
  Step.Report({ outcome: Outcome.degraded(message, { details }) })

export const fail = (
  reason: string,
  options: {
    readonly message?: string
    readonly isRetryable?: boolean
    readonly details?: Outcome.Details
    readonly retryAfter?: Duration.Duration
  } = {}
): Step =>
  Step.Fail({
    failure: new ScriptedFailure({
      reason,
      message: options.message ?? `Scripted failure: ${reason}`,
      isRetryable: options.isRetryable ?? false,
      details: options.details,
      retryAfter: options.retryAfter
    })
  })

/** A defect, as when a probe throws. */
export const die = (defect: unknown = new Error("scripted defect")): Step => Step.Die({ defect })

/** Never ends, but can be interrupted. */
export const hang: Step = Step.Hang()

/** Never ends and does not heed interruption, until `release`. */
export const ignoreInterruption: Step = Step.IgnoreInterruption()

/** Does the step after a delay. */
export const after = (delay: Duration.DurationInput, step: Step): Step =>
  Step.After({ delay, step })

export interface Options extends CheckPolicy.Settings {
  /** `scripted` by default. */
  readonly name?: string | undefined
  readonly label?: string | undefined
  /** The status that a reason stands for; `unhealthy` where none is given. */
  readonly statuses?: { readonly [reason: string]: Status } | undefined
  readonly secrets?: ReadonlyArray<string> | undefined
}

export interface ScriptedCheck {
  /** For the runner, without a registry. */
  readonly check: RegisteredCheck
  /** Registers it. */
  readonly layer: Layer.Layer<Registered, DuplicateCheckError, CheckRegistry>
  /** How many runs have begun. */
  readonly runs: Effect.Effect<number>
  /** Waits until so many runs have begun. */
  readonly awaitRuns: (count: number) => Effect.Effect<void>
  /** Puts another script in the place of what is left of this one. */
  readonly rescript: (...script: readonly [Step, ...ReadonlyArray<Step>]) => Effect.Effect<void>
  /** Ends the runs that ignore interruption, now and from now on; they were healthy. */
  readonly release: Effect.Effect<void>
}

/** The steps are taken in turn, one a run, and the last one stays. */
export const make = (
  script: readonly [Step, ...ReadonlyArray<Step>],
  options: Options = {}
): Effect.Effect<ScriptedCheck> =>
  Effect.gen(function* () {
    const runs = yield* SubscriptionRef.make(0)
    const latch = yield* Effect.makeLatch(false)
    let steps: ReadonlyArray<Step> = script
    let current = script[0]

    const next = Effect.sync(() => {
      const [step, ...rest] = steps
      steps = rest
      current = step ?? current
      return current
    })
    const perform = (step: Step): Effect.Effect<Outcome.Outcome, ScriptedFailure> =>
      Step.$match(step, {
        Report: ({ outcome }) => Effect.succeed(outcome),
        Fail: ({ failure }) => Effect.fail(failure),
        Die: ({ defect }) => Effect.die(defect),
        Hang: () => Effect.never,
        IgnoreInterruption: () =>
          Effect.as(Effect.uninterruptible(latch.await), Outcome.healthy("Scripted service OK")),
        After: ({ delay, step: later }) => Effect.delay(perform(later), delay)
      })

    const name = options.name ?? "scripted"
    const check: RegisteredCheck = {
      name,
      type: "scripted",
      label: options.label ?? name,
      policy: CheckPolicy.override(CheckPolicy.defaults, options),
      secrets: Secrets.make(options.secrets ?? []),
      probe: Effect.zipRight(
        SubscriptionRef.update(runs, (count) => count + 1),
        Effect.flatMap(next, perform)
      ),
      statusOf: (error) => options.statuses?.[error.reason] ?? "unhealthy"
    }
    return {
      check,
      layer: layerCheck(Effect.succeed(check)),
      runs: SubscriptionRef.get(runs),
      awaitRuns: (count) =>
        runs.changes.pipe(
          Stream.takeUntil((begun) => begun >= count),
          Stream.runDrain
        ),
      rescript: (...newScript) =>
        Effect.sync(() => {
          steps = newScript
        }),
      release: Effect.asVoid(latch.open)
    }
  })

/** A scripted check that nobody watches, registered. */
export const layer = (
  script: readonly [Step, ...ReadonlyArray<Step>],
  options: Options = {}
): Layer.Layer<Registered, DuplicateCheckError, CheckRegistry> =>
  Layer.unwrapEffect(Effect.map(make(script, options), (scripted) => scripted.layer))
