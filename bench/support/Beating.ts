/** Runs a program that beats in a process of its own and reads what it measured of itself. */
import { Effect } from "effect"
import { build } from "esbuild"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { BenchError } from "./Rounds.js"

export interface Job {
  /** `journal`: trivial checks, with alerts and a journal as `holter watch` has them. */
  readonly work: "trivial" | "http" | "journal"
  readonly by: "bare" | "bareSpread" | "holter"
  readonly url: string
  readonly checks: number
  /** Milliseconds, as all times here. */
  readonly interval: number
  readonly warmUp: number
  readonly measured: number
  /** Whether somebody is told of every result. */
  readonly listen: boolean
}

export interface Beaten {
  readonly beats: number
  readonly failures: number
  /** The 99th percentile of the beats' delays. */
  readonly lateness: number
  /** The longest of them. */
  readonly latest: number
  /** Beats that were left out because the one before was not over, or the slot had passed. */
  readonly skipped: number
  /** Results that the journal has, of each second; none without a journal. */
  readonly written: number
  /** Microseconds. */
  readonly cpuPerBeat: number
  readonly cores: number
  readonly megabytes: number
  /** The most resident memory of the measured time against that of as long a time before. */
  readonly growth: number
}

/**
 * The 99th percentile of the delays, and the longest. Of each check the beat that came soonest in
 * its interval was in time.
 */
export const lateness = (
  checks: ReadonlyArray<ReadonlyArray<number>>,
  interval: number
): Pick<Beaten, "lateness" | "latest"> => {
  const late = checks.flatMap((starts) => {
    const [first = 0] = starts
    const drifts = starts.map((start, index) => start - first - index * interval)
    const soonest = Math.min(...drifts)
    return drifts.map((drift) => drift - soonest)
  })
  late.sort((a, b) => a - b)
  return { lateness: late[Math.floor(late.length * 0.99)] ?? 0, latest: late.at(-1) ?? 0 }
}

// Bundled, because the hooks that load TypeScript are memory that no user has. Beside the packages,
// so that they are found.
const program = path.resolve("node_modules/.cache/holter-bench/beating.mjs")

export const prepare: Effect.Effect<void, BenchError> = Effect.tryPromise({
  try: () =>
    build({
      entryPoints: [path.resolve("bench/contenders/beating.ts")],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      packages: "external",
      logLevel: "error"
    }),
  catch: (error) => new BenchError(String(error))
})

export const beat = (job: Job): Effect.Effect<Beaten, BenchError> =>
  Effect.tryPromise({
    try: async (signal) => {
      const args = ["--expose-gc", program, JSON.stringify(job)]
      // A bare environment: NODE_OPTIONS of the caller would change the work.
      const env = { PATH: process.env["PATH"] }
      const { stdout } = await promisify(execFile)(process.execPath, args, { signal, env })
      const beaten = JSON.parse(stdout) as Beaten
      if (beaten.failures > 0) throw new Error(`${beaten.failures} beats failed`)
      return beaten
    },
    catch: (error) => new BenchError(`${job.by}, ${job.work}: ${String(error)}`)
  })
