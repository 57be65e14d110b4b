/**
 * What `holter watch` does when it stops, as data: the same list is registered when it runs and
 * printed by `--print-shutdown-plan`, which starts nothing.
 */
import { type Duration, Effect, Layer } from "effect"
import { on, type Step, steps } from "../../Holter/Steps.js"
import * as Beacon from "../../Lifecycle/Beacon.js"
import * as Lifecycle from "../../Lifecycle/Lifecycle.js"
import type * as Plan from "../../Lifecycle/Plan.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"

/** What this installation has of the steps that not every one has. */
export interface Parts {
  readonly backups: boolean
  readonly deadMan: boolean
}

/** In the order of registration: within a phase the last one runs first. */
const of = (parts: Parts): ReadonlyArray<Step> => [
  steps.output,
  steps.journal,
  steps.checks,
  steps.channels,
  ...(parts.deadMan ? [steps.deadMan] : []),
  steps.alerting,
  steps.alerts,
  steps.state,
  ...(parts.backups ? [steps.schedule] : []),
  steps.heartbeat
]

export interface Time {
  readonly grace: Duration.Duration
  readonly lameDuck: Duration.Duration
}

/** The plan, with nothing behind its hooks. */
export const plan = (parts: Parts, time: Time): Effect.Effect<Plan.Plan, PlanError> =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.make(time)
    const here = Layer.succeed(Lifecycle.Lifecycle, lifecycle)
    yield* Layer.build(Beacon.layer().pipe(Layer.provide(here)))
    // What `launch` itself has.
    yield* lifecycle.on("close", "layers", Effect.void)
    yield* lifecycle.on("close", "report", Effect.void)
    yield* Effect.provide(
      Effect.forEach(of(parts), (step) => on(step, Effect.void)),
      here
    )
    return yield* lifecycle.plan
  }).pipe(Effect.scoped)
