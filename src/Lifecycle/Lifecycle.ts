/**
 * An orderly end: hooks in phases, one phase after the other, each hook with a limit of its own.
 *
 * `launch` runs a program with it. It can be had without: a program that keeps its own main takes
 * `guarded`, whose phases run before the program's layers are released.
 */
import { Context, Duration, Effect, Exit, Layer, type Option, Scope } from "effect"
import type * as Phase from "./Phase.js"
import * as Plan from "./Plan.js"
import type { PlanError } from "./PlanError.js"
import type { Reason } from "./Reason.js"
import { Shutdown } from "./Shutdown.js"
import type { ShutdownReport } from "./ShutdownReport.js"

export { text as planText } from "./Plan.js"
export { PlanError } from "./PlanError.js"
export { type Insertion, names as phaseNames } from "./Phase.js"

export interface Options {
  /**
   * How long the platform waits after its signal before it kills. Default 30 seconds, as
   * Kubernetes; Docker waits 10 seconds.
   */
  readonly grace?: Duration.DurationInput | undefined
  /** How long to serve on after the signal, with readiness gone. Default none. */
  readonly lameDuck?: Duration.DurationInput | undefined
  /**
   * The limit of a hook that sets none. Default an equal part of what the others leave of the
   * grace, at most a fifteenth of it.
   */
  readonly hookTimeout?: Duration.DurationInput | undefined
  /** How long the shutdown may take after a fault that nobody caught. Default 5 seconds. */
  readonly faultGrace?: Duration.DurationInput | undefined
  /** Phases of the program's own. */
  readonly phases?: ReadonlyArray<Phase.Insertion> | undefined
}

export interface HookOptions {
  /** After it the hook is left behind, and the shutdown counts as failed. */
  readonly timeout?: Duration.DurationInput | undefined
  /** The same as a part of the grace, such as 1/6. `timeout` counts where both are given. */
  readonly share?: number | undefined
  /** Before the other hooks of its phase. */
  readonly first?: boolean | undefined
}

export class Lifecycle extends Context.Tag("holter/Lifecycle/Lifecycle")<
  Lifecycle,
  {
    /**
     * Runs the effect when the phase comes, as long as the scope is open until then. Within a phase
     * the last that was registered runs first.
     */
    readonly on: <A, E>(
      phase: Phase.Name | (string & {}),
      name: string,
      effect: Effect.Effect<A, E>,
      options?: HookOptions
    ) => Effect.Effect<void, PlanError, Scope.Scope>
    /** A scope that closes when the phase comes: a hook for everything that is acquired in it. */
    readonly scope: (
      phase: Phase.Name | (string & {}),
      name: string,
      options?: HookOptions
    ) => Effect.Effect<Scope.Scope, PlanError>
    /** Adds a line to the report, below the hook that runs. */
    readonly note: (text: string) => Effect.Effect<void>
    /** For a readiness endpoint: false from the moment a stop is requested. */
    readonly isAccepting: () => boolean
    readonly hasBegun: (phase: Phase.Name | (string & {})) => boolean
    readonly plan: Effect.Effect<Plan.Plan>
    /** Asks for the stop. A plain function, as signal handlers are. */
    readonly requestStop: (reason: Reason) => void
    /** Waits until a stop is requested. */
    readonly requested: Effect.Effect<Reason>
    /** Runs the phases, once; who comes later waits for the same end. Cannot be interrupted. */
    readonly shutdown: Effect.Effect<ShutdownReport>
    /** As far as the shutdown has come; none before it was requested. */
    readonly report: () => Option.Option<ShutdownReport>
    /** Called at every change of the report. */
    readonly watch: (listener: () => void) => void
    /** How long the platform waits after its signal before it kills. */
    readonly grace: Duration.Duration
    /** From now until the end of the grace, less what it takes to say so. */
    readonly timeLeft: () => Duration.Duration
  }
>() {}

export const make = (options: Options = {}): Effect.Effect<Lifecycle["Type"], PlanError> =>
  Effect.gen(function* () {
    const grace = Duration.decode(options.grace ?? "30 seconds")
    const decoded = (limit: Duration.DurationInput | undefined) =>
      limit === undefined ? undefined : Duration.decode(limit)
    const phases = yield* Plan.order(options.phases ?? [])
    const shutdown = yield* Shutdown.make(
      {
        grace,
        hookTimeout: decoded(options.hookTimeout),
        lameDuck: Duration.decode(options.lameDuck ?? Duration.zero),
        faultGrace: Duration.decode(options.faultGrace ?? "5 seconds")
      },
      phases
    )
    const add = <A, E>(
      phase: string,
      name: string,
      effect: Effect.Effect<A, E>,
      { first = false, share, timeout }: HookOptions = {}
    ) => {
      const limit = decoded(
        timeout ?? (share === undefined ? undefined : Duration.times(grace, share))
      )
      return shutdown.add(phase, { name, first, limit, run: Effect.exit(effect) })
    }
    return {
      on: (phase, name, effect, hook) =>
        Effect.asVoid(Effect.acquireRelease(add(phase, name, effect, hook), (remove) => remove)),
      scope: (phase, name, hook) =>
        Effect.flatMap(Scope.make(), (scope) =>
          Effect.as(add(phase, name, Scope.close(scope, Exit.void), hook), scope)
        ),
      note: (text) => Effect.sync(() => shutdown.note(text)),
      isAccepting: () => shutdown.isAccepting(),
      hasBegun: (phase) => shutdown.hasBegun(phase),
      plan: Effect.sync(() => shutdown.plan()),
      requestStop: (reason) => shutdown.requestStop(reason),
      requested: shutdown.requested,
      shutdown: shutdown.close,
      report: () => shutdown.report(),
      watch: (listener) => shutdown.watch(listener),
      grace,
      timeLeft: () => shutdown.timeLeft()
    }
  })

/**
 * The phases run at the latest when this layer is released. That is late, since it is released after
 * the layers that were built on it: see `guarded`.
 */
export const layer = (options: Options = {}): Layer.Layer<Lifecycle, PlanError> =>
  Layer.scoped(
    Lifecycle,
    Effect.acquireRelease(make(options), ({ shutdown }) => shutdown)
  )

/**
 * Layers with phases, for a main of one's own: the phases run before any of the layers is released.
 *
 * @example
 * import { Effect, Layer } from "effect"
 * import { Lifecycle } from "holter"
 *
 * const Poller = Layer.scopedDiscard(
 *   Effect.gen(function* () {
 *     const lifecycle = yield* Lifecycle.Lifecycle
 *     yield* lifecycle.on("monitoring", "poller", Effect.log("no more polls"))
 *   })
 * )
 *
 * // NodeRuntime.runMain(program)
 * const program = Layer.launch(Lifecycle.guarded(Poller, { grace: "10 seconds" }))
 */
export const guarded = <A, E, R>(
  app: Layer.Layer<A, E, R>,
  options: Options = {}
): Layer.Layer<A | Lifecycle, E | PlanError, Exclude<R, Lifecycle>> =>
  guard.pipe(Layer.provideMerge(app), Layer.provideMerge(layer(options)))

/**
 * Layers that are released in a phase, not with the rest of the program: a database in `database`.
 *
 * @example
 * import { Effect, Layer } from "effect"
 * import { Lifecycle } from "holter"
 *
 * const Connection = Layer.scopedDiscard(Effect.addFinalizer(() => Effect.log("closed")))
 * const Database = Connection.pipe(Lifecycle.within("database", "main", { timeout: "3 seconds" }))
 */
export const within =
  (phase: Phase.Name | (string & {}), name: string, options?: HookOptions) =>
  <A, E, R>(self: Layer.Layer<A, E, R>): Layer.Layer<A, E | PlanError, R | Lifecycle> =>
    Layer.effectContext(
      Effect.gen(function* () {
        const lifecycle = yield* Lifecycle
        const scope = yield* lifecycle.scope(phase, name, options)
        return yield* Layer.buildWithScope(self, scope)
      })
    )

/** Built last and so released first. Built at all only when the plan fits. */
const guard: Layer.Layer<never, PlanError, Lifecycle> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { plan, shutdown } = yield* Lifecycle
    yield* Plan.check(yield* plan)
    yield* Effect.addFinalizer(() => shutdown)
  })
)
