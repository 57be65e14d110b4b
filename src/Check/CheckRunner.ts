/**
 * Runs checks. The only place where the end of a probe becomes a result.
 *
 * The runner is total: whatever a probe does, it fails, throws, dies, interrupts itself, blocks the
 * CPU, ignores interruption or never ends, there is a result when its time is over. Only an
 * interruption of the runner's caller passes through.
 */
import {
  Cause,
  type Clock,
  Context,
  Duration,
  Effect,
  type Exit,
  Fiber,
  identity,
  Layer,
  Schedule
} from "effect"
import type { CheckFailure, RunnerReason } from "./CheckError.js"
import { type Observer, Running } from "../Common/Running.js"
import type { Retry } from "./CheckPolicy.js"
import type { RegisteredCheck } from "./CheckRegistry.js"
import type { CheckResult } from "./CheckResult.js"
import * as Deadlines from "./Deadlines.js"
import * as Orphans from "./Orphans.js"
import type { Outcome } from "./Outcome.js"
import * as TimeBox from "./TimeBox.js"
import * as Verdict from "./Verdict.js"

/**
 * Fibers of one check that outlived their deadline, at which it is not started again until one of
 * them ends: a leak must not grow without bound.
 */
export const maxOrphans = 3

export class CheckRunner extends Context.Tag("holter/Check/CheckRunner")<
  CheckRunner,
  {
    /** Runs a check once. Never fails; takes at most the check's timeout. */
    readonly run: (check: RegisteredCheck) => Effect.Effect<CheckResult>
    /**
     * The same without a fiber that waits for the result, for who starts many: `onResult` is called
     * with it, and must not throw. The effect that comes back interrupts the run; there is no result
     * then.
     */
    readonly start: (
      check: RegisteredCheck,
      onResult: (result: CheckResult) => void
    ) => Effect.Effect<Effect.Effect<void>>
    /** Fibers that are past their deadline and have not ended, by the name of their check. */
    readonly orphans: Effect.Effect<ReadonlyMap<string, number>>
  }
>() {}

export interface Options {
  /**
   * How many checks may run at once. Unbounded by default, so that hanging checks hold up no
   * others. A check that waits for its turn is not on the clock yet.
   */
  readonly concurrency?: number | undefined
}

export const layer = (options: Options = {}): Layer.Layer<CheckRunner> =>
  Layer.scoped(
    CheckRunner,
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const orphans = Orphans.make(deadlines)
      const watch = { deadlines, orphans }
      const observe = yield* Running
      const run = (check: RegisteredCheck) => observed(check, observe, runOnce(check, watch))
      const counts = Effect.sync(() => orphans.counts())
      if (options.concurrency === undefined) {
        return {
          run,
          start: (check, onResult) => startObserved(check, watch, observe, onResult),
          orphans: counts
        }
      }
      const slots = yield* Effect.makeSemaphore(options.concurrency)
      const inTurn = (check: RegisteredCheck) => slots.withPermits(1)(run(check))
      return {
        run: inTurn,
        // Here somebody has to wait: for the turn.
        start: (check, onResult) =>
          Effect.map(
            Effect.forkDaemon(Effect.interruptible(Effect.map(inTurn(check), onResult))),
            (fiber) => Effect.asVoid(Fiber.interruptFork(fiber))
          ),
        orphans: counts
      }
    })
  )

const observed = <A>(
  { name }: RegisteredCheck,
  observe: Observer | undefined,
  run: Effect.Effect<A>
): Effect.Effect<A> =>
  observe === undefined
    ? run
    : Effect.suspend(() => {
        const ended = observe(name)
        return Effect.ensuring(run, Effect.sync(ended))
      })

const startObserved = (
  check: RegisteredCheck,
  watch: TimeBox.Watch,
  observe: Observer | undefined,
  onResult: (result: CheckResult) => void
): Effect.Effect<Effect.Effect<void>> => {
  if (observe === undefined) return startOnce(check, watch, onResult)
  return Effect.suspend(() => {
    const ended = observe(check.name)
    const started = startOnce(check, watch, (result) => {
      ended()
      onResult(result)
    })
    return Effect.map(started, (interrupt) => Effect.zipRight(Effect.sync(ended), interrupt))
  })
}

const runOnce = (check: RegisteredCheck, watch: TimeBox.Watch): Effect.Effect<CheckResult> =>
  Effect.clockWith((clock) => {
    const run = new Run(check, clock, watch)
    return run.mayStart()
      ? TimeBox.run(run.attempts(), watch, run)
      : Effect.succeed(Verdict.refused(run))
  })

const startOnce = (
  check: RegisteredCheck,
  watch: TimeBox.Watch,
  onResult: (result: CheckResult) => void
): Effect.Effect<Effect.Effect<void>> =>
  Effect.clockWith((clock) => {
    const run = new Run(check, clock, watch)
    if (run.mayStart()) return TimeBox.start(run.attempts(), watch, run, onResult)
    onResult(Verdict.refused(run))
    return Effect.succeed(Effect.void)
  })

/** One run of a check: its attempts, in a box of time. */
class Run implements Verdict.Run, TimeBox.Task<Outcome, CheckFailure, CheckResult> {
  readonly name: string
  readonly limit: Duration.Duration
  readonly startedAt: number
  private isOver = false

  constructor(
    readonly check: RegisteredCheck,
    readonly clock: Clock.Clock,
    private readonly watch: TimeBox.Watch
  ) {
    this.name = check.name
    this.limit = check.policy.timeout
    this.startedAt = this.now()
  }

  now(): number {
    return Deadlines.monotonicMillis(this.clock)
  }

  orphans(): number {
    return this.watch.orphans.count(this.name)
  }

  mayStart(): boolean {
    return this.orphans() < maxOrphans
  }

  ended(exit: Exit.Exit<Outcome, CheckFailure>): CheckResult {
    return Verdict.ended(this, exit)
  }

  timedOut(): CheckResult {
    this.isOver = true
    return Verdict.timedOut(this)
  }

  isOverdue(): boolean {
    return false
  }

  /** The probe with its retries. Without any, and without a failure, they cost nothing. */
  attempts(): Effect.Effect<Outcome, CheckFailure> {
    const { probe, policy } = this.check
    const { attemptTimeout, retry } = policy
    const attempt = attemptTimeout === undefined ? probe : this.limited(probe, attemptTimeout)
    return retry === undefined ? attempt : retried(attempt, retry, () => this.mayStart())
  }

  private limited(
    probe: Effect.Effect<Outcome, CheckFailure>,
    limit: Duration.Duration
  ): Effect.Effect<Outcome, CheckFailure> {
    type Answer = Effect.Effect<Outcome, CheckFailure>
    return Effect.suspend(() =>
      Effect.flatten(
        TimeBox.run<Outcome, CheckFailure, Answer>(probe, this.watch, {
          name: this.name,
          limit,
          startedAt: this.now(),
          now: () => this.now(),
          ended: identity,
          timedOut: () => Effect.fail(attemptTimedOut(limit)),
          isOverdue: () => this.isOver
        })
      )
    )
  }
}

const attemptTimedOut = (limit: Duration.Duration): CheckFailure => ({
  _tag: "AttemptTimeout",
  reason: "Timeout" satisfies RunnerReason,
  message: `No answer within ${Duration.format(limit)}`,
  isRetryable: true
})

/** `Effect.retry` would be paid for by every success; this is set up by the first failure. */
const retried = (
  attempt: Effect.Effect<Outcome, CheckFailure>,
  retry: Retry,
  mayStart: () => boolean
): Effect.Effect<Outcome, CheckFailure> =>
  // Not `catchAll`, which costs a success something too.
  Effect.catchAllCause(attempt, (cause) => {
    const first = Cause.failureOption(cause)
    if (first._tag === "None" || !mayRetry(retry, first.value)) return Effect.failCause(cause)
    return Effect.flatMap(Schedule.driver(retry.schedule), (driver) => {
      const again = (error: CheckFailure): Effect.Effect<Outcome, CheckFailure> =>
        Effect.matchEffect(driver.next(error), {
          onFailure: () => Effect.fail(error),
          onSuccess: () =>
            mayStart()
              ? Effect.catchAll(attempt, (next) =>
                  mayRetry(retry, next) ? again(next) : Effect.fail(next)
                )
              : Effect.fail(error)
        })
      return again(first.value)
    })
  })

const mayRetry = (retry: Retry, error: CheckFailure): boolean =>
  error._tag === "AttemptTimeout" || retry.while(error)
