/**
 * Several candidates for one answer, one after the other without waiting for each to the end: name
 * servers, addresses of a host (RFC 8305).
 *
 * @internal
 */
import { type Duration, Effect, Either, Option, Queue, type Scope } from "effect"

/**
 * The first success. The next candidate is tried when the one before has failed or has said nothing
 * for `step`; those before it may still answer. What is still under way at the end is interrupted.
 * Fails with every failure, in their order in time.
 */
export const first = <T, A, E, R>(
  candidates: ReadonlyArray<T>,
  attempt: (candidate: T) => Effect.Effect<A, E, R>,
  step: Duration.DurationInput
): Effect.Effect<A, ReadonlyArray<E>, R> => {
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) {
    return Effect.mapError(attempt(only), (error) => [error])
  }
  return Effect.scoped(
    Effect.flatMap(Queue.unbounded<Either.Either<A, E>>(), (outcomes) =>
      next({ candidates, attempt, step, outcomes, failures: [] }, 0, 0)
    )
  )
}

interface Trial<T, A, E, R> {
  readonly candidates: ReadonlyArray<T>
  readonly attempt: (candidate: T) => Effect.Effect<A, E, R>
  readonly step: Duration.DurationInput
  readonly outcomes: Queue.Queue<Either.Either<A, E>>
  readonly failures: Array<E>
}

type Ended<A, E, R> = Effect.Effect<A, ReadonlyArray<E>, R | Scope.Scope>

const next = <T, A, E, R>(
  trial: Trial<T, A, E, R>,
  index: number,
  running: number
): Ended<A, E, R> => {
  const candidate = trial.candidates[index]
  if (candidate === undefined) return waitFor(trial, index, running)
  return trial.attempt(candidate).pipe(
    Effect.either,
    Effect.flatMap((outcome) => Queue.offer(trial.outcomes, outcome)),
    // Who asks may be uninterruptible, and the fiber would inherit that.
    Effect.interruptible,
    Effect.forkScoped,
    Effect.zipRight(Effect.suspend(() => waitFor(trial, index + 1, running + 1)))
  )
}

const waitFor = <T, A, E, R>(
  trial: Trial<T, A, E, R>,
  index: number,
  running: number
): Ended<A, E, R> => {
  const { candidates, failures, outcomes, step } = trial
  const isLast = index >= candidates.length
  if (running === 0) return isLast ? Effect.fail(failures) : next(trial, index, running)
  // A limit around what cannot be interrupted is none.
  const outcome = Effect.interruptible(Queue.take(outcomes))
  return Effect.flatMap(
    isLast ? Effect.asSome(outcome) : Effect.timeoutOption(outcome, step),
    Option.match({
      onNone: () => next(trial, index, running),
      onSome: Either.match({
        onRight: Effect.succeed,
        onLeft: (failure): Ended<A, E, R> => {
          failures.push(failure)
          return next(trial, index, running - 1)
        }
      })
    })
  )
}
