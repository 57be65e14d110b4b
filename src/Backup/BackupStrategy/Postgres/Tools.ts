/**
 * Where pg_dump and pg_restore are, and which of them are right for a server.
 *
 * @internal
 */
import * as Command from "@effect/platform/Command"
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Config, Effect, Option } from "effect"
import { BackupError } from "../../BackupError.js"
import type { Target } from "./Target.js"

export interface Tool {
  readonly path: string
  /** As it says it: `pg_dump (PostgreSQL) 15.2`. */
  readonly said: string
  readonly major: number
}

type Finding = CommandExecutor | FileSystem.FileSystem | Path.Path

/**
 * The tool for a server of this major version: of that version itself where it is installed, since
 * a server restores the dumps of its own pg_dump; otherwise the newest, if that is not too old.
 */
export const forServer = (
  target: Target,
  name: "pg_dump" | "pg_dumpall" | "pg_restore" | "psql",
  serverMajor: number
): Effect.Effect<Tool, BackupError, Finding> =>
  Effect.flatMap(all(target, name), (tools) => {
    const tool = tools.find(({ major }) => major === serverMajor) ?? tools[0]
    if (tool === undefined) return missing(name, serverMajor)
    return tool.major < serverMajor
      ? new BackupError({
          reason: "ToolTooOld",
          subject: tool.path,
          expected: `version ${serverMajor} or newer, as the server is`,
          found: tool.said,
          advice: install(serverMajor)
        })
      : Effect.succeed(tool)
  })

/** The newest: it reads the dumps of every older one. */
export const newest = (
  target: Target,
  name: "pg_dump" | "pg_restore"
): Effect.Effect<Tool, BackupError, Finding> =>
  Effect.flatMap(all(target, name), ([tool]) =>
    tool === undefined ? missing(name, undefined) : Effect.succeed(tool)
  )

const install = (major: number | undefined): string =>
  `Install it: apt-get install postgresql-client${major === undefined ? "" : `-${major}`} (Debian, Ubuntu), or the client package of your system`

const missing = (name: string, major: number | undefined): BackupError =>
  new BackupError({
    reason: "ToolMissing",
    subject: name,
    expected: "it on the PATH or in /usr/lib/postgresql",
    found: "none",
    advice: install(major)
  })

/** Every one that runs, newest first. */
const all = (target: Target, name: string): Effect.Effect<ReadonlyArray<Tool>, never, Finding> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const directories = target.toolDirectories ?? (yield* usualDirectories)
    const found = yield* Effect.forEach(directories, (directory) =>
      version(path.join(directory, name))
    )
    return found.flatMap(Option.toArray).sort((one, other) => other.major - one.major)
  })

const version = (
  path: string
): Effect.Effect<Option.Option<Tool>, never, CommandExecutor | FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* Effect.orElseSucceed(fs.exists(path), () => false))) return Option.none()
    // Debian's script on the PATH: it takes its time to choose one of those that are known already.
    if ((yield* fs.realPath(path)).endsWith("/pg_wrapper")) return Option.none()
    const answer = yield* Command.string(Command.make(path, "--version"))
    const [, major] = /\) (\d+)/.exec(answer) ?? []
    return major === undefined
      ? Option.none()
      : Option.some({ path, said: answer.trim(), major: Number(major) })
    // What does not run is none: a program for another machine, a link to nowhere.
  }).pipe(Effect.orElseSucceed(() => Option.none()))

/** Debian's, Red Hat's, and the PATH. */
const usualDirectories: Effect.Effect<
  ReadonlyArray<string>,
  never,
  FileSystem.FileSystem | Path.Path
> = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const below = (directory: string, pattern: RegExp) =>
    fs.readDirectory(directory).pipe(
      Effect.orElseSucceed((): ReadonlyArray<string> => []),
      Effect.map((names) =>
        names.filter((name) => pattern.test(name)).map((name) => path.join(directory, name, "bin"))
      )
    )
  const debian = yield* below("/usr/lib/postgresql", /^\d+$/)
  const redHat = yield* below("/usr", /^pgsql-\d+$/)
  return [...new Set([...debian, ...redHat, ...(yield* searchPath)])]
})

const searchPath = Config.string("PATH").pipe(
  Config.withDefault("/usr/local/bin:/usr/bin:/bin"),
  Effect.orElseSucceed(() => "/usr/local/bin:/usr/bin:/bin"),
  Effect.map((text) => text.split(":").filter((directory) => directory.startsWith("/")))
)

/** `nice`, where there is one: the work on backups gives way to the program it is for. */
export const nice: Effect.Effect<
  ReadonlyArray<string>,
  never,
  FileSystem.FileSystem | Path.Path
> = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const exists = (directory: string) =>
    Effect.orElseSucceed(fs.exists(path.join(directory, "nice")), () => false)
  const directory = yield* Effect.findFirst(yield* searchPath, exists)
  return Option.match(directory, {
    onNone: () => [],
    onSome: (found) => [path.join(found, "nice"), "-n", "10"]
  })
})
