/** Runs the program of program.ts as a process, once it is one file that plain Node runs. */
import { Effect, type Scope } from "effect"
import { existsSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as ManagedProcess from "../ManagedProcess.js"
import { fromUnknown, type ServerError } from "../ServerError.js"
import * as TestRun from "../TestRun.js"
import type { Order, Report } from "./program.js"

export interface Runner {
  /** What it printed in the end; nothing where it was killed. */
  readonly run: (
    order: Order,
    within?: ReadonlyArray<string>
  ) => Effect.Effect<Report | undefined, ServerError>
  readonly start: (
    order: Order,
    /** The command that runs it: `unshare --mount`. */
    within?: ReadonlyArray<string>
  ) => Effect.Effect<ManagedProcess.ManagedProcess, ServerError, Scope.Scope>
}

export const make: Effect.Effect<Runner, ServerError> = Effect.gen(function* () {
  const { root } = yield* TestRun.current
  const program = path.join(root, "backup-runner.mjs")
  if (!existsSync(program)) yield* bundle(program)
  const start: Runner["start"] = (order, within = []) => {
    const [command = "", ...args] = [...within, process.execPath, program, JSON.stringify(order)]
    return ManagedProcess.start({ name: "backup runner", command, args, cwd: root })
  }
  return {
    start,
    run: (order, within) =>
      Effect.scoped(
        Effect.gen(function* () {
          const managed = yield* start(order, within)
          const { signal } = yield* managed.exit
          if (signal !== null) return undefined
          return yield* Effect.try({
            try: () => JSON.parse(managed.stdout()) as Report,
            catch: () => fromUnknown("backup runner", "run")(managed.log())
          })
        })
      )
  }
})

const bundle = (program: string) =>
  Effect.tryPromise({
    try: async () => {
      const esbuild = await import("esbuild")
      const { programs } = await import("../../../scripts/programs.mjs")
      await esbuild.build({
        entryPoints: [fileURLToPath(new URL("./program.ts", import.meta.url))],
        outfile: program,
        bundle: true,
        plugins: [programs],
        platform: "node",
        format: "esm",
        target: "node20",
        logLevel: "error",
        // What platform-node brings along requires Node's modules.
        banner: {
          js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)'
        }
      })
    },
    catch: fromUnknown("backup runner", "bundle")
  })
