/**
 * Resources of the child, which does without Effect: effect's modules alone would take more memory
 * than all of its work.
 */

import { Either } from "effect"

/** @internal */
export const bracket = <A, B>(
  acquire: () => A,
  use: (resource: A) => B,
  release: (resource: A) => void
): B => {
  const resource = acquire()
  // eslint-disable-next-line no-restricted-syntax -- the one place of the child that needs it, see above
  try {
    return use(resource)
  } finally {
    release(resource)
  }
}

/** @internal */
export const bracketAsync = async <A, B>(
  acquire: () => A,
  use: (resource: A) => Promise<B>,
  release: (resource: A) => void
): Promise<B> => {
  const resource = acquire()
  return use(resource).finally(() => {
    release(resource)
  })
}

/** What a call gives, or undefined where it throws. @internal */
export const attempt = <A>(call: () => A): A | undefined => Either.getOrUndefined(Either.try(call))

/** Another way, where a call throws an error of the given kind. @internal */
export const orElse = <A>(
  call: () => A,
  isMet: (error: Error) => boolean,
  other: (error: Error) => A
): A => {
  const tried = Either.try({ try: call, catch: (error) => error })
  if (Either.isRight(tried)) return tried.right
  const error = tried.left
  if (error instanceof Error && isMet(error)) return other(error)
  throw error
}

/** What a call throws, as a value. @internal */
export const outcome = async <A>(
  call: () => A | Promise<A>
): Promise<
  { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: unknown }
> =>
  Promise.resolve()
    .then(call)
    .then(
      (value) => ({ ok: true as const, value }),
      (error: unknown) => ({ ok: false as const, error })
    )
