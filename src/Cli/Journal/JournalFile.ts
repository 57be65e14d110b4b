/**
 * The file of a SQLite journal: made ready before SQLite opens it, and known by device and inode
 * after that. SQLite goes on in a file that was removed, where nobody will ever read it.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import type { JournalError } from "../../Monitor/Journal.js"
import * as JournalErrors from "../../Monitor/Journal/JournalError.js"

/** SQLite makes a missing file, which nobody wants who only looks. */
export const prepare = (
  file: string,
  reading: boolean
): Effect.Effect<void, JournalError, FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const info = yield* fs.stat(file).pipe(
      Effect.asSome,
      Effect.catchAll((error) =>
        error._tag === "SystemError" && error.reason === "NotFound"
          ? Effect.succeedNone
          : Effect.fail(JournalErrors.unavailable(error.message, error))
      )
    )
    if (Option.exists(info, ({ type }) => type === "Directory")) {
      return yield* JournalErrors.unavailable("a directory in the place of its file")
    }
    if (Option.isSome(info)) return
    if (reading) return yield* JournalErrors.missing("no such file")
    yield* Effect.mapError(fs.makeDirectory(path.dirname(file), { recursive: true }), (error) =>
      JournalErrors.unavailable(`no place for its file (${error.message})`, error)
    )
  })

export interface Watched {
  /** The file is open now: this is the one that is meant. */
  readonly opened: Effect.Effect<void>
  readonly intact: Effect.Effect<void, JournalError>
  /** Whether no -wal file of another can be removed with it. */
  readonly mayClose: Effect.Effect<boolean>
}

export const watched = (file: string): Effect.Effect<Watched, never, FileSystem> =>
  Effect.map(FileSystem, (fs) => {
    const identity = (name: string) =>
      fs.stat(name).pipe(
        Effect.map(({ dev, ino }) => `${dev}:${Option.getOrElse(ino, () => 0)}`),
        // What cannot be looked at may be there: only what is known to be gone counts.
        Effect.catchAll((error) =>
          Effect.succeed(
            error._tag === "SystemError" && error.reason === "NotFound" ? "gone" : undefined
          )
        )
      )
    let own: string | undefined
    let ownWal: string | undefined
    return {
      opened: Effect.map(identity(file), (found) => {
        own = found
      }),
      intact: Effect.flatMap(identity(file), (found) => {
        if (own === undefined || found === undefined) return Effect.void
        if (found === own) {
          return Effect.map(identity(`${file}-wal`), (wal) => {
            ownWal = wal === "gone" ? ownWal : wal
          })
        }
        return JournalErrors.replaced(
          found === "gone" ? "that it was removed" : "another file in its place"
        )
      }),
      mayClose: Effect.zipWith(
        identity(file),
        identity(`${file}-wal`),
        // A file that was moved into its place has the -wal of the old one beside it: that goes.
        (found, wal) => found === own || wal === "gone" || ownWal === undefined || wal === ownWal
      )
    }
  })
