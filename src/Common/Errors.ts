/** What errors of Node and of drivers carry. Pure: the child process for SQLite reads them as well. */
import { Inspectable } from "effect"

/**
 * `ECONNREFUSED`, `ENOSPC`, `SQLITE_BUSY`: the code of an error, of the first of several that came together, or
 * of what it wraps.
 */
export const codeOf = (error: unknown): string | undefined => {
  if (typeof error !== "object" || error === null) return undefined
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if ("code" in error && typeof error.code === "string") return error.code
  return "cause" in error ? codeOf(error.cause) : undefined
}

/** What an error says of itself; the value itself where somebody threw none. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : Inspectable.toStringUnknown(error)
