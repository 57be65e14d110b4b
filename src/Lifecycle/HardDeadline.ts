/**
 * The end by force, also of a process whose event loop is blocked: no timer fires there, so a thread
 * of its own waits. It writes the last report that it was told and kills the whole process, since
 * an exit would end the thread alone.
 *
 * @internal
 */
import { Duration } from "effect"
import { Worker } from "node:worker_threads"

export interface HardDeadline {
  /** What to write when it comes to that. */
  readonly tell: (report: string) => void
  readonly shorten: (left: Duration.Duration) => void
}

export const arm = (left: Duration.Duration, report: string): HardDeadline => {
  const worker = new Worker(program, {
    eval: true,
    workerData: { report, at: inMillis(left) },
    // It must start without anything of the program: no flags, no environment, no standard streams.
    execArgv: [],
    env: {},
    stdin: false
  })
  // Without a thread there is still the platform's own kill.
  worker.on("error", () => {})
  worker.unref()
  return {
    tell: (text) => worker.postMessage({ report: text }),
    shorten: (time) => worker.postMessage({ at: inMillis(time) })
  }
}

/** By the clock of the machine, which all threads share: a thread takes its time to start. */
const inMillis = (left: Duration.Duration): number => now() + Duration.toMillis(left)

const now = (): number => Number(process.hrtime.bigint()) / 1_000_000

/** Milliseconds. */
const longestWrite = 200

const program = `
const { parentPort, workerData } = require("node:worker_threads")
const { write } = require("node:fs")
let { report } = workerData
const kill = () => process.kill(process.pid, "SIGKILL")
const end = () => {
  // A terminal or a pipe that nobody reads holds no kill up.
  setTimeout(kill, ${longestWrite})
  write(2, report, kill)
}
const left = (at) => at - Number(process.hrtime.bigint()) / 1_000_000
let timer = setTimeout(end, left(workerData.at))
parentPort.on("message", (message) => {
  if (message.report !== undefined) report = message.report
  if (message.at === undefined) return
  clearTimeout(timer)
  timer = setTimeout(end, left(message.at))
})
`
