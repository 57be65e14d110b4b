/**
 * The files of a database from outside: looked at, never opened.
 *
 * @since 0.1.0
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import type { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"
import type { SetAside } from "../Strategy.js"
import * as Names from "./SetAside.js"

interface Options {
  readonly fs: FileSystem
  readonly path: Path
  /** As it was written in the URL. */
  readonly given: string
}

/** @internal */
export interface Place {
  /** Absolute, and without links: SQLite puts its other files beside this one. */
  readonly file: string
  readonly name: string
  readonly directory: string
  readonly exists: boolean
}

/** @internal */
export type Files = ReturnType<typeof make>

/** @internal */
export const make = ({ fs, given, path }: Options) => {
  const failed = (reason: BackupError["reason"], expected: string, advice: string) =>
    Effect.mapError(
      (cause: PlatformError) =>
        new BackupError({ reason, subject: given, expected, found: cause.message, advice, cause })
    )
  const readable = failed(
    "Unreadable",
    "a directory that this user can read",
    "Run it as the user that owns the database"
  )

  const place: Effect.Effect<Place, BackupError> = Effect.gen(function* () {
    const absolute = path.resolve(given)
    const real = yield* Effect.option(fs.realPath(absolute))
    const parent = path.dirname(absolute)
    const directory = Option.isSome(real)
      ? path.dirname(real.value)
      : yield* fs
          .realPath(parent)
          .pipe(failed("Missing", `the directory ${parent}`, "Make it, or check the database URL"))
    const name = path.basename(Option.getOrElse(real, () => absolute))
    const file = path.join(directory, name)
    const exists = yield* readable(fs.exists(file))
    return { file, name, directory, exists }
  })

  /** The place of a database that is there. */
  const present = Effect.filterOrFail(
    place,
    ({ exists }) => exists,
    ({ file }) =>
      new BackupError({
        reason: "Missing",
        subject: file,
        expected: "a database",
        found: "nothing",
        advice: "Check the database URL"
      })
  )

  const size = (file: string): Effect.Effect<number> =>
    fs.stat(file).pipe(
      Effect.map((info) => Number(info.size)),
      Effect.orElseSucceed(() => 0)
    )

  const database: Effect.Effect<Manifest.Database, BackupError> = Effect.map(
    place,
    ({ directory, name }) => ({ engine: "sqlite", name, location: directory })
  )

  /** The database with what is still in its WAL. */
  const bytes = ({ file }: Place): Effect.Effect<number> =>
    Effect.map(Effect.all([size(file), size(`${file}-wal`)]), ([main, wal]) => main + wal)

  const setAside: Effect.Effect<ReadonlyArray<SetAside>, BackupError> = Effect.gen(function* () {
    const { directory, name } = yield* place
    const names = yield* readable(fs.readDirectory(directory))
    const found = names.flatMap((each) =>
      Option.toArray(Option.map(Names.parse(name, each), (at) => ({ name: each, at })))
    )
    const sized = yield* Effect.forEach(found, (each) =>
      Effect.map(size(path.join(directory, each.name)), (total) => ({ ...each, bytes: total }))
    )
    return sized.sort((one, other) => other.at.epochMillis - one.at.epochMillis)
  })

  const dropSetAside = (dropped: string): Effect.Effect<void, BackupError> =>
    Effect.gen(function* () {
      const { directory, name } = yield* place
      if (Option.isNone(Names.parse(name, dropped))) {
        return yield* new BackupError({
          reason: "NotFound",
          subject: dropped,
          expected: `a database that a restore set aside: ${name}_pre_restore_<time>`,
          found: "another name"
        })
      }
      yield* remove([path.join(directory, dropped)])
    })

  /** Databases with what SQLite lays beside them; what is not there is gone already. */
  const remove = (files: ReadonlyArray<string>): Effect.Effect<void, BackupError> =>
    Effect.forEach(
      files.flatMap((file) => ["", "-wal", "-shm", "-journal"].map((end) => `${file}${end}`)),
      (file) => readable(fs.remove(file, { force: true })),
      { discard: true }
    )

  return { place, present, database, bytes, setAside, dropSetAside, remove }
}
