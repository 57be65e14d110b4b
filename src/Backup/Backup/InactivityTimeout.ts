/**
 * An end for work on a store that does not go on any more: a share whose server went away keeps its
 * callers waiting for good.
 */
import { Duration, Effect, Fiber, Ref } from "effect"
import type { BackupError } from "../BackupError.js"

/**
 * Gives the work a function to call at each sign that it goes on. Where none comes for so long, the
 * work is left alone, and this fails; what it still holds, it gives back once it is answered.
 *
 * @internal
 */
export const within = <A, R>(
  patience: Duration.Duration,
  onStall: () => BackupError,
  work: (alive: Effect.Effect<void>) => Effect.Effect<A, BackupError, R>
): Effect.Effect<A, BackupError, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const signs = yield* Ref.make(0)
      const alive = Ref.update(signs, (count) => count + 1)
      const watch = (before: number): Effect.Effect<never, BackupError> =>
        Effect.gen(function* () {
          yield* Effect.sleep(patience)
          const now = yield* Ref.get(signs)
          return now === before ? yield* onStall() : yield* watch(now)
        })
      // Of no scope: whoever ends one would wait for the work.
      const fiber = yield* Effect.forkDaemon(restore(work(alive)))
      return yield* restore(Effect.raceFirst(Fiber.join(fiber), watch(0))).pipe(
        Effect.onInterrupt(() => Fiber.interrupt(fiber)),
        Effect.tapError(() => Fiber.interruptFork(fiber))
      )
    })
  )
