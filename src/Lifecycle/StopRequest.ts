/**
 * How `runMain` asks a program to stop. A program that listens is not interrupted: it serves on,
 * and ends by itself. One that does not is interrupted, as one-shot commands are.
 */
import { Context, type Duration, type Effect, type Scope } from "effect"
import type { Reason } from "./Reason.js"

/**
 * What `runMain` must know of a program that stops by itself. Plain functions: a signal handler
 * calls them.
 */
export interface Listener {
  readonly requestStop: (reason: Reason) => void
  /** From now until the process ends by force. */
  readonly timeLeft: () => Duration.Duration
  /** What still runs, on the first line; then the shutdown as far as it has come. */
  readonly describe: () => string
  /** Called whenever `describe` has something new. */
  readonly watch: (listener: () => void) => void
}

export class StopRequest extends Context.Tag("holter/Lifecycle/StopRequest")<
  StopRequest,
  {
    /** For as long as the scope is open. */
    readonly listen: (listener: Listener) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}
