/**
 * The file of a SQLite journal: made ready before SQLite opens it, and known by device and inode
 * after that. SQLite goes on in a file that was removed, where nobody will ever read it.
 */
import { FileSystem, Size as FileSize } from "@effect/platform/FileSystem"
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
  /**
   * Once another file lies in its place: the -wal of the old one is written into the old one and
   * emptied by `checkpoint`. SQLite would take it for that of the other file.
   */
  readonly leave: (checkpoint: Effect.Effect<unknown>) => Effect.Effect<void>
  /** Once it is closed: what SQLite leaves beside the other file, which is in no use any more. */
  readonly left: Effect.Effect<void>
}

const beside = ["-wal", "-shm"]

const gone = "gone"
const emptied = "emptied"
const changes: Readonly<Record<string, string>> = {
  [gone]: "that it was removed",
  [emptied]: "that it was emptied"
}

export const watched = (file: string): Effect.Effect<Watched, never, FileSystem> =>
  Effect.map(FileSystem, (fs) => {
    let own: string | undefined
    let isWritten = false
    const known = new Map<string, string>()
    const identity = (name: string) =>
      fs.stat(name).pipe(
        Effect.map(({ dev, ino, size }) => {
          const found = `${dev}:${Option.getOrElse(ino, () => 0)}`
          // A database is never empty once something was written, its -wal may be.
          return isWritten && found === own && size === FileSize(0) ? emptied : found
        }),
        // What cannot be looked at may be there: only what is known to be gone counts.
        Effect.catchAll((error) =>
          Effect.succeed(
            error._tag === "SystemError" && error.reason === "NotFound" ? gone : undefined
          )
        )
      )
    const whenReplaced = (then: (found: string) => Effect.Effect<void>) =>
      Effect.flatMap(identity(file), (found) =>
        own === undefined || found === undefined || found === own ? Effect.void : then(found)
      )
    const remember = Effect.forEach(
      beside,
      (suffix) =>
        Effect.map(identity(file + suffix), (found) => {
          if (found !== undefined && found !== gone) known.set(suffix, found)
        }),
      { discard: true }
    )
    return {
      opened: Effect.map(identity(file), (found) => {
        own = found
      }),
      intact: Effect.flatMap(identity(file), (found) => {
        if (own === undefined || found === undefined) return Effect.void
        if (found === own) {
          isWritten = true
          return remember
        }
        return JournalErrors.replaced(changes[found] ?? "another file in its place")
      }),
      leave: (checkpoint) =>
        whenReplaced((found) =>
          // A part of it would be written into the file that somebody emptied.
          found === emptied ? Effect.ignore(fs.remove(file)) : Effect.asVoid(checkpoint)
        ),
      left: whenReplaced(() =>
        Effect.forEach(
          beside,
          (suffix) =>
            Effect.flatMap(identity(file + suffix), (found) =>
              found !== undefined && found === known.get(suffix)
                ? Effect.ignore(fs.remove(file + suffix))
                : Effect.void
            ),
          { discard: true }
        )
      )
    }
  })
