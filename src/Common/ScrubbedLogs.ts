/**
 * Log lines without secrets.
 *
 * @since 0.1.0
 */
import {
  Cause,
  Chunk,
  Effect,
  FiberRef,
  HashMap,
  HashSet,
  identity,
  Inspectable,
  List,
  Logger
} from "effect"
import type { Secrets } from "./Secrets.js"

/**
 * A logger that sees messages, annotations and causes only after they were scrubbed.
 *
 * @since 0.1.0
 * @category combinators
 */
const scrubbed =
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
 * Makes effects run with log lines, and those of every fiber they start, scrubbed.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withScrubbedLogs = (
  secrets: Secrets
): (<A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) => {
  if (secrets.values.size === 0) return identity
  // Loggers hardly ever change between two runs, and wrapping them anew costs more than a probe.
  let known: Loggers | undefined
  let wrapped: Loggers = HashSet.empty()
  return Effect.locallyWith(FiberRef.currentLoggers, (loggers) => {
    if (loggers !== known) {
      known = loggers
      wrapped = HashSet.map(loggers, scrubbed(secrets))
    }
    return wrapped
  })
}

type Loggers = HashSet.HashSet<Logger.Logger<unknown, unknown>>

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
    if (inner instanceof Error) return cleanError(inner, go)
    if (Array.isArray(inner) || Object.getPrototypeOf(inner) === Object.prototype) {
      return same(inner, inner, go)
    }
    const text = Inspectable.toStringUnknown(inner)
    const scrubbedText = secrets.scrub(text)
    return scrubbedText === text ? same(inner, inner, go) : scrubbedText
  }
  return go(value)
}

const cleanError = (error: Error, go: (inner: unknown) => unknown): unknown => {
  const text = Cause.pretty(Cause.fail(error), { renderErrorCause: true })
  const parts = { ...error, text, message: error.message, cause: error.cause }
  return same(parts, parts, go) === parts ? error : go(text)
}

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
  const isClean = (value: unknown) => clean(value, secrets) === value
  return scrubbedText === text &&
    Chunk.every(Cause.failures(cause), isClean) &&
    Chunk.every(Cause.defects(cause), isClean)
    ? cause
    : Cause.fail(scrubbedText)
}
