/**
 * Thousands of files, looked at by a thread of their own.
 *
 * Each call of Node's file system goes to a thread and comes back, five times for a backup: for ten thousand
 * of them that is a second, and several on a busy machine. A thread that waits for each call itself takes a
 * quarter of one, and where the disk gives no answer it is not the event loop that stands still.
 *
 * @internal
 */
import { Effect } from "effect"
import { Worker } from "node:worker_threads"
import { atOnce, type Order, type Plain } from "./Crowd/Protocol.js"
import { text } from "./Crowd/text.js"

export type { Plain }

/** From so many on a thread pays for its start. */
export const many = atOnce

/**
 * By name, what is a plain file, with its text where that is wanted. All that is odd about another one is for
 * `LocalObject.look` to say: a link, a directory, an error.
 */
export const look = (order: Order): Effect.Effect<ReadonlyMap<string, Plain>> =>
  Effect.async((resume) => {
    const found = new Map<string, Plain>()
    const worker = new Worker(text, {
      eval: true,
      workerData: order,
      execArgv: [],
      env: {},
      stdin: false
    })
    const done = () => {
      resume(Effect.succeed(found))
    }
    worker.on("message", (some: ReadonlyArray<Plain>) => {
      for (const one of some) found.set(one.name, one)
    })
    // What it did not get to is looked at the other way.
    worker.on("error", done)
    worker.on("exit", done)
    return Effect.sync(() => {
      // Not waited for: it may be in a call that never returns.
      void worker.terminate()
    })
  })
