/**
 * The watchdog's thread.
 *
 * A gap between two of its own turns is time in which this thread did not run either: the machine slept, the
 * process was stopped, or had no CPU. What was counted before is forgotten then.
 *
 * An exit here would end the thread alone. Through the inspector the main thread can be asked in the middle of
 * a loop where it stands, and to exit; where native code holds it, only a kill ends it.
 */
import { writeSync } from "node:fs"
import { Session } from "node:inspector"
import { parentPort, workerData } from "node:worker_threads"
import { attempt } from "../../Common/bracket.js"
import { held, type Named, type Order, turns } from "./Protocol.js"

const { head, limit, shared, tail, tick } = workerData as Order
const mostShown = 10
const names = new Map<number, string>()

parentPort?.on("message", ({ cell, name }: Named) => names.set(cell, name))

const now = (): number => Number(process.hrtime.bigint()) / 1_000_000

let last = now()
let seen = Atomics.load(shared, turns)
let blocked = 0

const look = (): void => {
  const at = now()
  const gap = at - last
  last = at
  const turned = Atomics.load(shared, turns)
  const isHeld = Atomics.load(shared, held) !== 0
  blocked = turned !== seen || isHeld || gap > 3 * tick + 50 ? 0 : blocked + gap
  seen = turned
  if (blocked < limit) return
  clearInterval(timer)
  end()
}
const timer = setInterval(look, tick)

const say = (text: string): void => {
  attempt(() => writeSync(2, text))
}

const running = (): string => {
  const all = [...names].flatMap(([cell, name]) => (Atomics.load(shared, cell) > 0 ? [name] : []))
  if (all.length === 0) return "while no check ran"
  const more = all.length > mostShown ? ` and ${all.length - mostShown} more` : ""
  return `while these checks ran: ${all.slice(0, mostShown).join(", ")}${more}`
}

const end = (): void => {
  say(`${head} ${running()}. ${tail}\n`)
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 2000)
  const session = new Session()
  session.connectToMainThread()
  session.post(
    "Runtime.evaluate",
    { expression: "Error.stackTraceLimit = 12, new Error().stack" },
    (error, answer) => {
      const value: unknown = error === null ? answer.result.value : undefined
      const stack = typeof value === "string" ? value.split("\n").slice(2, 8) : []
      if (stack.length > 0) say(`It stood here:\n${stack.join("\n")}\n`)
      session.post("Runtime.evaluate", { expression: "process.reallyExit(70)" })
    }
  )
}
