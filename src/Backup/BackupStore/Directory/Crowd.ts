/**
 * Thousands of backups, looked at by a thread of their own.
 *
 * Each call of Node's file system goes to a thread and comes back, five times for a backup: for ten thousand
 * of them that is a second, and several on a busy machine. A thread that waits for each call itself takes a
 * quarter of one, and where the disk gives no answer it is not the event loop that stands still.
 *
 * @internal
 */
import { Effect } from "effect"
import { Worker } from "node:worker_threads"
import * as LocalFiles from "../../LocalFiles.js"
import * as Manifest from "../../Manifest.js"

/** A backup that is a file, and the text of its manifest; null where it has none. */
export interface Plain {
  readonly bytes: number
  readonly text: string | null
}

/** From so many on a thread pays for its start. */
export const many = 256

/**
 * By name, what is a plain file with a plain manifest or none. All that is odd about another one is for
 * `Look.at` to say: a link, a directory, an error.
 */
export const look = (
  directory: string,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyMap<string, Plain>> =>
  Effect.async((resume) => {
    const found = new Map<string, Plain>()
    const worker = new Worker(program, {
      eval: true,
      workerData: {
        directory,
        names,
        manifests: names.map(Manifest.fileOf),
        reading: LocalFiles.reading,
        largest: LocalFiles.largestText
      },
      execArgv: [],
      env: {},
      stdin: false
    })
    const done = () => {
      resume(Effect.succeed(found))
    }
    worker.on("message", (some: ReadonlyArray<readonly [string, number, string | null]>) => {
      for (const [name, bytes, text] of some) found.set(name, { bytes, text })
    })
    // What it did not get to is looked at the other way.
    worker.on("error", done)
    worker.on("exit", done)
    return Effect.sync(() => {
      // Not waited for: it may be in a call that never returns.
      void worker.terminate()
    })
  })

const program = `
const { parentPort, workerData } = require("node:worker_threads")
const fs = require("node:fs")
const { join } = require("node:path")
const { directory, names, manifests, reading, largest } = workerData

const opened = (file) => {
  try {
    return fs.openSync(file, reading)
  } catch (error) {
    if (error.code === "ENOENT") return undefined
    throw error
  }
}
const textOf = (file) => {
  const descriptor = opened(file)
  if (descriptor === undefined) return null
  try {
    const stat = fs.fstatSync(descriptor)
    if (!stat.isFile() || stat.size > largest) throw new Error("not plain")
    const bytes = Buffer.allocUnsafe(stat.size)
    if (fs.readSync(descriptor, bytes, 0, stat.size, 0) !== stat.size) throw new Error("not whole")
    return bytes.toString("utf8")
  } finally {
    fs.closeSync(descriptor)
  }
}
let some = []
const send = () => {
  parentPort.postMessage(some)
  some = []
}
for (const [index, name] of names.entries()) {
  try {
    const stat = fs.lstatSync(join(directory, name))
    if (stat.isFile()) some.push([name, stat.size, textOf(join(directory, manifests[index]))])
  } catch {}
  if (some.length === 256) send()
}
send()
`
