/**
 * A connection that is opened when it is first needed, kept between beats, and opened anew after it
 * failed. A server that is down at start makes a check unhealthy, not the program fail.
 *
 * @internal
 */
import { Effect, ExecutionStrategy, Exit, Scope } from "effect"

export interface KeptConnection<A, E> {
  /** The open connection, or a new one. Fibers that ask at the same time wait for the same one. */
  readonly get: Effect.Effect<A, E>
  /** Closes the connection in the background; the next `get` opens a new one. */
  readonly drop: Effect.Effect<void>
  /**
   * Uses the connection and drops it when the use failed in a way that `broken` says so, died, or
   * was interrupted: after that nobody knows what still travels on it.
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

    const dropIf = (isMeant: (connection: A) => boolean) =>
      Effect.suspend(() => {
        if (kept === undefined || !isMeant(kept.connection)) return Effect.void
        const { scope } = kept
        kept = undefined
        return Effect.asVoid(Effect.forkDaemon(Scope.close(scope, Exit.void)))
      })

    return {
      get,
      drop: dropIf(() => true),
      use: (f, broken = () => true) =>
        Effect.flatMap(get, (connection) =>
          Effect.onExit(f(connection), (exit) =>
            Exit.isSuccess(exit) || (exit.cause._tag === "Fail" && !broken(exit.cause.error))
              ? Effect.void
              : // A use that ends late must not take away the connection that came after its own.
                dropIf((current) => current === connection)
          )
        )
    }
  })
