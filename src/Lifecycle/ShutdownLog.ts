/**
 * What happens during a shutdown, as it happens: the report can be taken at any moment, also by a
 * signal handler.
 *
 * @internal
 */
import { Cause, DateTime, Duration, type Exit } from "effect"
import type { Entry, Ended, ShutdownReport } from "./ShutdownReport.js"

export interface Head {
  readonly reason: string
  readonly requestedAt: number
  readonly grace: Duration.Duration
}

interface Line {
  readonly phase: string
  readonly hook: string
  readonly started: number
  readonly limit: Duration.Duration
  readonly notes: Array<string>
  took: number | undefined
  ended: Ended
  message: string | undefined
}

/** Times are milliseconds since the stop was requested, by the clock that is given. */
export class ShutdownLog {
  fault: string | undefined
  phase: string | undefined
  private readonly lines: Array<Line> = []
  private readonly listeners = new Set<() => void>()
  private over: number | undefined

  constructor(
    readonly head: Head,
    readonly elapsed: () => number
  ) {}

  /** Called at every change. */
  watch(listener: () => void): void {
    this.listeners.add(listener)
  }

  /** From here on until the returned function is called the hook is running. */
  begin(
    phase: string,
    hook: string,
    limit: Duration.Duration
  ): (ended: Ended, message?: string) => void {
    const line: Line = {
      phase,
      hook,
      started: this.elapsed(),
      limit,
      notes: [],
      took: undefined,
      ended: "running",
      message: undefined
    }
    this.lines.push(line)
    this.changed()
    return (ended, message) => {
      line.took = this.elapsed() - line.started
      line.ended = ended
      line.message = message
      this.changed()
    }
  }

  /** For the hook that runs now. */
  note(text: string): void {
    this.lines.findLast(({ ended }) => ended === "running")?.notes.push(text)
    this.changed()
  }

  enter(phase: string | undefined): void {
    this.phase = phase
    this.changed()
  }

  end(): void {
    this.over = this.elapsed()
    this.enter(undefined)
  }

  report(): ShutdownReport {
    const now = this.over ?? this.elapsed()
    return {
      reason: this.head.reason,
      ...(this.fault === undefined ? {} : { fault: this.fault }),
      requested_at: DateTime.unsafeMake(this.head.requestedAt),
      grace_ms: Duration.toMillis(this.head.grace),
      took_ms: round(now),
      ...(this.phase === undefined ? {} : { phase: this.phase }),
      entries: this.lines.map((line) => entryOf(line, now))
    }
  }

  changed(): void {
    for (const listener of this.listeners) listener()
  }
}

const entryOf = (line: Line, now: number): Entry => ({
  phase: line.phase,
  hook: line.hook,
  started_ms: round(line.started),
  took_ms: round(line.took ?? now - line.started),
  limit_ms: Duration.toMillis(line.limit),
  ended: line.ended,
  ...(line.message === undefined ? {} : { message: line.message }),
  notes: [...line.notes]
})

const round = (millis: number): number => Math.round(millis * 10) / 10

/** How a hook ended, and why if it did not complete. */
export const endOf = (exit: Exit.Exit<unknown, unknown>): readonly [Ended, string?] => {
  if (exit._tag === "Success") return ["completed"]
  if (Cause.isInterruptedOnly(exit.cause)) return ["interrupted"]
  const message = messageOf(Cause.squash(exit.cause))
  return [Cause.isFailure(exit.cause) ? "failed" : "died", message]
}

const messageOf = (error: unknown): string => {
  const [line = ""] = Cause.pretty(Cause.fail(error)).split("\n", 1)
  return line
}
