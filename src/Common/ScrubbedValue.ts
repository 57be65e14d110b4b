/**
 * Values of any kind without secrets, for those who print them in ways of their own.
 *
 * @internal
 */
import { Cause, Chunk, Inspectable } from "effect"
import type { Secrets } from "./Secrets.js"

/**
 * The value itself, unless it would print a secret: then a clean text, or plain data. It is never
 * changed, as the program goes on to use it.
 */
export const cleanValue = (value: unknown, secrets: Secrets): unknown =>
  holdsSecret(value, secrets, new Set()) ? copied(value, secrets, []) : value

/** The cause itself, or one failure with the clean text of it. */
export const cleanCause = <E>(
  cause: Cause.Cause<E>,
  secrets: Secrets
): Cause.Cause<E> | Cause.Cause<string> => {
  if (Cause.isEmpty(cause)) return cause
  const text = Cause.pretty(cause, { renderErrorCause: true })
  const scrubbedText = secrets.scrub(text)
  const isClean = (value: unknown) => !holdsSecret(value, secrets, new Set())
  return scrubbedText === text &&
    Chunk.every(Cause.failures(cause), isClean) &&
    Chunk.every(Cause.defects(cause), isClean)
    ? cause
    : Cause.fail(scrubbedText)
}

/** With the names of the parts, as a map may have secrets as keys. */
export const cleanRecord = (
  record: Readonly<Record<string, unknown>>,
  secrets: Secrets
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).map(([key, value]) => [secrets.scrub(key), cleanValue(value, secrets)])
  )

const holdsSecret = (value: unknown, secrets: Secrets, seen: Set<object>): boolean => {
  const go = (inner: unknown): boolean => {
    if (typeof inner === "string") return secrets.scrub(inner) !== inner
    if (typeof inner !== "object" || inner === null || seen.has(inner)) return false
    seen.add(inner)
    const text = textOf(inner)
    return (
      (text !== undefined && go(text)) ||
      Object.entries(partsOf(inner)).some(([key, part]) => go(key) || go(part))
    )
  }
  return go(value)
}

const copied = (value: unknown, secrets: Secrets, around: ReadonlyArray<object>): unknown => {
  if (typeof value === "string") return secrets.scrub(value)
  if (typeof value !== "object" || value === null) return value
  if (around.includes(value)) return "[circular]"
  if (!holdsSecret(value, secrets, new Set())) return value
  const text = textOf(value)
  if (text !== undefined) {
    const scrubbedText = secrets.scrub(text)
    if (value instanceof Error || scrubbedText !== text) return scrubbedText
  }
  const parts = partsOf(value)
  const copy = (part: unknown) => copied(part, secrets, [...around, value])
  return Array.isArray(parts)
    ? parts.map(copy)
    : Object.fromEntries(
        Object.entries(parts).map(([key, part]) => [secrets.scrub(key), copy(part)])
      )
}

/** Errors, URLs and other objects print themselves in ways of their own. */
const textOf = (value: object): string | undefined => {
  if (value instanceof Error) return Cause.pretty(Cause.fail(value), { renderErrorCause: true })
  return isPlain(value) ? undefined : Inspectable.toStringUnknown(value)
}

const isPlain = (value: object): boolean =>
  value instanceof Map ||
  value instanceof Set ||
  Array.isArray(value) ||
  Object.getPrototypeOf(value) === Object.prototype

/** What some loggers print of it, beside its text. */
const partsOf = (value: object): object => {
  if (value instanceof Map || value instanceof Set) return Array.from<unknown>(value)
  return value instanceof Error ? { ...value, message: value.message, cause: value.cause } : value
}
