/**
 * What is built from the configuration piece by piece, each piece with a scope of its own, so that one
 * can be exchanged while the others go on.
 */
import { Effect, Equal, ExecutionStrategy, Exit, Scope, Utils } from "effect"

export interface Piece {
  readonly name: string
  /** Two of the same name and entry are one and the same. */
  readonly entry: unknown
}

/** What has to be done until there is what is wanted. */
export interface Difference<P extends Piece> {
  readonly added: ReadonlyArray<P>
  /** Others under the same name. */
  readonly changed: ReadonlyArray<P>
  readonly removed: ReadonlyArray<string>
  readonly kept: ReadonlyArray<string>
}

export interface Pieces<P extends Piece, E = never> {
  readonly difference: (wanted: ReadonlyArray<P>) => Difference<P>
  /** Builds in a scope of its own, of which nobody knows yet. What cannot be built leaves nothing. */
  readonly stage: <E2, R>(
    build: (scope: Scope.Scope) => Effect.Effect<void, E2, R>
  ) => Effect.Effect<Scope.CloseableScope, E | E2, R>
  /** It is known from now on, and what had its name is not; what comes back closes that. */
  readonly put: (piece: P, scope: Scope.CloseableScope) => Effect.Effect<void>
  /** It is no longer known from now on; what comes back closes it. */
  readonly take: (name: string) => Effect.Effect<void>
}

/** The parent is asked for when there is something to build. */
export const make = <P extends Piece, E = never>(
  parent: Effect.Effect<Scope.Scope, E>
): Pieces<P, E> => {
  const built = new Map<string, { readonly piece: P; readonly scope: Scope.CloseableScope }>()
  const take = (name: string) => {
    const known = built.get(name)
    built.delete(name)
    return known === undefined ? Effect.void : closed(known.scope)
  }
  return {
    difference: (wanted) => {
      const isKnown = ({ name }: P) => built.has(name)
      const isSame = (piece: P) => same(piece.entry, built.get(piece.name)?.piece.entry)
      const names = new Set(wanted.map(({ name }) => name))
      return {
        added: wanted.filter((piece) => !isKnown(piece)),
        changed: wanted.filter((piece) => isKnown(piece) && !isSame(piece)),
        removed: [...built.keys()].filter((name) => !names.has(name)),
        kept: wanted.filter((piece) => isKnown(piece) && isSame(piece)).map(({ name }) => name)
      }
    },
    stage: (build) =>
      Effect.gen(function* () {
        const scope = yield* Scope.fork(yield* parent, ExecutionStrategy.sequential)
        yield* Effect.onError(build(scope), () => closed(scope))
        return scope
      }),
    put: (piece, scope) => {
      const close = take(piece.name)
      built.set(piece.name, { piece, scope })
      return close
    },
    take
  }
}

/** What does not close in time is left behind, and closes when it can. */
export const closed = (scope: Scope.CloseableScope): Effect.Effect<void> =>
  Effect.forkDaemon(Scope.close(scope, Exit.void)).pipe(
    Effect.flatMap((fiber) => fiber.await),
    Effect.timeoutOption("5 seconds"),
    Effect.asVoid
  )

/** By what is in them; secrets by their values. */
export const same = (one: unknown, other: unknown): boolean =>
  Utils.structuralRegion(() => Equal.equals(one, other))
