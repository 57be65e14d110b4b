/**
 * A connection that is opened when it is first needed, kept between beats, and opened anew after it
 * failed. A server that is down at start makes a check unhealthy, not the program fail.
 *
 * @internal
 */
import { Cause, Effect, ExecutionStrategy, Exit, Scope } from "effect"

export interface KeptConnection<A, E> {
  /** The open connection, or a new one. Fibers that ask at the same time wait for the same one. */
  readonly get: Effect.Effect<A, E>
  /** Closes the connection in the background; the next `get` opens a new one. */
  readonly drop: Effect.Effect<void>
  /**
   * Uses the connection and drops it when the use failed in a way that `broken` says so, died, or
   * was interrupted: after that nobody knows what still travels on it. Its scope closes with the
   * interruption, if that is why: who hangs takes no goodbye.
   */
  readonly use: <B, E2, R>(
    f: (connection: A) => Effect.Effect<B, E2, R>,
    broken?: (error: E2) => boolean
  ) => Effect.Effect<B, E | E2, R>
}

export const make = <A, E>(
  open: Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<KeptConnection<A, E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const owner = yield* Effect.scope
    const opening = yield* Effect.makeSemaphore(1)
    let kept: { readonly connection: A; readonly scope: Scope.CloseableScope } | undefined

    const openKept = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        if (kept !== undefined) return kept.connection
        const scope = yield* Scope.fork(owner, ExecutionStrategy.sequential)
        const connection = yield* restore(Scope.extend(open, scope)).pipe(
          Effect.onError((cause) => Effect.forkDaemon(Scope.close(scope, Exit.failCause(cause))))
        )
        kept = { connection, scope }
        return connection
      })
    )

    const get = Effect.suspend(() =>
      kept === undefined ? opening.withPermits(1)(openKept) : Effect.succeed(kept.connection)
    )

    const drop = (exit: Exit.Exit<unknown, unknown>, isMeant: (connection: A) => boolean) =>
      Effect.suspend(() => {
        if (kept === undefined || !isMeant(kept.connection)) return Effect.void
        const { scope } = kept
        kept = undefined
        return Effect.asVoid(Effect.forkDaemon(Scope.close(scope, exit)))
      })

    return {
      get,
      drop: drop(Exit.void, () => true),
      use: (f, broken = () => true) =>
        Effect.uninterruptibleMask((restore) => {
          const useIt = (connection: A) =>
            // Not `onExit`, for which a use that succeeds would pay too.
            Effect.catchAllCause(restore(f(connection)), (cause) =>
              cause._tag === "Fail" && !broken(cause.error)
                ? Effect.failCause(cause)
                : // A use that ends late must not take away the connection that came after its own.
                  Effect.zipRight(
                    drop(
                      Cause.isInterrupted(cause) ? Exit.failCause(cause) : Exit.void,
                      (current) => current === connection
                    ),
                    Effect.failCause(cause)
                  )
            )
          return kept === undefined ? Effect.flatMap(restore(get), useIt) : useIt(kept.connection)
        })
    }
  })
