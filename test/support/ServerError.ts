/** The one error of the test support: which server, what was tried, what it said. */
import * as Data from "effect/Data"

export class ServerError extends Data.TaggedError("ServerError")<{
  readonly server: string
  readonly operation: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.server}: ${this.operation}: ${this.detail}`
  }
}

/** A `ServerError` from whatever a driver or Node threw. */
export const fromUnknown =
  (server: string, operation: string) =>
  (cause: unknown): ServerError =>
    cause instanceof ServerError
      ? cause
      : new ServerError({
          server,
          operation,
          detail: cause instanceof Error ? cause.message : String(cause),
          cause
        })
