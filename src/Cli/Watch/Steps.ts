/**
 * What `holter watch` does when it stops, as data: the same list is registered when it runs and
 * printed by `--print-shutdown-plan`, which starts nothing.
 */
import { Duration, Effect, Layer, type Scope } from "effect"
import * as Beacon from "../../Lifecycle/Beacon.js"
import * as Lifecycle from "../../Lifecycle/Lifecycle.js"
import type { Name } from "../../Lifecycle/Phase.js"
import * as Plan from "../../Lifecycle/Plan.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"

export interface Step {
  readonly phase: Name
  readonly name: string
  /** Its share of the grace; an equal part of what the others leave, where it is left out. */
  readonly share?: number
}

export const steps = {
  schedule: { phase: "intake", name: "scheduled backups" },
  heartbeat: { phase: "monitoring", name: "heartbeat" },
  state: { phase: "state", name: "results and alert state", share: 1 / 6 },
  alerts: { phase: "bot", name: "owed alerts", share: 1 / 6 },
  alerting: { phase: "bot", name: "alerting" },
  deadMan: { phase: "connections", name: "dead-man ping" },
  channels: { phase: "connections", name: "channels" },
  checks: { phase: "connections", name: "checks" },
  journal: { phase: "database", name: "journal" },
  output: { phase: "close", name: "output" }
} as const satisfies Readonly<Record<string, Step>>

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

const limit = ({ share }: Step, { grace }: Time): Duration.Duration | undefined =>
  share === undefined ? undefined : Duration.times(grace, share)

export const on = <A, E>(
  step: Step,
  time: Time,
  effect: Effect.Effect<A, E>
): Effect.Effect<void, PlanError, Lifecycle.Lifecycle | Scope.Scope> =>
  Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
    lifecycle.on(step.phase, step.name, effect, { timeout: limit(step, time) })
  )

/** A scope that closes at this step. */
export const scope = (
  step: Step,
  time: Time
): Effect.Effect<Scope.Scope, PlanError, Lifecycle.Lifecycle> =>
  Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
    lifecycle.scope(step.phase, step.name, { timeout: limit(step, time) })
  )

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
      Effect.forEach(of(parts), (step) => on(step, time, Effect.void)),
      here
    )
    return yield* lifecycle.plan
  }).pipe(Effect.scoped)
