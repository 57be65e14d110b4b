/** Other programs with the same job. Their CPU time is that of their own process. */
import { Effect, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { Pool } from "undici"
import type { ServerError } from "../../test/support/ServerError.js"
import * as LineProcess from "../support/LineProcess.js"
import * as Python from "../support/Python.js"
import { BenchError, type Contender } from "../support/Rounds.js"
import type { Exporter } from "../support/Servers.js"
import { allSettled, bound, checksAtOnce } from "./bounded.js"

/** The kernel counts in ticks of 10 ms: enough probes for a figure of two digits. */
const probeRuns = 5

/** The CPU time of the exporter for one `/probe` of the URL; who asks is not counted. */
export const blackboxExporter = (
  exporter: Exporter,
  url: string
): Effect.Effect<Contender, never, Scope.Scope> =>
  Effect.gen(function* () {
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(exporter.url, { connections: bound })),
      (open) => Effect.promise(() => open.close())
    )
    const path = `/probe?module=http_2xx&target=${encodeURIComponent(url)}`
    const probe = async () => {
      const { body } = await pool.request({ path, method: "GET" })
      const text = await body.text()
      if (!/^probe_success 1$/m.test(text)) throw new Error(`the probe failed: ${text}`)
    }
    const tasks = Array.from({ length: checksAtOnce * probeRuns }, () => probe)
    return {
      warmUps: 1,
      measure: Effect.tryPromise({
        try: async () => {
          const before = await ticks(exporter.pid)
          await allSettled(tasks)
          return (((await ticks(exporter.pid)) - before) / ticksPerSecond()) * (1e6 / tasks.length)
        },
        catch: (error) => new BenchError(`blackbox exporter: ${String(error)}`)
      })
    }
  })

/** User and system time of a process, all threads: the fields 14 and 15 of `stat`. */
const ticks = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8")
  // The second field is a name in brackets that may have spaces in it.
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
  return Number(user) + Number(system)
}

const ticksPerSecond = (): number => Number(execFileSync("getconf", ["CLK_TCK"]).toString())

/** `run_all_checks` of the Python port, on as many URLs. */
export const pythonPort = (
  url: string
): Effect.Effect<Contender, ServerError | BenchError, Scope.Scope> =>
  Effect.map(
    LineProcess.start("rounds.py", Python.python, [
      "-B",
      Python.script("rounds.py"),
      url,
      String(checksAtOnce)
    ]),
    (port) => ({ warmUps: 1, measure: Effect.map(port.ask("go"), Number) })
  )
