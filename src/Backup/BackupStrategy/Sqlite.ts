/**
 * Backups of SQLite databases.
 *
 * All work on the database's files happens in a child process of low priority: the caller may hold the
 * database open, and closing any descriptor of it would drop the caller's POSIX locks. Here the files
 * are only looked at from outside (`stat`).
 *
 * A dump is a database file in rollback mode that any SQLite opens, compressed as members that plain
 * gunzip reads.
 */
import { CommandExecutor } from "@effect/platform/CommandExecutor"
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Duration, Effect, Layer } from "effect"
import type * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Child from "./Sqlite/Child.js"
import { ChildProgram } from "./Sqlite/ChildProgram.js"
import * as Files from "./Sqlite/Files.js"
import * as Operations from "./Sqlite/Operations.js"
import { BackupStrategy, type Strategy } from "./Strategy.js"

export interface Options {
  /**
   * How a dump is taken from a database in use. `vacuum`, the default: `VACUUM INTO`, compact, and as
   * long as a read transaction lasts. `frozen`: the file as it is, at the speed of the disk, while
   * writers go on into the WAL. `auto`: `frozen` in WAL mode, `vacuum` otherwise.
   */
  readonly copy?: "vacuum" | "frozen" | "auto" | undefined
  /** How long to wait for the locks of other programs. */
  readonly busyTimeout?: Duration.DurationInput | undefined
}

export const make = (
  url: DatabaseUrl.Sqlite,
  options: Options = {}
): Effect.Effect<Strategy, never, CommandExecutor | FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const executor = yield* CommandExecutor
    const program = yield* ChildProgram
    const files = Files.make({ fs, path, given: url.path })
    return Operations.make({
      files,
      ask: (request, onProgress) => Child.ask({ executor, program }, request, onProgress),
      start: (request, onProgress) => Child.start({ executor, program }, request, onProgress),
      copy: options.copy ?? "vacuum",
      busyTimeout: Duration.toMillis(options.busyTimeout ?? "10 seconds")
    })
  })

/**
 * @example
 * import { NodeContext } from "@effect/platform-node"
 * import { Layer } from "effect"
 * import * as Sqlite from "holter/backup/Sqlite"
 *
 * const bot = Sqlite.layer({ _tag: "Sqlite", path: "data/bot.db" }, { copy: "auto" }).pipe(
 *   Layer.provide(NodeContext.layer)
 * )
 */
export const layer = (
  url: DatabaseUrl.Sqlite,
  options?: Options
): Layer.Layer<BackupStrategy, never, CommandExecutor | FileSystem | Path> =>
  Layer.effect(BackupStrategy, make(url, options))
