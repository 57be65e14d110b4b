/**
 * Private directories for the content of backups, made where there is room and the right to, and swept
 * when the run that made them is dead.
 */
import { Clock, Effect, Option, type Scope } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "../../BackupError.js"
import * as LocalFiles from "../../LocalFiles.js"
import * as Unfinished from "../../Unfinished.js"
import { scratch } from "../../Unfinished/starts.js"
import * as ScratchFiles from "./ScratchFiles.js"
import * as Format from "../../../Common/Format.js"

/** @internal */
export interface Options {
  /** Where it may be, the best place first. */
  readonly directories: ReadonlyArray<string>
  /** What has to fit in, as far as it is known. */
  readonly bytes: number
}

/** The name of a file in a directory of this run alone, which goes with the scope. @internal */
export const make = ({
  bytes,
  directories
}: Options): Effect.Effect<string, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const problems: Array<BackupError> = []
    for (const directory of directories) {
      yield* sweep(directory)
      const made = yield* Effect.either(makeIn(directory, bytes))
      if (made._tag === "Right") return path.join(made.right, "content")
      problems.push(made.left)
    }
    return yield* new BackupError({
      reason: problems.at(-1)?.reason ?? "StoreFailed",
      subject: "the content of a backup",
      expected: `a directory to unpack it in, with ${Format.bytes(bytes)} free`,
      found: problems.map(({ found, subject }) => `${subject}: ${found}`).join("; "),
      advice: "Free some space, or name another directory for temporary files (TMPDIR)"
    })
  })

/**
 * The name of such a file where another user makes the directory, and removes it; what is left of it when
 * the scope ends goes by `clean`.
 *
 * @internal
 */
export const name = (
  directory: string,
  clean: Clean
): Effect.Effect<string, BackupError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(nameIn(directory), (made) => path.join(made, "content")),
    (file) => {
      const made = path.dirname(file)
      const isThere = Effect.map(LocalFiles.look(made), Option.isSome)
      return Effect.ignore(
        Effect.if(isThere, { onTrue: () => clean([made]), onFalse: () => Effect.void })
      )
    }
  )

/** Removes directories with the rights of the user that made them. @internal */
export type Clean = (directories: ReadonlyArray<string>) => Effect.Effect<unknown, BackupError>

/** Removes what dead runs of this user left in a directory. What cannot be removed harms nothing. @internal */
export const sweep = (directory: string): Effect.Effect<void> =>
  Effect.ignore(
    Effect.flatMap(left(directory), (all) =>
      Effect.forEach(all, (each) => Effect.promise(() => ScratchFiles.remove(each)), {
        discard: true
      })
    )
  )

/** Directories of dead runs, by their names. @internal */
export const left = (directory: string): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.gen(function* () {
    const names = yield* Effect.orElseSucceed(LocalFiles.names(directory), () => [])
    return yield* Effect.filter(
      names.filter((each) => each.startsWith(scratch)).map((each) => path.join(directory, each)),
      isLeft
    )
  })

const makeIn = (
  directory: string,
  bytes: number
): Effect.Effect<string, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const free = yield* LocalFiles.free(directory)
    if (free !== undefined && free < bytes) {
      return yield* new BackupError({
        reason: "DiskFull",
        subject: directory,
        expected: `${Format.bytes(bytes)} free`,
        found: `${Format.bytes(free)} free`
      })
    }
    yield* ownPlace(directory)
    const made = yield* nameIn(directory)
    return yield* Effect.acquireRelease(
      Effect.as(
        LocalFiles.attempt(made, "a directory that can be written to", () =>
          fs.mkdir(made, { mode: 0o700 })
        ),
        made
      ),
      () => Effect.promise(() => ScratchFiles.remove(made))
    )
  })

const nameIn = (directory: string): Effect.Effect<string> =>
  Effect.map(Unfinished.nextName(scratch), (made) => path.join(directory, made))

/** Whoever may write to a directory without the sticky bit may exchange what root makes in it. */
const ownPlace = (directory: string): Effect.Effect<void, BackupError> =>
  process.geteuid?.() === 0
    ? Effect.flatMap(
        LocalFiles.attempt(directory, "a directory", () => fs.stat(directory)),
        (found) => {
          const isOthers =
            found.uid !== 0 || ((found.mode & 0o022) !== 0 && (found.mode & 0o1000) === 0)
          return isOthers
            ? new BackupError({
                reason: "StoreFailed",
                subject: directory,
                expected: "a directory in which only root can exchange what root makes",
                found: `one of the user ${found.uid}, with mode ${(found.mode & 0o7777).toString(8)}`
              })
            : Effect.void
        }
      )
    : Effect.void

const isLeft = (file: string): Effect.Effect<boolean, BackupError> =>
  Unfinished.isLeft(
    path.basename(file),
    Effect.gen(function* () {
      const stat = yield* LocalFiles.look(file)
      const now = yield* Clock.currentTimeMillis
      return Option.match(stat, { onNone: () => 0, onSome: ({ mtimeMs }) => now - Number(mtimeMs) })
    })
  )
