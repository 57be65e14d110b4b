/**
 * The end by force, also of a process whose event loop is blocked: no timer fires there, so a thread of its own
 * waits. It writes the last report that it got and kills the whole process.
 *
 * @internal
 */
import { Duration } from "effect"
import { Worker } from "node:worker_threads"
import { type Change, now, type Order } from "./HardDeadline/Protocol.js"
import { text } from "./HardDeadline/text.js"

export interface HardDeadline {
  /** What to write when it comes to that. */
  readonly tell: (report: string) => void
  readonly shorten: (left: Duration.Duration) => void
}

export const arm = (left: Duration.Duration, report: string): HardDeadline => {
  const order: Order = { report, at: inMillis(left) }
  const worker = new Worker(text, {
    eval: true,
    workerData: order,
    // It must start without anything of the program: no flags, no environment, no standard streams.
    execArgv: [],
    env: {},
    stdin: false
  })
  // Without a thread there is still the platform's own kill.
  worker.on("error", () => {})
  worker.unref()
  const change = (what: Change): void => worker.postMessage(what)
  return {
    tell: (latest) => change({ report: latest }),
    shorten: (time) => change({ at: inMillis(time) })
  }
}

const inMillis = (left: Duration.Duration): number => now() + Duration.toMillis(left)
