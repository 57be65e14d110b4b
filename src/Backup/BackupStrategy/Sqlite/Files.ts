/** The files of a database from outside: looked at, never opened. */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import type { Path } from "@effect/platform/Path"
import { Effect, Option } from "effect"
import { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"
import type { SetAside } from "../Strategy.js"
import * as LocalFiles from "../../LocalFiles.js"
import type { User } from "./Protocol.js"
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
  /** The link that leads there, where the URL names one. */
  readonly link: string | undefined
}

/** @internal */
export type Files = ReturnType<typeof make>

const foundOf = (cause: PlatformError): string =>
  cause._tag === "SystemError" && cause.reason === "NotFound" ? "nothing there" : cause.message

/** A database file, and what SQLite lays beside it. @internal */
export const withCompanions = (file: string): ReadonlyArray<string> =>
  ["", "-wal", "-shm", "-journal"].map((end) => `${file}${end}`)

/** As many as Linux follows. */
const mostLinks = 40

/** @internal */
export const make = ({ fs, given, path }: Options) => {
  const failed = (reason: BackupError["reason"], expected: string, advice: string) =>
    Effect.mapError(
      (cause: PlatformError) =>
        new BackupError({ reason, subject: given, expected, found: foundOf(cause), advice, cause })
    )
  const readable = failed(
    "Unreadable",
    "a directory that this user can read",
    "Run it as the user that owns the database"
  )

  /**
   * Where a path leads, also to nothing: what is made there has to be made behind the link, and not in
   * its place.
   */
  const behind = (file: string, links: number): Effect.Effect<string, BackupError> =>
    Effect.gen(function* () {
      const target = yield* Effect.option(fs.readLink(file))
      if (Option.isNone(target)) return file
      if (links >= mostLinks) return yield* endless(file)
      const parent = path.dirname(file)
      const from = yield* Effect.orElseSucceed(fs.realPath(parent), () => parent)
      return yield* behind(path.resolve(from, target.value), links + 1)
    })

  const endless = (found: string) =>
    new BackupError({
      reason: "Missing",
      subject: given,
      expected: "a path that leads to a database",
      found: `symbolic links without an end, such as ${found}`,
      advice: "Correct the links, or the database URL"
    })

  const place: Effect.Effect<Place, BackupError> = Effect.gen(function* () {
    const absolute = path.resolve(given)
    const end = yield* behind(absolute, 0)
    const link = end === absolute ? undefined : absolute
    const parent = path.dirname(end)
    const directory = yield* fs
      .realPath(parent)
      .pipe(
        failed(
          "Missing",
          link === undefined
            ? `the directory ${parent}`
            : `the directory ${parent}, to which the symbolic link ${link} leads`,
          link === undefined
            ? "Make it, or check the database URL"
            : "Mount it or make it, or correct the link"
        )
      )
    const name = path.basename(end)
    const file = path.join(directory, name)
    const exists = yield* readable(fs.exists(file))
    return { file, name, directory, exists, link }
  })

  /** The place of a database that is there. */
  const present = Effect.filterOrElse(
    place,
    ({ exists }) => exists,
    ({ file, link }) =>
      new BackupError({
        reason: "Missing",
        subject: file,
        expected: "a database",
        found: link === undefined ? "nothing" : `nothing where the symbolic link ${link} leads`,
        advice:
          link === undefined
            ? "Check the database URL"
            : "Mount the disk that it should be on, or correct the link"
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

  /** Whose programs are likely to work with it. */
  const owners = ({ directory, file }: Place): Effect.Effect<ReadonlyArray<number>> =>
    Effect.map(Effect.all([file, directory].map((each) => Effect.option(fs.stat(each)))), (found) =>
      found.flatMap(Option.toArray).flatMap(({ uid }) => Option.toArray(uid))
    )

  /**
   * Whose rights the work is done with: the owner's where root does it, since whoever owns the files or
   * their directory decides where each path leads.
   */
  const user = ({ directory, file }: Place): Effect.Effect<User | undefined, BackupError> =>
    Effect.gen(function* () {
      if (process.geteuid?.() !== 0) return undefined
      for (const each of [file, directory]) {
        const found = Option.getOrUndefined(yield* LocalFiles.look(each))
        if (found !== undefined && found.uid !== 0n) {
          return { uid: Number(found.uid), gid: Number(found.gid) }
        }
      }
      return undefined
    })

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

  /** The file of that name. */
  const setAsideAt = (dropped: string): Effect.Effect<string, BackupError> =>
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
      return path.join(directory, dropped)
    })

  /** Databases with what SQLite lays beside them; what is not there is gone already. */
  const remove = (files: ReadonlyArray<string>): Effect.Effect<void, BackupError> =>
    Effect.forEach(
      files.flatMap(withCompanions),
      (file) => readable(fs.remove(file, { force: true })),
      { discard: true }
    )

  return { place, present, database, bytes, owners, user, setAside, setAsideAt, remove }
}
