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
import type { BackupError } from "../../BackupError.js"
import * as Conninfo from "./Conninfo.js"
import * as Failure from "./Failure.js"
import type { Target } from "./Target.js"
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
}

export interface Output {
  readonly stdout: string
  /** What it said and was no reason to fail. */
  readonly warnings: ReadonlyArray<string>
}

export const run = (
  target: Target,
  tool: Tool,
  options: Options
): Effect.Effect<Output, BackupError, Running> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const name = path.basename(tool.path)
    const connection =
      options.database === undefined
        ? []
        : [
            "--no-password",
            `--dbname=${Conninfo.text(target.url, options.database, options.application)}`
          ]
    const secrets = options.database === undefined ? {} : yield* environment(target)
    const [command = tool.path, ...first] = [...(yield* Tools.nice), tool.path]
    const wanted = Command.make(command, ...first, ...connection, ...options.args)
    const child = yield* start(Command.env(wanted, { LC_ALL: "C", ...secrets }))
    const [stdout, stderr, ended] = yield* Effect.all(
      [textOf(child.stdout), textOf(child.stderr), end(child)],
      { concurrency: "unbounded" }
    )
    if (ended !== 0) {
      const how = ended === undefined ? "ended by a signal" : `exit code ${ended}`
      return yield* Failure.fromTool(target, name, stderr, how, options.subject)
    }
    const warnings = stderr.split("\n").filter((line) => /warning:/.test(line))
    return { stdout, warnings: warnings.map(target.secrets.scrub) }
  }).pipe(
    Effect.catchTags({
      BadArgument: (error) => notStarted(target, tool, error),
      SystemError: (error) => notStarted(target, tool, error)
    }),
    Effect.scoped
  )

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

/** The beginning and the end of what it says: a tool may have a line for each of many tables. */
const textOf = (
  output: Stream.Stream<Uint8Array, PlatformError>
): Effect.Effect<string, PlatformError> =>
  Stream.runFold(Stream.decodeText(output), "", (text, more) => {
    const joined = text + more
    return joined.length <= limit
      ? joined
      : `${joined.slice(0, limit / 4)}\n${joined.slice(-limit / 2)}`
  })

const limit = 256 * 1024
