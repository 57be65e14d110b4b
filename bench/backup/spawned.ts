/** Whole commands, run to their end by a small parent that knows what they used. */
import { Effect, type Scope } from "effect"
import type { ServerError } from "../../test/support/ServerError.js"
import * as LineProcess from "../support/LineProcess.js"
import * as Python from "../support/Python.js"
import { BenchError } from "../support/Rounds.js"

export interface Ended {
  readonly code: number
  readonly cpuMillis: number
  readonly wallMillis: number
  /** Of the command and its children together. */
  readonly treeMegabytes: number
  readonly output: string
}

export interface Command {
  readonly argv: ReadonlyArray<string>
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

export type Spawn = (command: Command) => Effect.Effect<Ended, BenchError>

export const make: Effect.Effect<Spawn, ServerError | BenchError, Scope.Scope> = Effect.gen(
  function* () {
    const missing = Python.missing([])
    if (missing !== undefined) return yield* Effect.fail(new BenchError(missing))
    const spawner = yield* LineProcess.start("spawn.py", Python.python, [Python.script("spawn.py")])
    return ({ argv, cwd, env }) =>
      // A bare environment: NODE_OPTIONS or a DATABASE_URL of the caller would change the work.
      spawner
        .ask(
          JSON.stringify({
            argv,
            cwd,
            tree: true,
            env: { PATH: process.env["PATH"], HOME: cwd, ...env }
          })
        )
        .pipe(
          Effect.map((line) => JSON.parse(line) as Ended),
          // Anything but 0 measures a failure.
          Effect.filterOrFail(
            (ended) => ended.code === 0,
            (ended) =>
              new BenchError(`${argv.join(" ")} ended with ${ended.code}:\n${ended.output}`)
          )
        )
  }
)
