/**
 * What is around a probe while it runs: the services of its check, a scope that ends with the run,
 * loggers and a tracer that see no secrets.
 *
 * @internal
 */
import { Context, DefaultServices, Effect, FiberRef, Scope, Tracer } from "effect"
import * as Excerpt from "../Common/Excerpt.js"
import { scrubbedLoggers } from "../Common/ScrubbedLogs.js"
import { scrubbedTracer, withScrubbedSpan } from "../Common/ScrubbedSpans.js"
import type { Secrets } from "../Common/Secrets.js"

/**
 * Of who runs it the probe has nothing: a client that the caller happens to have is not the check's.
 *
 * To be run in a fiber of its own, in which it is the last: what it sets it does not set back.
 * `Effect.scoped`, `Effect.provide` and `Effect.locally`, one around the other, do, and cost more
 * than a small probe.
 */
export const provide = <A, E, R>(
  probe: Effect.Effect<A, E, R>,
  services: Context.Context<Exclude<R, Scope.Scope>>,
  secrets: Secrets
): Effect.Effect<A, E> => {
  const own = Excerpt.among(withScrubbedSpan(services, secrets), secrets)
  const enter = (scope: Scope.Scope) =>
    FiberRef.set(FiberRef.currentContext, Context.add(own, Scope.Scope, scope))
  // The context has all that the probe needs, which a set of it does not tell the compiler.
  // @effect-diagnostics-next-line unsafeEffectTypeAssertion:off
  const hiding = hideSecrets(probe as Effect.Effect<A, E>, secrets)
  return Effect.scopedWith((scope) => Effect.zipRight(enter(scope), hiding))
}

const hideSecrets = <A, E>(probe: Effect.Effect<A, E>, secrets: Secrets): Effect.Effect<A, E> => {
  if (secrets.values.size === 0) return probe
  const fromTracer = scrubbedTracer(secrets)
  const unseen = Effect.withFiberRuntime<A, E>(({ currentTracer }) => {
    const blind = fromTracer(currentTracer)
    return blind === currentTracer
      ? probe
      : Effect.zipRight(
          FiberRef.update(DefaultServices.currentServices, Context.add(Tracer.Tracer, blind)),
          probe
        )
  })
  return Effect.zipRight(FiberRef.update(FiberRef.currentLoggers, scrubbedLoggers(secrets)), unseen)
}
