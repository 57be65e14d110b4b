/** The thread of a hard deadline. An exit would end it alone, so it kills the whole process. */
import { write } from "node:fs"
import { parentPort, workerData } from "node:worker_threads"
import { type Change, now, type Order } from "./Protocol.js"

/** Milliseconds. */
const longestWrite = 200

let { report } = workerData as Order

const kill = (): void => {
  process.kill(process.pid, "SIGKILL")
}

const end = (): void => {
  // A terminal or a pipe that is not read holds no kill up.
  setTimeout(kill, longestWrite)
  write(2, report, kill)
}

const arm = (at: number) => setTimeout(end, at - now())

let timer = arm((workerData as Order).at)

parentPort?.on("message", (change: Change) => {
  report = change.report ?? report
  if (change.at === undefined) return
  clearTimeout(timer)
  timer = arm(change.at)
})
