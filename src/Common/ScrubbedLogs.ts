/**
 * Log lines without secrets.
 *
 * @since 0.1.0
 */
import { Cause, Effect, FiberRef, HashMap, HashSet, Inspectable, List, Logger } from "effect"
import type { Secrets } from "./Secrets.js"

/**
 * A logger that sees messages, annotations and causes only after they were scrubbed.
 *
 * @since 0.1.0
 * @category combinators
 */
export const scrubbed =
  (secrets: Secrets) =>
  <Output>(logger: Logger.Logger<unknown, Output>): Logger.Logger<unknown, Output> =>
    Logger.make((options) =>
      logger.log({
        ...options,
        message: clean(options.message, secrets),
        cause: scrubCause(options.cause, secrets),
        annotations: HashMap.map(options.annotations, (value) => clean(value, secrets)),
        spans: List.map(options.spans, (span) => ({ ...span, label: secrets.scrub(span.label) }))
      })
    )

/**
 * Runs an effect whose log lines, and those of every fiber it starts, are scrubbed.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withScrubbedLogs = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  secrets: Secrets
): Effect.Effect<A, E, R> =>
  secrets.values.size === 0
    ? effect
    : // Layers would be built anew for each run; the loggers of a fiber are swapped for nothing.
      Effect.flatMap(FiberRef.get(FiberRef.currentLoggers), (loggers) =>
        Effect.locally(effect, FiberRef.currentLoggers, HashSet.map(loggers, scrubbed(secrets)))
      )

/**
 * Every value as it is, unless it would print a secret. Errors, URLs and other objects print
 * themselves in ways of their own, so it is their text that is searched; what lies in their fields
 * is searched too, as some loggers print that. A value that is not clean is replaced by a clean text
 * or by plain data, never changed: the program goes on to use it.
 */
const clean = (value: unknown, secrets: Secrets): unknown => {
  const seen = new Set<object>()
  const go = (inner: unknown): unknown => {
    if (typeof inner === "string") return secrets.scrub(inner)
    if (typeof inner !== "object" || inner === null || seen.has(inner)) return inner
    seen.add(inner)
    if (inner instanceof Map || inner instanceof Set) return same(inner, [...inner], go)
    const text = inner instanceof Error ? printed(inner) : Inspectable.toStringUnknown(inner)
    const isPlain = Array.isArray(inner) || Object.getPrototypeOf(inner) === Object.prototype
    const scrubbedText = isPlain ? text : secrets.scrub(text)
    return scrubbedText === text ? same(inner, inner, go) : scrubbedText
  }
  return go(value)
}

const printed = (error: Error): string =>
  error.stack?.includes(error.message) === true
    ? error.stack
    : `${String(error)}\n${error.stack ?? ""}`

/** `value` itself if nothing in its parts changes, else its parts as plain data. */
const same = (value: object, parts: object, go: (inner: unknown) => unknown): unknown => {
  const before = Object.entries(parts)
  const after = before.map(([key, part]) => [key, go(part)] as const)
  if (after.every(([, part], index) => part === before[index]?.[1])) return value
  return Array.isArray(parts) ? after.map(([, part]) => part) : Object.fromEntries(after)
}

const scrubCause = (cause: Cause.Cause<unknown>, secrets: Secrets): Cause.Cause<unknown> => {
  if (Cause.isEmpty(cause)) return cause
  const text = Cause.pretty(cause, { renderErrorCause: true })
  const scrubbedText = secrets.scrub(text)
  return scrubbedText === text ? cause : Cause.fail(scrubbedText)
}
