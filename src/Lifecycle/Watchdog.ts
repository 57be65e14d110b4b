/**
 * Ends a process whose event loop is blocked before any signal came.
 *
 * Such a process beats no more, sends no alert and hears no signal, and everything outside takes it
 * for alive. A thread of its own looks whether the loop still turns. It counts only time in which
 * it ran itself, so that a machine that slept, a process that was stopped (SIGSTOP) and a debugger
 * that holds the program end nothing.
 */
import { Clock, Duration, Effect, Layer, Schedule, type Scope } from "effect"
import * as inspector from "node:inspector"
import { Worker } from "node:worker_threads"
import { Running } from "../Common/Running.js"
import { firstName, held, type Named, type Order, turns } from "./Watchdog/Protocol.js"
import { text } from "./Watchdog/text.js"

export interface Options {
  /** How long the loop may be blocked. Five minutes without it; zero for no watchdog. */
  readonly limit?: Duration.DurationInput
  /** Stands before what it says. */
  readonly name?: string
  /** The last sentence of what it says: what to do. */
  readonly advice?: string
}

/** Longer than a check of a large SQLite file may block, as `quickCheck` does. */
export const defaultLimit = Duration.minutes(5)

/**
 * Watches the event loop as long as its scope is open. When the loop was blocked for the limit, it
 * writes which checks ran and where the program stood, and ends the process: with 70, or by SIGKILL
 * where native code blocks it.
 *
 * Provide it below what runs checks. A program has none unless it asks for it.
 *
 * @example
 * import { Layer } from "effect"
 * import { HealthMonitor, Watchdog } from "holter"
 *
 * const Monitored = HealthMonitor.layer.pipe(Layer.provide(Watchdog.layer({ limit: "2 minutes" })))
 */
export const layer = (options: Options = {}): Layer.Layer<Running> =>
  Layer.scoped(Running, make(options))

const make = (options: Options): Effect.Effect<Running["Type"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const limit = Duration.toMillis(options.limit ?? defaultLimit)
    if (limit === 0) return undefined
    const tick = Math.min(1000, Math.max(20, limit / 10))
    const shared = new Int32Array(new SharedArrayBuffer((firstName + mostNames) * 4))
    const worker = yield* Effect.acquireRelease(
      Effect.sync(() => start({ shared, limit, tick, ...words(options, limit) })),
      (thread) => Effect.promise(() => thread.terminate())
    )
    yield* Effect.sync(() => {
      Atomics.add(shared, turns, 1)
      Atomics.store(shared, held, inspector.url() === undefined ? 0 : 1)
    }).pipe(
      Effect.repeat(Schedule.spaced(tick)),
      // Real time, also in a program whose clock is another.
      Effect.withClock(Clock.make()),
      Effect.forkScoped
    )
    return observer(shared, worker)
  })

/** More checks than these are watched, and not named. */
const mostNames = 4096

const observer = (shared: Int32Array, worker: Worker): ((name: string) => () => void) => {
  const cells = new Map<string, number>()
  const cellOf = (name: string): number => {
    const known = cells.get(name)
    if (known !== undefined) return known
    const cell = firstName + cells.size
    cells.set(name, cell)
    if (cell < shared.length) worker.postMessage({ cell, name } satisfies Named)
    return cell
  }
  return (name) => {
    const cell = cellOf(name)
    if (cell >= shared.length) return () => {}
    let runs = true
    Atomics.add(shared, cell, 1)
    return () => {
      if (runs) Atomics.sub(shared, cell, 1)
      runs = false
    }
  }
}

const words = ({ advice, name }: Options, limit: number) => ({
  head: `${name === undefined ? "" : `${name}: `}the event loop was blocked for ${Duration.format(Duration.millis(limit))}`,
  tail: `The process could send no alert and hear no signal, and ends (70).${advice === undefined ? "" : ` ${advice}`}`
})

const start = (workerData: Order): Worker => {
  const worker = new Worker(text, {
    eval: true,
    workerData,
    // It must start without anything of the program: no flags, no environment, no standard streams.
    execArgv: [],
    env: {},
    stdin: false,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 }
  })
  // Without a thread there is no watchdog, and nothing else is lost.
  worker.on("error", () => {})
  worker.unref()
  return worker
}
