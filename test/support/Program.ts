/**
 * A program of the tests as a process of its own: bundled once for each test file, started as often
 * as needed. Plain Node runs it, with nothing inherited but PATH.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { build } from "esbuild"
import { randomUUID } from "node:crypto"
import { rm } from "node:fs/promises"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { programs } from "../../scripts/programs.mjs"
import { live } from "./live.js"
import * as ManagedProcess from "./ManagedProcess.js"
import * as ProcessTree from "./ProcessTree.js"
import { ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

export interface Bundle {
  readonly file: string
  readonly dispose: () => Promise<void>
}

/** `entry` from the project's folder. Native modules stay outside and are found from the bundle. */
export const bundle = async (entry: string): Promise<Bundle> => {
  const name = `${path.basename(entry, ".ts")}-${randomUUID()}.mjs`
  const file = path.join(root, "node_modules", ".cache", "holter-programs", name)
  await build({
    entryPoints: [path.join(root, entry)],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    plugins: [programs],
    external: ["better-sqlite3", "pg-native"],
    // The examples import the package by its name, as its users do.
    alias: {
      "holter/plugins": path.join(root, "src/plugins"),
      holter: path.join(root, "src/index.ts")
    },
    // CommonJS packages inside the bundle ask for Node's modules.
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url)`
    },
    logLevel: "error"
  })
  return { file, dispose: () => rm(file, { force: true }) }
}

export interface Options {
  readonly env?: Readonly<Record<string, string>>
  readonly args?: ReadonlyArray<string>
  readonly cwd?: string
  /** After this it is killed, and `exit` fails. Default 20 seconds. */
  readonly timeout?: Duration.DurationInput
}

export interface Ended extends ManagedProcess.Ended {
  readonly stdout: string
  readonly stderr: string
  /** From the last signal, or from the start, to the end. */
  readonly millis: number
}

export interface Program extends Omit<ManagedProcess.ManagedProcess, "exit"> {
  readonly cwd: string
  /** When it has ended, with all it wrote. Nothing that it started is alive then. */
  readonly exit: Effect.Effect<Ended, ServerError>
}

export const start = (
  file: string,
  options: Options = {}
): Effect.Effect<Program, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const cwd = options.cwd ?? (yield* TempDir.make("program"))
    const managed = yield* ManagedProcess.start({
      name: "program",
      command: process.execPath,
      args: ["--enable-source-maps", file, ...(options.args ?? [])],
      cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: cwd, ...options.env }
    })
    let since = performance.now()
    let millis = 0
    let below: ReadonlyArray<number> = []
    managed.child.once("exit", () => {
      millis = performance.now() - since
    })
    const patience = options.timeout ?? "20 seconds"
    return {
      ...managed,
      cwd,
      signal: (name) =>
        Effect.suspend(() => {
          since = performance.now()
          below = ProcessTree.descendants(managed.pid)
          return managed.signal(name)
        }),
      exit: managed.exit.pipe(
        Effect.timeoutFail({
          duration: patience,
          onTimeout: () =>
            failed(`did not end within ${Duration.format(Duration.decode(patience))}`, managed)
        }),
        Effect.tap(() => {
          const orphans = below.filter(ProcessTree.isAlive)
          return orphans.length === 0
            ? Effect.void
            : Effect.fail(failed(`left processes ${orphans.join(", ")}`, managed))
        }),
        Effect.map((ended) => ({
          ...ended,
          stdout: managed.stdout(),
          stderr: managed.stderr(),
          millis
        })),
        live
      )
    } satisfies Program
  })

const failed = (detail: string, managed: ManagedProcess.ManagedProcess): ServerError =>
  new ServerError({
    server: "program",
    operation: "exit",
    detail: `it ${detail}\n${managed.log().slice(-4000)}`
  })
