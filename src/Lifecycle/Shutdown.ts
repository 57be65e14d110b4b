/**
 * The sequence itself: phases, each a Scope whose finalizers are hooks with limits of their own.
 *
 * Whatever a hook does, it fails, dies, hangs or ignores its interruption, the sequence goes on
 * when the hook's time is over. Once begun it runs to its end: nothing can interrupt it.
 *
 * @internal
 */
import {
  Cause,
  type Clock,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  FiberId,
  Option,
  Scope
} from "effect"
import { endOf, ShutdownLog } from "./ShutdownLog.js"
import type * as Phase from "./Phase.js"
import * as Plan from "./Plan.js"
import type { PlanError } from "./PlanError.js"
import * as Reason from "./Reason.js"
import type { ShutdownReport } from "./ShutdownReport.js"
import * as Format from "../Common/Format.js"

export interface Settings {
  readonly grace: Duration.Duration
  readonly faultGrace: Duration.Duration
  readonly lameDuck: Duration.Duration
  /** None: see `Plan.defaultLimit`. */
  readonly hookTimeout: Duration.Duration | undefined
}

export interface Hook {
  readonly name: string
  readonly limit: Duration.Duration | undefined
  /** Before the others of its phase. */
  readonly first: boolean
  readonly run: Effect.Effect<Exit.Exit<unknown, unknown>>
}

/** A phase with its scopes: what must come first has one that closes before the other. */
interface OpenPhase extends Phase.Phase {
  readonly first: Scope.CloseableScope
  readonly rest: Scope.CloseableScope
  /** What is still to run, in the order of registration. */
  readonly hooks: Set<Hook>
  hasBegun: boolean
}

interface Stop {
  readonly reason: Reason.Reason
  readonly log: ShutdownLog
  /** Of hooks that set none. */
  readonly defaultLimit: Duration.Duration
  /** When the last hook has to be done: milliseconds of the log. */
  until: number
}

export class Shutdown {
  private readonly asked = Deferred.unsafeMake<Reason.Reason>(FiberId.none)
  private readonly hurried = Deferred.unsafeMake<void>(FiberId.none)
  private readonly over = Deferred.unsafeMake<ShutdownReport>(FiberId.none)
  private readonly listeners = new Set<() => void>()
  private stop: Stop | undefined
  private isClosing = false

  private constructor(
    readonly settings: Settings,
    private readonly phases: ReadonlyArray<OpenPhase>,
    private readonly clock: Clock.Clock
  ) {}

  static make(settings: Settings, phases: ReadonlyArray<Phase.Phase>): Effect.Effect<Shutdown> {
    return Effect.gen(function* () {
      const open = yield* Effect.forEach(phases, (phase) =>
        Effect.map(
          Effect.all([Scope.make(), Scope.make()]),
          ([first, rest]): OpenPhase => ({
            ...phase,
            first,
            rest,
            hooks: new Set(),
            hasBegun: false
          })
        )
      )
      return new Shutdown(settings, open, yield* Effect.clock)
    })
  }

  /** Adds a hook; what is returned takes it away again. In a phase that is over it runs at once. */
  add(phaseName: string, hook: Hook): Effect.Effect<Effect.Effect<void>, PlanError> {
    return Effect.gen(this, function* () {
      const phase = this.phases.find(({ name }) => name === phaseName)
      if (phase === undefined) return yield* Plan.unknownPhase(phaseName, this.phases)
      phase.hooks.add(hook)
      const scope = yield* Scope.fork(hook.first ? phase.first : phase.rest, sequential)
      // In a fiber that can wait: a late hook runs where it is registered, which may be within an
      // uninterruptible region, and there no timeout would fire.
      const run = Effect.suspend(() =>
        phase.hooks.delete(hook)
          ? Effect.flatMap(
              Effect.forkDaemon(Effect.interruptible(this.runHook(phase.name, hook))),
              Fiber.await
            )
          : Effect.void
      )
      yield* Scope.addFinalizer(scope, run)
      return Effect.suspend(() => {
        phase.hooks.delete(hook)
        return Scope.close(scope, Exit.void)
      })
    })
  }

  plan(): Plan.Plan {
    const defaultLimit = this.stop?.defaultLimit ?? this.defaultLimit()
    return {
      grace: this.settings.grace,
      lameDuck: this.settings.lameDuck,
      phases: this.phases.map(({ hooks, name, title }) => {
        const all = [...hooks].reverse()
        const ordered = [...all.filter(({ first }) => first), ...all.filter(({ first }) => !first)]
        return {
          name,
          title,
          hooks: ordered.map(({ limit = defaultLimit, name }) => ({ name, limit }))
        }
      })
    }
  }

  hasBegun(phaseName: string): boolean {
    return this.phases.some(({ hasBegun, name }) => name === phaseName && hasBegun)
  }

  isAccepting(): boolean {
    return this.stop === undefined
  }

  /** Synchronous, for a signal handler. A fault during a shutdown shortens it. */
  requestStop(reason: Reason.Reason): void {
    const stop = this.stop ?? this.begin(reason)
    if (reason._tag === "Fault") {
      stop.log.fault ??= `${reason.kind}: ${Reason.faultText(reason.fault)}`
      stop.until = Math.min(stop.until, stop.log.elapsed() + this.allowed(this.settings.faultGrace))
      Deferred.unsafeDone(this.hurried, Effect.void)
      stop.log.changed()
    }
    Deferred.unsafeDone(this.asked, Effect.succeed(reason))
  }

  get requested(): Effect.Effect<Reason.Reason> {
    return Deferred.await(this.asked)
  }

  /** How long from now until what is not done will not be done any more. */
  timeLeft(): Duration.Duration {
    const { grace } = this.settings
    if (this.stop === undefined) return grace
    const left = this.stop.until - this.stop.log.elapsed()
    return Duration.millis(Math.max(0, left + Duration.toMillis(margin(grace)) / 2))
  }

  report(): Option.Option<ShutdownReport> {
    return Option.map(Option.fromNullable(this.stop), ({ log }) => log.report())
  }

  watch(listener: () => void): void {
    this.listeners.add(listener)
    this.stop?.log.watch(listener)
  }

  note(text: string): void {
    this.stop?.log.note(text)
  }

  /** All phases, once. Who comes later waits for the same end. */
  readonly close: Effect.Effect<ShutdownReport> = Effect.suspend(() => {
    if (this.isClosing) return Deferred.await(this.over)
    this.isClosing = true
    this.requestStop(byItself)
    return Effect.zipRight(
      Effect.forkDaemon(Effect.interruptible(this.sequence)),
      Deferred.await(this.over)
    )
  })

  private begin(reason: Reason.Reason): Stop {
    const { grace } = this.settings
    const start = monotonicMillis(this.clock)
    const log = new ShutdownLog(
      { reason: Reason.text(reason), requestedAt: this.clock.unsafeCurrentTimeMillis(), grace },
      () => monotonicMillis(this.clock) - start
    )
    for (const listener of this.listeners) log.watch(listener)
    this.stop = { reason, log, defaultLimit: this.defaultLimit(), until: this.allowed(grace) }
    return this.stop
  }

  private defaultLimit(): Duration.Duration {
    const { grace, hookTimeout, lameDuck } = this.settings
    if (hookTimeout !== undefined) return hookTimeout
    const limits = this.phases.flatMap(({ hooks }) => Array.from(hooks, ({ limit }) => limit))
    const set = limits.filter((limit) => limit !== undefined)
    const taken = set.reduce(Duration.sum, lameDuck)
    return Plan.defaultLimit(grace, taken, limits.length - set.length)
  }

  private allowed(grace: Duration.Duration): number {
    const shorter = Duration.min(grace, this.settings.grace)
    return Duration.toMillis(Duration.subtract(shorter, margin(shorter)))
  }

  private get sequence(): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      const { log, reason } = this.stop ?? this.begin(byItself)
      const within = Format.measured(this.timeLeft())
      yield* Effect.logInfo(`shutdown by ${Reason.text(reason)}, to be over within ${within}`)
      for (const line of Plan.text(this.plan()).split("\n")) yield* Effect.logDebug(line)
      if (reason._tag === "Fault") yield* Effect.logError(reason.kind, Cause.die(reason.fault))
      yield* this.lameDuck
      for (const phase of this.phases) {
        log.enter(phase.name)
        phase.hasBegun = true
        if (phase.hooks.size > 0) yield* Effect.logInfo(`shutdown: ${phase.name}: ${phase.title}`)
        yield* Scope.close(phase.first, Exit.void)
        yield* Scope.close(phase.rest, Exit.void)
      }
      log.end()
      yield* Deferred.succeed(this.over, log.report())
    })
  }

  /** Balancers need a moment to see that readiness is gone; a fault leaves no time for it. */
  private get lameDuck(): Effect.Effect<void> {
    const { lameDuck } = this.settings
    return Duration.toMillis(lameDuck) === 0
      ? Effect.void
      : Effect.raceFirst(Effect.sleep(lameDuck), Deferred.await(this.hurried))
  }

  private runHook(phase: string, hook: Hook): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      const { log } = this.stop ?? this.begin(byItself)
      const limit = this.limitOf(hook)
      const end = log.begin(phase, hook.name, limit)
      if (Duration.toMillis(limit) <= 0) {
        end("skipped", "no time was left")
        return yield* Effect.logWarning(`shutdown: ${phase}: ${hook.name}: no time was left`)
      }
      const started = log.elapsed()
      const fiber = yield* Effect.forkDaemon(Effect.interruptible(hook.run))
      const exit = yield* this.awaitWithin(fiber, limit, hook)
      // A hook that blocked the event loop is late also when it brought a value.
      if (Option.isNone(exit) || log.elapsed() - started > Duration.toMillis(limit)) {
        yield* Fiber.interruptFork(fiber)
        end("overran")
        const took = Format.measured(log.elapsed() - started)
        return yield* Effect.logWarning(
          `shutdown: ${phase}: ${hook.name} overran, was left behind after ${took}`
        )
      }
      const [ended, message] = endOf(exit.value)
      end(ended, message)
      if (Exit.isFailure(exit.value)) {
        yield* Effect.logWarning(`shutdown: ${phase}: ${hook.name} ${ended}`, exit.value.cause)
      }
    })
  }

  /** When a fault shortens the shutdown, a hook that runs gets a new limit. */
  private awaitWithin(
    fiber: Fiber.RuntimeFiber<Exit.Exit<unknown, unknown>>,
    limit: Duration.Duration,
    hook: Hook
  ): Effect.Effect<Option.Option<Exit.Exit<unknown, unknown>>> {
    const exit = Effect.map(Fiber.await(fiber), Exit.flatten)
    const within = (time: Duration.Duration) => Effect.timeoutOption(exit, time)
    return Effect.flatMap(Deferred.isDone(this.hurried), (isHurried) =>
      isHurried
        ? within(limit)
        : Effect.raceFirst(within(limit), Effect.as(Deferred.await(this.hurried), undefined)).pipe(
            Effect.flatMap((result) =>
              result === undefined
                ? Effect.suspend(() => within(this.limitOf(hook)))
                : Effect.succeed(result)
            )
          )
    )
  }

  /**
   * What a hook asked for, or its share of the time where that does not fit any more. A hook that
   * asked for nothing also gets the time that no other one needs: earlier ones leave it unused.
   */
  private limitOf(hook: Hook): Duration.Duration {
    const { defaultLimit, log, until } = this.stop ?? this.begin(byItself)
    const own = Duration.toMillis(hook.limit ?? defaultLimit)
    const left = Math.max(0, until - log.elapsed())
    const planned = this.phases
      .flatMap(({ hooks }) => [...hooks])
      .reduce((sum, { limit = defaultLimit }) => sum + Duration.toMillis(limit), own)
    if (left < planned) return Duration.millis((own * left) / planned)
    const asksForNothing = hook.limit === undefined && this.settings.hookTimeout === undefined
    return Duration.millis(asksForNothing ? own + left - planned : own)
  }
}

const byItself = { _tag: "Asked", by: "the end of the program" } as const

const sequential = { _tag: "Sequential" } as const

/** Kept free before the kill, so that the last words are written. */
const margin = (grace: Duration.Duration): Duration.Duration =>
  Duration.min(Duration.millis(500), Duration.times(grace, 0.05))

const monotonicMillis = (clock: Clock.Clock): number =>
  Number(clock.unsafeCurrentTimeNanos()) / 1_000_000
