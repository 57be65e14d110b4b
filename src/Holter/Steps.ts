/**
 * What Holter does when the program stops: in which phase each of its parts ends, and how much of the
 * grace it may take.
 *
 * @internal
 */
import { Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Lifecycle } from "../Lifecycle/Lifecycle.js"
import type { Name } from "../Lifecycle/Phase.js"
import type { PlanError } from "../Lifecycle/PlanError.js"

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
  alerts: { phase: "bot", name: "unsent alerts", share: 1 / 6 },
  alerting: { phase: "bot", name: "alerting" },
  deadMan: { phase: "connections", name: "dead-man ping" },
  channels: { phase: "connections", name: "channels" },
  checks: { phase: "connections", name: "checks" },
  journal: { phase: "database", name: "journal" },
  output: { phase: "close", name: "output" }
} as const satisfies Readonly<Record<string, Step>>

export const on = <A, E>(
  step: Step,
  effect: Effect.Effect<A, E>
): Effect.Effect<void, PlanError, Lifecycle | Scope.Scope> =>
  Effect.flatMap(Lifecycle, (lifecycle) => lifecycle.on(step.phase, step.name, effect, step))

/** A scope that closes at this step. */
export const scope = (step: Step): Effect.Effect<Scope.Scope, PlanError, Lifecycle> =>
  Effect.flatMap(Lifecycle, (lifecycle) => lifecycle.scope(step.phase, step.name, step))

/** The same, or at the end of the part's own scope where that comes before the end of the program. */
export const atEnd = <A, E>(
  step: Step,
  effect: Effect.Effect<A, E>
): Effect.Effect<void, PlanError, Lifecycle | Scope.Scope> =>
  Effect.gen(function* () {
    const once = yield* Effect.once(effect)
    yield* on(step, once)
    const { grace } = yield* Lifecycle
    const limit = Duration.times(grace, step.share ?? 1 / 15)
    yield* Effect.addFinalizer(() => limited(once, limit))
  })

/** In a fiber that can be interrupted: a scope closes where that is not so, and no timeout would fire. */
const limited = <A, E>(
  effect: Effect.Effect<A, E>,
  limit: Duration.Duration
): Effect.Effect<void> =>
  effect.pipe(
    Effect.disconnect,
    Effect.timeoutOption(limit),
    Effect.ignoreLogged,
    Effect.interruptible,
    Effect.forkDaemon,
    Effect.flatMap(Fiber.await),
    Effect.asVoid
  )

/**
 * A part that closes at this step, or with the scope that it is built in where that comes before. It is built
 * apart from the program's layers: a check or a channel of two `Holter.layer`s is built in each, and a journal
 * has the lease that its own alerts ask.
 */
export const within =
  (step: Step) =>
  <A, E, R>(part: Layer.Layer<A, E, R>) =>
    Effect.gen(function* () {
      const own = yield* Scope.make()
      yield* atEnd(step, Scope.close(own, Exit.void))
      return yield* Layer.buildWithScope(part, own)
    })
