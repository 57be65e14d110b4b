/**
 * Runs checks. The only place where the end of a probe becomes a result.
 *
 * The runner is total: whatever a probe does, it fails, throws, dies, interrupts itself, blocks the
 * CPU, ignores interruption or never ends, there is a result when its time is over. Only an
 * interruption of the runner's caller passes through.
 *
 * @since 0.1.0
 */
import {
  Cause,
  Clock,
  Context,
  DateTime,
  Duration,
  Effect,
  Either,
  Exit,
  Fiber,
  Layer,
  Schedule,
  type Scope
} from "effect"
import type { CheckFailure, RunnerReason } from "./CheckError.js"
import type { Retry } from "./CheckPolicy.js"
import type { RegisteredCheck } from "./CheckRegistry.js"
import type { CheckResult, Status } from "./CheckResult.js"
import * as Deadlines from "./Deadlines.js"
import type { Details, Outcome } from "./Outcome.js"

/**
 * Fibers of one check that outlived their deadline, at which it is not started again until one of
 * them ends: a leak must not grow without bound.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxOrphans = 3

/**
 * @since 0.1.0
 * @category tags
 */
export class CheckRunner extends Context.Tag("holter/Check/CheckRunner")<
  CheckRunner,
  {
    /** Runs a check once. Never fails; takes at most the check's timeout. */
    readonly run: (check: RegisteredCheck) => Effect.Effect<CheckResult>
    /** Fibers that are past their deadline and have not ended, by the name of their check. */
    readonly orphans: Effect.Effect<ReadonlyMap<string, number>>
  }
>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * How many checks may run at once. Unbounded by default, so that hanging checks hold up no
   * others. A check that waits for its turn is not on the clock yet.
   */
  readonly concurrency?: number | undefined
}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<CheckRunner> =>
  Layer.scoped(
    CheckRunner,
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const orphans = new Orphans()
      const run = (check: RegisteredCheck) => runOnce(check, deadlines, orphans)
      const counts = Effect.sync(() => orphans.counts())
      if (options.concurrency === undefined) return { run, orphans: counts }
      const slots = yield* Effect.makeSemaphore(options.concurrency)
      return { run: (check) => slots.withPermits(1)(run(check)), orphans: counts }
    })
  )

type ProbeFiber = Fiber.RuntimeFiber<Outcome, CheckFailure>

/** The fibers that were given up and have not ended yet. */
class Orphans {
  private readonly byName = new Map<string, number>()

  counts(): ReadonlyMap<string, number> {
    return new Map(this.byName)
  }

  count(name: string): number {
    return this.byName.get(name) ?? 0
  }

  /** Interrupts a fiber without waiting for it, and counts it until it ends. */
  abandon(name: string, fiber: ProbeFiber): void {
    this.byName.set(name, this.count(name) + 1)
    fiber.addObserver(() => {
      const left = this.count(name) - 1
      if (left === 0) this.byName.delete(name)
      else this.byName.set(name, left)
    })
    fiber.unsafeInterruptAsFork(fiber.id())
  }
}

const runOnce = (
  check: RegisteredCheck,
  deadlines: Deadlines.Deadlines,
  orphans: Orphans
): Effect.Effect<CheckResult> =>
  Effect.clockWith((clock) => {
    const run = new Run(check, clock)
    const left = orphans.count(check.name)
    if (left >= maxOrphans) return Effect.succeed(run.refused(left))
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkDaemon(Effect.interruptible(attempts(check, orphans))), (fiber) =>
        Effect.flatMap(
          deadlines.add(check.policy.timeout, () => run.giveUp()),
          (cancel) => {
            run.watch(fiber, cancel, orphans)
            // Outside of `restore`: an interruption that comes before the wait begins counts too.
            return Effect.onInterrupt(restore(run.result), () => Effect.sync(() => run.giveUp()))
          }
        )
      )
    )
  })

/** One run: from its start until it was answered, by its fiber or by its deadline. */
class Run {
  private readonly startedAt: number
  private answer: CheckResult | undefined
  private listener: ((result: Effect.Effect<CheckResult>) => void) | undefined
  private abandon: () => void = () => {}

  constructor(
    private readonly check: RegisteredCheck,
    private readonly clock: Clock.Clock
  ) {
    this.startedAt = Deadlines.monotonicMillis(clock)
  }

  /** The result, as soon as there is one. */
  readonly result: Effect.Effect<CheckResult> = Effect.async((resume) => {
    if (this.answer !== undefined) resume(Effect.succeed(this.answer))
    else this.listener = resume
  })

  watch(fiber: ProbeFiber, cancel: () => void, orphans: Orphans) {
    this.abandon = () => {
      cancel()
      orphans.abandon(this.check.name, fiber)
    }
    fiber.addObserver((exit) => {
      cancel()
      if (this.answer === undefined) this.settle(this.ended(exit))
    })
  }

  /** The time is over, or nobody waits any more. */
  giveUp(): void {
    if (this.answer !== undefined) return
    this.abandon()
    this.settle(this.timedOut())
  }

  private settle(result: CheckResult): void {
    this.answer = result
    this.listener?.(Effect.succeed(result))
  }

  /** Total: what a probe ends with can throw while it is read (a getter, a text that is none). */
  private ended(exit: Exit.Exit<Outcome, CheckFailure>): CheckResult {
    return Either.getOrElse(
      Either.try(() => this.judge(exit)),
      (thrown) => this.broken("Crashed", `The probe's answer cannot be read: ${describe(thrown)}`)
    )
  }

  private judge(exit: Exit.Exit<Outcome, CheckFailure>): CheckResult {
    // A probe that kept the CPU busy ends before the timer can fire: too late is too late.
    const late = this.elapsed() > Duration.toMillis(this.check.policy.timeout)
    if (late) return this.timedOut()
    if (Exit.isSuccess(exit)) {
      if (!says(exit.value)) return this.broken("Crashed", "The probe's answer is no Outcome")
      const { _tag, details, message, note } = exit.value
      return this.make({
        status: _tag === "Healthy" ? "healthy" : "degraded",
        message,
        note,
        details
      })
    }
    const failure = Cause.failureOption(exit.cause)
    if (failure._tag === "Some") {
      if (says(failure.value)) return this.failed(failure.value)
      return this.broken("Crashed", `The probe failed without an error: ${describe(failure.value)}`)
    }
    if (Cause.isInterruptedOnly(exit.cause)) {
      return this.broken("Interrupted", "The probe interrupted itself")
    }
    return this.broken("Crashed", `The probe crashed: ${describe(Cause.squash(exit.cause))}`)
  }

  private failed(error: CheckFailure): CheckResult {
    return this.make({
      status: this.check.statusOf(error),
      message: error.message,
      reason: error.reason,
      details: error.details ?? {},
      retryAfter: error.retryAfter
    })
  }

  private timedOut(): CheckResult {
    const limit = Duration.format(this.check.policy.timeout)
    return this.broken("Timeout", `No answer within ${limit}`)
  }

  refused(left: number): CheckResult {
    return this.broken(
      "StillRunning",
      `Not started: ${left} earlier runs are past their deadline and cannot be stopped`
    )
  }

  private broken(reason: RunnerReason, message: string): CheckResult {
    return this.make({ status: "unhealthy", message, reason, details: {} })
  }

  private make(part: {
    readonly status: Status
    readonly message: string
    readonly details: Details
    readonly note?: string | undefined
    readonly reason?: string
    readonly retryAfter?: Duration.Duration | undefined
  }): CheckResult {
    const { scrub, scrubAll } = this.check.secrets
    return {
      service: this.check.name,
      status: part.status,
      message: clip(scrub(part.message)),
      note: part.note === undefined ? undefined : scrub(part.note),
      responseTime: Duration.millis(this.elapsed()),
      lastCheck: DateTime.unsafeMake(this.clock.unsafeCurrentTimeMillis()),
      details: scrubAll(asJson(part.details)),
      reason: part.reason,
      retryAfter: part.retryAfter
    }
  }

  private elapsed(): number {
    return Math.max(0, Deadlines.monotonicMillis(this.clock) - this.startedAt)
  }
}

/**
 * Details as they will be read: what is no JSON must neither stop the report of all other checks nor
 * carry a secret past the search for it.
 */
const asJson = (details: Details): Details =>
  JSON.parse(
    JSON.stringify(details, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value
    )
  ) as Details

/**
 * A service may answer with a page of text. It is cut here and nowhere before: half a secret is no
 * longer recognised as one.
 */
const clip = (message: string): string =>
  message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message

const longestMessage = 500

/** The probe with its retries. Without any, and without a failure, they cost nothing. */
const attempts = (
  check: RegisteredCheck,
  orphans: Orphans
): Effect.Effect<Outcome, CheckFailure> => {
  const { attemptTimeout, retry } = check.policy
  const once = Effect.scoped(check.probe)
  const attempt =
    attemptTimeout === undefined
      ? once
      : bounded(once, attemptTimeout, (fiber) => orphans.abandon(check.name, fiber))
  return retry === undefined ? attempt : retried(attempt, retry)
}

const bounded = (
  probe: Effect.Effect<Outcome, CheckFailure>,
  limit: Duration.Duration,
  abandon: (fiber: ProbeFiber) => void
): Effect.Effect<Outcome, CheckFailure> =>
  Effect.timeoutFail(detached(probe, abandon), {
    duration: limit,
    onTimeout: (): CheckFailure => ({
      _tag: "AttemptTimeout",
      reason: "Timeout" satisfies RunnerReason,
      message: `No answer within ${Duration.format(limit)}`,
      isRetryable: true
    })
  })

/** `Effect.disconnect`, but who is left behind is handed over, to be counted. */
const detached = (
  probe: Effect.Effect<Outcome, CheckFailure>,
  abandon: (fiber: ProbeFiber) => void
): Effect.Effect<Outcome, CheckFailure> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(Effect.interruptible(probe)), (fiber) =>
      Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.sync(() => abandon(fiber)))
    )
  )

/** `Effect.retry` would be paid for by every success; this is set up by the first failure. */
const retried = (
  attempt: Effect.Effect<Outcome, CheckFailure>,
  retry: Retry
): Effect.Effect<Outcome, CheckFailure> =>
  Effect.catchAll(attempt, (first) =>
    mayRetry(retry, first)
      ? Effect.flatMap(Schedule.driver(retry.schedule), (driver) => {
          const again = (error: CheckFailure): Effect.Effect<Outcome, CheckFailure> =>
            Effect.matchEffect(driver.next(error), {
              onFailure: () => Effect.fail(error),
              onSuccess: () =>
                Effect.catchAll(attempt, (next) =>
                  mayRetry(retry, next) ? again(next) : Effect.fail(next)
                )
            })
          return again(first)
        })
      : Effect.fail(first)
  )

const mayRetry = (retry: Retry, error: CheckFailure): boolean =>
  error._tag === "AttemptTimeout" || retry.while(error)

/** A probe written in JavaScript can end with anything. */
const says = (value: { readonly message: string } | undefined): boolean =>
  typeof value?.message === "string"

const describe = (defect: unknown): string =>
  Either.getOrElse(
    Either.try(() =>
      defect instanceof Error ? String(defect.message) || defect.name : String(defect)
    ),
    () => "something that has no text"
  )

/**
 * The services that a probe may use beside its own: a scope that closes when the run ends.
 *
 * @since 0.1.0
 * @category models
 */
export type ProbeScope = Scope.Scope
