/**
 * What the watchdog's thread runs. As text, since a bundle has no other file for it.
 *
 * A gap between two of its own turns is time in which this thread did not run either: the machine
 * slept, the process was stopped, or had no CPU. What was counted before is forgotten then.
 *
 * An exit here would end the thread alone. Through the inspector the main thread can be asked in the
 * middle of a loop where it stands, and to exit; where native code holds it, only a kill ends it.
 *
 * @internal
 */
export const program = `
const { parentPort, workerData } = require("node:worker_threads")
const { writeSync } = require("node:fs")
const { shared, limit, tick, head, tail } = workerData
const names = new Map()
parentPort.on("message", ({ cell, name }) => names.set(cell, name))
const now = () => Number(process.hrtime.bigint()) / 1_000_000
let last = now()
let seen = Atomics.load(shared, 0)
let blocked = 0
const look = () => {
  const at = now()
  const gap = at - last
  last = at
  const turns = Atomics.load(shared, 0)
  const isHeld = Atomics.load(shared, 1) !== 0
  blocked = turns !== seen || isHeld || gap > 3 * tick + 50 ? 0 : blocked + gap
  seen = turns
  if (blocked < limit) return
  clearInterval(timer)
  end()
}
const timer = setInterval(look, tick)

const say = (text) => {
  try {
    writeSync(2, text)
  } catch {}
}
const end = () => {
  const running = [...names].filter(([cell]) => Atomics.load(shared, cell) > 0).map(([, name]) => name)
  const shown = running.slice(0, 10).join(", ") + (running.length > 10 ? " and " + (running.length - 10) + " more" : "")
  say(head + (running.length > 0 ? " while these checks ran: " + shown : " while no check ran") + ". " + tail + "\\n")
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 2000)
  const { Session } = require("node:inspector")
  const session = new Session()
  session.connectToMainThread()
  session.post("Runtime.evaluate", { expression: "Error.stackTraceLimit = 12, new Error().stack" }, (error, answer) => {
    const stack = String(error ? "" : answer.result.value).split("\\n").slice(2, 8)
    if (stack.length > 0) say("It stood here:\\n" + stack.join("\\n") + "\\n")
    session.post("Runtime.evaluate", { expression: "process.reallyExit(70)" })
  })
}
`
