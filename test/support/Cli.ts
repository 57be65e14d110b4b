/**
 * Runs the built command as an operator would: as a process, in a folder and an environment of
 * its own, with nothing inherited but PATH.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { live } from "./live.js"
import * as ManagedProcess from "./ManagedProcess.js"
import { fromUnknown, ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Default: a new temporary folder. */
  readonly cwd?: string
  /** Written into the working folder first: path to content. */
  readonly files?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** After this it is killed. Default 30 seconds. */
  readonly timeout?: Duration.DurationInput
  /** Of the terminal (`pty`). Default 100. */
  readonly columns?: number
  /** Another path to the command, such as a link to it. */
  readonly bin?: string
}

export interface CliResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly millis: number
  readonly timedOut: boolean
  readonly cwd: string
}

export interface CliProcess {
  readonly pid: number
  readonly cwd: string
  readonly awaitStdout: (pattern: RegExp) => Effect.Effect<RegExpExecArray, ServerError>
  readonly awaitStderr: (pattern: RegExp) => Effect.Effect<RegExpExecArray, ServerError>
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** On a terminal (`startPty`): what a person types. */
  readonly type: (text: string) => Effect.Effect<void>
  /** When it has ended, with all it wrote; killed when `timeout` is over. */
  readonly exit: Effect.Effect<CliResult>
}

/** The command under test: HOLTER_TEST_BIN, or what `npm run build` made. */
export const bin = (): string =>
  process.env.HOLTER_TEST_BIN ?? fileURLToPath(new URL("../../dist/bin.cjs", import.meta.url))

export const run = (
  args: ReadonlyArray<string>,
  options: CliOptions = {}
): Effect.Effect<CliResult, ServerError, Scope.Scope> =>
  Effect.flatMap(start(args, options), (started) => started.exit)

export const start = (
  args: ReadonlyArray<string>,
  options: CliOptions = {}
): Effect.Effect<CliProcess, ServerError, Scope.Scope> =>
  Effect.flatMap(command(args, options), (words) => launch(words, options, {}))

/**
 * On a terminal. What the terminal got is `stdout`, with plain line ends; a terminal has no
 * second output, so `stderr` is in it.
 */
export const pty = (
  args: ReadonlyArray<string>,
  options: CliOptions = {}
): Effect.Effect<CliResult, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const started = yield* startPty(args, options)
    const result = yield* started.exit
    return { ...result, stdout: result.stdout.replaceAll("\r\n", "\n") }
  })

/** The same, for a test that answers what it is asked. */
export const startPty = (
  args: ReadonlyArray<string>,
  options: CliOptions = {}
): Effect.Effect<CliProcess, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const words = yield* command(args, options)
    const line = `stty cols ${options.columns ?? 100} rows 50; exec ${words.map(quote).join(" ")}`
    const [script, flags] =
      process.platform === "darwin"
        ? (["script", ["-q", "/dev/null", "/bin/sh", "-c", line]] as const)
        : (["script", ["-qefc", line, "/dev/null"]] as const)
    return yield* launch([script, ...flags], options, { TERM: "xterm-256color" }, true)
  })

const command = (
  args: ReadonlyArray<string>,
  options: CliOptions
): Effect.Effect<readonly [string, ...ReadonlyArray<string>], ServerError> =>
  Effect.suspend(() => {
    const file = options.bin ?? bin()
    return existsSync(file)
      ? Effect.succeed([process.execPath, file, ...args] as const)
      : new ServerError({
          server: "cli",
          operation: "find",
          detail: `${file} is missing: npm run build`
        })
  })

const launch = (
  [program, ...args]: readonly [string, ...ReadonlyArray<string>],
  options: CliOptions,
  defaults: Readonly<Record<string, string>>,
  keepStdinOpen = false
): Effect.Effect<CliProcess, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const home = yield* TempDir.make("home")
    const cwd = options.cwd ?? (yield* TempDir.make("cwd"))
    yield* writeFiles(cwd, options.files ?? {})
    const begin = performance.now()
    const managed = yield* ManagedProcess.start({
      name: "cli",
      command: program,
      args,
      cwd,
      env: { PATH: process.env.PATH ?? "", HOME: home, ...defaults, ...options.env },
      keepStdinOpen,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin })
    })
    let millis = 0
    managed.child.once("exit", () => {
      millis = performance.now() - begin
    })
    const resultOf = (ended: ManagedProcess.Ended, timedOut: boolean): CliResult => ({
      ...ended,
      stdout: managed.stdout(),
      stderr: managed.stderr(),
      millis,
      timedOut,
      cwd
    })
    return {
      pid: managed.pid,
      cwd,
      awaitStdout: (pattern: RegExp) => managed.awaitOutput(pattern, "stdout"),
      awaitStderr: (pattern: RegExp) => managed.awaitOutput(pattern, "stderr"),
      signal: managed.signal,
      type: (text: string) => Effect.sync(() => managed.child.stdin?.write(text)),
      pause: managed.pause,
      resume: managed.resume,
      exit: managed.exit.pipe(
        Effect.map((ended) => resultOf(ended, false)),
        Effect.timeoutTo({
          duration: options.timeout ?? "30 seconds",
          onSuccess: Effect.succeed,
          onTimeout: () => Effect.map(managed.stop, (ended) => resultOf(ended, true))
        }),
        Effect.flatten,
        live
      )
    }
  })

const writeFiles = (
  folder: string,
  files: Readonly<Record<string, string>>
): Effect.Effect<void, ServerError> =>
  Effect.forEach(
    Object.entries(files),
    ([name, content]) =>
      Effect.tryPromise({
        try: async () => {
          const file = path.join(folder, name)
          await mkdir(path.dirname(file), { recursive: true })
          await writeFile(file, content)
        },
        catch: fromUnknown("cli", `write ${name}`)
      }),
    { discard: true }
  )

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
