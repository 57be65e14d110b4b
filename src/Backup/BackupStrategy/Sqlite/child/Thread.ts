/**
 * The thread of SQLite: its calls block, and the child's main thread has to go on compressing, and to
 * see that its parent has ended.
 */
import { isMainThread, parentPort, Worker } from "node:worker_threads"
import { outcome } from "../../../../Common/bracket.js"
import type { Carried } from "./carried.js"
import { Fault, type Report, type Role, toReport } from "./Fault.js"
import type { Progress } from "../Protocol.js"

/** @internal */
export type OnProgress = (progress: Omit<Progress, "_tag">) => void

/** @internal */
export interface Job<A, B> {
  /** What its failures are about. */
  readonly role: (input: A) => Role
  readonly subject: (input: A) => string
  /** What it writes to, if that is something else. */
  readonly target?: (input: A) => string
  readonly run: (input: A, onProgress: OnProgress) => B | Promise<B>
}

/** @internal */
export type Jobs = Readonly<Record<string, Job<never, unknown>>>

type Input<J> = J extends Job<infer A, unknown> ? A : never
type Output<J> = J extends Job<never, infer B> ? B : never

/** @internal */
export type Ask<J extends Jobs> = <K extends keyof J & string>(
  name: K,
  input: Input<J[K]>
) => Promise<Output<J[K]>>

type Reply =
  | { readonly _tag: "Progress"; readonly progress: Omit<Progress, "_tag"> }
  | { readonly _tag: "Done"; readonly value: unknown }
  | { readonly _tag: "Failed"; readonly report: Report }

/** @internal */
export { isMainThread }

/** @internal */
export interface Thread<J extends Jobs> {
  /** One call at a time is run, in the order of the calls. */
  readonly ask: Ask<J>
  /** Waits for a call that runs. */
  readonly end: () => Promise<unknown>
}

/** @internal */
export const start = <J extends Jobs>(carried: Carried, onProgress: OnProgress): Thread<J> => {
  const worker = new Worker(loader, { eval: true, workerData: carried })
  const waiting: Array<{ resolve: (value: never) => void; reject: (error: Error) => void }> = []
  worker.on("message", (reply: Reply) => {
    if (reply._tag === "Progress") return onProgress(reply.progress)
    const call = waiting.shift()
    if (reply._tag === "Done") call?.resolve(reply.value as never)
    else call?.reject(new Fault(reply.report))
  })
  worker.on("error", (error) => {
    for (const call of waiting.splice(0)) call.reject(error)
  })
  const ask: Ask<J> = (name, input) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      worker.postMessage({ name, input })
    })
  return { ask, end: () => worker.terminate() }
}

const loader = `const { workerData } = require("node:worker_threads")
require("node:vm").compileFunction(workerData.text, ["require", "carried"])(require, workerData)`

/** The other side. @internal */
export const serve = (jobs: Jobs): void => {
  const reply = (message: Reply) => parentPort?.postMessage(message)
  let last: Promise<unknown> = Promise.resolve()
  parentPort?.on("message", ({ input, name }: { readonly name: string; readonly input: never }) => {
    const job = jobs[name]
    if (job === undefined) return
    last = last
      .then(() =>
        outcome(() =>
          job.run(input, (progress) => {
            reply({ _tag: "Progress", progress })
          })
        )
      )
      .then((result) => {
        reply(
          result.ok
            ? { _tag: "Done", value: result.value }
            : {
                _tag: "Failed",
                report: toReport(
                  result.error,
                  job.role(input),
                  job.subject(input),
                  job.target?.(input)
                )
              }
        )
      })
  })
}
