/** The step of a restore that replaces the present. */
import { Effect, Fiber } from "effect"
import type { BackupError } from "./BackupError.js"
import type { RestoreOptions } from "./BackupStrategy/Strategy.js"

type Telling = Pick<RestoreOptions, "onOutcome">

interface Step<A, R> {
  readonly run: Effect.Effect<A, BackupError, R>
  readonly setAside: (done: A) => string | undefined
}

/**
 * As one whole: not to be interrupted, so that its end is known and told before an interruption goes on.
 *
 * In a fiber of nobody's: an interruption reaches the children of a fiber also where it is not to be
 * interrupted, and so ends each race and each timeout in it.
 *
 * @internal
 */
export const whole = <A, R>(telling: Telling, step: Step<A, R>): Effect.Effect<A, BackupError, R> =>
  told(telling, step).pipe(
    Effect.interruptible,
    Effect.forkDaemon,
    Effect.flatMap(Fiber.join),
    Effect.uninterruptible
  )

/**
 * For a step that has to be broken off when it is no longer wanted: what has become of the present is
 * then not known.
 *
 * @internal
 */
export const breakable = <A, R>(
  telling: Telling,
  { run, setAside }: Step<A, R>
): Effect.Effect<A, BackupError, R> =>
  Effect.uninterruptibleMask((restore) => told(telling, { run: restore(run), setAside }))

const told = <A, R>({ onOutcome = () => Effect.void }: Telling, { run, setAside }: Step<A, R>) =>
  onOutcome({ _tag: "Unknown" }).pipe(
    Effect.zipRight(run),
    Effect.tapBoth({
      onFailure: (error) => onOutcome({ _tag: "Failed", error }),
      onSuccess: (done) => onOutcome({ _tag: "Replaced", setAside: setAside(done) })
    })
  )
