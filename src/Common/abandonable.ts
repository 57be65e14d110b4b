/**
 * An acquisition that can be given up. The pool of @effect/sql-pg hands a connection also to a fiber that
 * was interrupted while it waited, and never gets it back: so the wait goes on by itself, and what comes of
 * it is released.
 */
import { Effect, Fiber, Option, Scope } from "effect"

/** Belongs to the scope. Interrupted, it comes back at once. */
export const abandonable = <A, E, R>(
  acquire: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const own = yield* Scope.make()
      const waiting = yield* Effect.forkDaemon(Scope.extend(acquire, own))
      yield* Effect.addFinalizer((exit) =>
        Effect.flatMap(Fiber.poll(waiting), (ended) => {
          const release = Scope.close(own, exit)
          return Option.isSome(ended)
            ? release
            : Effect.forkDaemon(Effect.zipRight(Fiber.await(waiting), release))
        })
      )
      return yield* restore(Fiber.join(waiting))
    })
  )
