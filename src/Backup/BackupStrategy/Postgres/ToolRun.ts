/**
 * Runs pg_dump or pg_restore: at low priority, without a secret on its command line, judged by its
 * exit code, and ended when it is no longer wanted.
 *
 * @internal
 */
import * as Command from "@effect/platform/Command"
import * as CommandExecutor from "@effect/platform/CommandExecutor"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect, Redacted, type Scope, Stream } from "effect"
import { basename } from "node:path"
import type { BackupError } from "../../BackupError.js"
import * as Conninfo from "./Conninfo.js"
import * as Failure from "./Failure.js"
import type { Target } from "./Target.js"
import * as ToolEnvironment from "./ToolEnvironment.js"
import type { Tool } from "./Tools.js"
import * as Tools from "./Tools.js"

export type Running = CommandExecutor.CommandExecutor | FileSystem.FileSystem | Path.Path

export interface Options {
  readonly args: ReadonlyArray<string>
  /** Connects to this database; without one it reads a file only. */
  readonly database?: string
  /** Names its sessions, so that they can be found. */
  readonly application?: string
  /** What an error is about, where that is not the server. */
  readonly subject?: string
  readonly input?: Stream.Stream<Uint8Array>
}

export interface Output {
  readonly stdout: string
  /** What it said and was no reason to fail. */
  readonly warnings: ReadonlyArray<string>
}

/** To its end, with what it said. */
export const run = (
  target: Target,
  tool: Tool,
  options: Options
): Effect.Effect<Output, BackupError, Running> =>
  Effect.gen(function* () {
    const child = yield* launch(target, tool, options)
    const [stdout, stderr] = yield* Effect.all(
      [wholeOf(target, tool, child.stdout), textOf(child.stderr)],
      { concurrency: 2 }
    )
    yield* succeeded(target, tool, child, stderr, options.subject)
    return { stdout, warnings: warningsOf(target, stderr) }
  }).pipe(Effect.scoped)

export interface Attempt {
  /** The exit code; none where a signal ended it. */
  readonly ended: number | undefined
  readonly stderr: string
}

/** To its end, whatever that is: for who can tell which errors matter. */
export const attempt = (
  target: Target,
  tool: Tool,
  options: Options
): Effect.Effect<Attempt, BackupError, Running> =>
  Effect.gen(function* () {
    const child = yield* launch(target, tool, options)
    const [, stderr] = yield* Effect.all(
      [textOf(child.stdout), wholeOf(target, tool, child.stderr)],
      { concurrency: 2 }
    )
    return { ended: yield* end(child), stderr: target.secrets.scrub(stderr) }
  }).pipe(Effect.scoped)

/** For who reads while it works. It is ended with the scope. */
export const launch = (
  target: Target,
  tool: Tool,
  options: Options
): Effect.Effect<CommandExecutor.Process, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const connection =
      options.database === undefined
        ? []
        : [
            "--no-password",
            `--dbname=${Conninfo.text(target.url, options.database, options.application)}`
          ]
    const secrets = options.database === undefined ? {} : yield* environment(target)
    const [command = tool.path, ...first] = [...(yield* Tools.nice), tool.path]
    const wanted = Command.env(
      Command.make(command, ...first, ...connection, ...options.args),
      { ...(yield* ToolEnvironment.inherited), LC_ALL: "C", ...secrets },
      { extendEnv: false }
    )
    return yield* start(options.input === undefined ? wanted : Command.stdin(wanted, options.input))
  }).pipe(
    Effect.catchTags({
      BadArgument: (error) => notStarted(target, tool, error),
      SystemError: (error) => notStarted(target, tool, error)
    })
  )

/** Waits for its end, and fails with what it said where that was not a good one. */
export const succeeded = (
  target: Target,
  tool: Tool,
  child: CommandExecutor.Process,
  stderr: string,
  subject?: string
): Effect.Effect<void, BackupError> =>
  Effect.flatMap(end(child), (ended) => {
    if (ended === 0) return Effect.void
    const how = ended === undefined ? "ended by a signal" : `exit code ${ended}`
    return Failure.fromTool(target, basename(tool.path), stderr, how, subject)
  })

const warningsOf = (target: Target, stderr: string): ReadonlyArray<string> =>
  stderr
    .split("\n")
    .filter((line) => /warning:/.test(line))
    .map(target.secrets.scrub)

const notStarted = (target: Target, tool: Tool, error: PlatformError): BackupError =>
  Failure.make(target, {
    reason: "ToolFailed",
    expected: `${tool.path} to run`,
    found: error._tag === "SystemError" ? error.reason : "no way to start it"
  })

/** The variables with the secrets, and a file for the one that has no variable. */
const environment = (
  target: Target
): Effect.Effect<
  Readonly<Record<string, string>>,
  PlatformError,
  FileSystem.FileSystem | Path.Path | Scope.Scope
> =>
  Effect.gen(function* () {
    const variables = Conninfo.environment(target.url)
    const content = Conninfo.serviceFile(target.url)
    if (content === undefined) return variables
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "holter-" })
    const file = path.join(directory, "service")
    yield* fs.writeFileString(file, Redacted.value(content), { flag: "wx", mode: 0o600 })
    return { ...variables, PGSERVICEFILE: file, PGSERVICE: Conninfo.service }
  })

/**
 * The executor ends it with SIGTERM and waits. One that does not listen, since it is stopped or
 * waits for a disk, gets SIGKILL, with those it started.
 */
const start = (
  command: Command.Command
): Effect.Effect<
  CommandExecutor.Process,
  PlatformError,
  CommandExecutor.CommandExecutor | Scope.Scope
> =>
  Effect.gen(function* () {
    const executor = yield* CommandExecutor.CommandExecutor
    const child = yield* executor.start(command)
    yield* Effect.addFinalizer(() =>
      Effect.whenEffect(
        child.kill("SIGTERM").pipe(
          Effect.interruptible,
          Effect.timeoutFail({ duration: "5 seconds", onTimeout: () => "deaf" as const }),
          Effect.catchAll(() => child.kill("SIGKILL")),
          Effect.ignore
        ),
        Effect.orElseSucceed(child.isRunning, () => false)
      )
    )
    return child
  })

/** The exit code; none where a signal ended it. */
const end = (child: CommandExecutor.Process): Effect.Effect<number | undefined> =>
  Effect.orElseSucceed(child.exitCode, () => undefined)

/** All of it: of a table of contents, or of a list of what failed, a part is another one. */
const wholeOf = (
  target: Target,
  tool: Tool,
  output: Stream.Stream<Uint8Array, PlatformError>
): Effect.Effect<string, BackupError> => {
  const name = basename(tool.path)
  const failed = (found: string) =>
    Failure.make(target, {
      reason: "ToolFailed",
      expected: `at most ${wholeLimit / 1024 / 1024} MB of text from ${name}, whole`,
      found,
      advice: "Report it, with the number of tables in the database"
    })
  return Stream.decodeText(output).pipe(
    Stream.mapError(() => failed("text that could not be read to its end")),
    Stream.runFoldEffect("", (text, more) =>
      text.length + more.length <= wholeLimit
        ? Effect.succeed(text + more)
        : Effect.fail(failed("more"))
    )
  )
}

/** The beginning and the end of what it says: a tool may have a line for each of many tables. */
export const textOf = (output: Stream.Stream<Uint8Array, PlatformError>): Effect.Effect<string> =>
  Stream.decodeText(output).pipe(
    // What cannot be read any more is the end of it; how it ended is asked elsewhere.
    Stream.catchAll(() => Stream.empty),
    Stream.runFold("", (text, more) => {
      const joined = text + more
      return joined.length <= limit
        ? joined
        : `${wholeLines(joined.slice(0, limit / 4))}\n${wholeLinesAtEnd(joined.slice(-limit / 2))}`
    })
  )

/** Half a line may hold half a secret, which nobody recognises as one afterwards. */
const wholeLines = (text: string): string => text.slice(0, text.lastIndexOf("\n") + 1)

const wholeLinesAtEnd = (text: string): string =>
  text.includes("\n") ? text.slice(text.indexOf("\n") + 1) : ""

const limit = 256 * 1024

/** More than half a million entries of a dump. */
const wholeLimit = 64 * 1024 * 1024
