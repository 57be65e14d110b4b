/** The strategy's operations, as requests to the child. */
import { Effect, Option, Scope } from "effect"
import * as os from "node:os"
import * as path from "node:path"
import { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"
import * as Replacement from "../../Replacement.js"
import type {
  DumpOptions,
  HoldOptions,
  OnProgress,
  Payload,
  Present,
  Restored,
  RestoreOptions,
  Strategy
} from "../Strategy.js"
import type { Ended, Started } from "./Child.js"
import * as FileIdentity from "./FileIdentity.js"
import { type Files, type Place, withCompanions } from "./Files.js"
import * as OpenFiles from "./OpenFiles.js"
import type * as Protocol from "./Protocol.js"
import * as Scratch from "./Scratch.js"
import * as SetAside from "./SetAside.js"
import * as Strays from "./Strays.js"

interface Options {
  readonly files: Files
  readonly ask: (
    request: Protocol.Request,
    onProgress: OnProgress
  ) => Effect.Effect<Ended, BackupError>
  readonly start: (
    request: Protocol.Request,
    onProgress: OnProgress
  ) => Effect.Effect<Started, BackupError, Scope.Scope>
  readonly copy: Protocol.DumpRequest["copy"]
  readonly busyTimeout: number
}

/** @internal */
export const make = (options: Options): Strategy => {
  const { files } = options
  return {
    engine: "sqlite",
    extension,
    database: files.database,
    identity: Effect.flatMap(Effect.option(files.place), (place) =>
      Option.isNone(place) ? Effect.succeed(undefined) : FileIdentity.read(place.value.file)
    ),
    present: present(options),
    // The copy; nobody knows before how much smaller it gets by compression.
    estimate: Effect.gen(function* () {
      const place = yield* files.present
      const request = {
        _tag: "Measure",
        database: place.file,
        user: yield* files.user(place)
      } as const
      const { bytes } = yield* asked(options, request, "Measured", silent)
      return bytes
    }),
    dump: (given) => dump(options, given, false),
    verify: (payload, { deep, justDumped: readBack = false, onProgress }) => {
      const ask = (request: Protocol.PayloadRequest) =>
        asked(options, { _tag: "Verify", ...request, deep, readBack }, "Verified", onProgress)
      // Nothing is unpacked to read a dump back.
      const isRead = readBack && !deep && payload.dump?.contentSha256 !== undefined
      return isRead
        ? Effect.scoped(Effect.flatMap(unpacking(payload, Effect.succeed("")), ask))
        : withScratch(options, payload, 1, ask)
    },
    drill: (payload, { onProgress }) =>
      withScratch(options, payload, 2, (request) =>
        asked(options, { _tag: "Drill", ...request }, "Drilled", onProgress)
      ),
    restore: (payload, given) =>
      Effect.scoped(
        Effect.flatMap(prepare(options, payload, given), (started) =>
          finish(options, started, given)
        )
      ),
    hold: (payload, given) =>
      Effect.gen(function* () {
        const started = yield* prepare(options, payload, given)
        yield* started.locked
        return {
          dump: (asked) => dump(options, asked, true),
          restore: finish(options, started, given)
        }
      }),
    setAside: files.setAside,
    dropSetAside: (name) =>
      Effect.gen(function* () {
        const file = yield* files.setAsideAt(name)
        const user = yield* files.user(yield* files.place)
        yield* user === undefined
          ? files.remove([file])
          : clean(options, user, { files: withCompanions(file) })
      })
  }
}

const extension = (compression: DumpOptions["compression"]): string =>
  ({ none: "db", gzip: "db.gz", zstd: "db.zst" })[compression]

/** Also who works in a file that was deleted or replaced: beside them nothing is restored. */
const present = (options: Options): Effect.Effect<Present, BackupError> =>
  Effect.gen(function* () {
    const place = yield* options.files.place
    const look = yield* Strays.look(place.file)
    const [first, ...others] = look.strays
    if (first !== undefined) return yield* Strays.refusal(place.file, [first, ...others])
    if (!place.exists) return { _tag: "Absent", ...warned(Strays.doubts(look, () => true)) }
    const request = {
      _tag: "Present",
      database: place.file,
      user: yield* options.files.user(place),
      busyTimeout: options.busyTimeout
    } as const
    const { advice, damaged, journal } = yield* asked(options, request, "Present", silent)
    if (damaged !== undefined)
      return { _tag: "Damaged", found: damaged, ...(advice === undefined ? {} : { advice }) }
    const owners = yield* options.files.owners(place)
    const warnings = Strays.doubts(look, (each) => owners.includes(each))
    const bytes = yield* options.files.bytes(place)
    return { _tag: "Readable", bytes, ...journaled(journal), ...warned(warnings) }
  })

const journaled = (journal: ReadonlyArray<string> = []) => (journal.length === 0 ? {} : { journal })

const warned = (warnings: ReadonlyArray<string>) => (warnings.length === 0 ? {} : { warnings })

const dump = (
  options: Options,
  given: DumpOptions,
  held: boolean
): Effect.Effect<Manifest.Dump, BackupError> =>
  Effect.gen(function* () {
    const { busyTimeout, copy, files } = options
    const { compression, level, onProgress, path: target } = given
    const place = yield* files.place
    const { directory, file } = place
    const look = yield* Strays.look(file)
    yield* Effect.mapError(files.present, (error) => missing(error, file, look.strays))
    const owners = yield* files.owners(place)
    const user = yield* files.user(place)
    // Where that user may not write beside the database, another place has to do.
    const scratchIn = owners.at(-1) === user?.uid ? directory : os.tmpdir()
    // Where the dump is written the store sweeps, from its own list of what is there.
    const directories = user === undefined ? [directory] : [directory, scratchIn]
    yield* Effect.forEach(directories, sweep(options, user))
    const copyAt =
      user === undefined
        ? `${target}.copy`
        : yield* Scratch.name(scratchIn, cleaning(options, user))
    const database = yield* files.database
    const request = {
      _tag: "Dump",
      database: file,
      path: target,
      compression,
      level,
      copy,
      copyAt,
      held,
      user,
      busyTimeout
    } as const
    const dumped = yield* asked(options, request, "Dumped", onProgress)
    const warnings = [
      ...look.strays.map((stray) => Strays.warning(file, stray)),
      ...Strays.doubts(look, (each) => owners.includes(each)),
      ...dumped.warnings
    ]
    return { ...dumped, database, compression, warnings }
  }).pipe(
    Effect.scoped,
    Effect.onError(() => Effect.ignore(options.files.remove([given.path, `${given.path}.copy`])))
  )

/** Up to where the child has the lock, or has said why not. */
const prepare = (
  options: Options,
  payload: Payload,
  given: HoldOptions
): Effect.Effect<Started, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const { busyTimeout, files } = options
    // Closed after all that is opened below: the program writes again when the lock is gone.
    const calm = yield* Effect.acquireRelease(Scope.make(), Scope.close)
    const { journal, onProgress, quiesce, replaceDamaged, startedAt } = given
    const place = yield* files.place
    const { directory, file } = place
    const user = yield* files.user(place)
    yield* sweep(options, user)(directory)
    // Beside the database, where it may become the database; the child looks whether there is room.
    const scratch =
      user === undefined
        ? Scratch.make({ directories: [directory], bytes: 0 })
        : Scratch.name(directory, cleaning(options, user))
    const content = yield* unpacking(payload, scratch)
    const aside = SetAside.nameOf(file, startedAt)
    const keepJournal = journal !== "backup"
    const own = { database: file, aside, replaceDamaged, keepJournal, busyTimeout, user }
    const quiesces = quiesce !== undefined
    const request = { _tag: "Restore", ...content, ...own, quiesces } as const
    const started = yield* options.start(request, onProgress)
    if (quiesce !== undefined) {
      yield* started.prepared
      yield* Scope.extend(quiesce, calm)
      yield* started.approach
    }
    return started
  })

/** What is deleted may still be at hand. */
const missing = (
  error: BackupError,
  file: string,
  [stray]: ReadonlyArray<Strays.Stray>
): BackupError =>
  stray === undefined
    ? error
    : new BackupError({
        ...error,
        found: `nothing; ${Strays.described(stray)} works in what was deleted`,
        advice: Strays.rescue(file, stray)
      })

/** An interruption kills the child, and SQLite rolls back what is not committed by then. */
const finish = (
  { files }: Options,
  started: Started,
  given: RestoreOptions
): Effect.Effect<Restored, BackupError> =>
  Effect.gen(function* () {
    const isReplaced = yield* started.locked
    const doubt = isReplaced ? yield* unused(yield* files.place) : undefined
    return yield* Replacement.breakable(given, {
      run: Effect.map(
        ended("Restore", "Restored", started.finish),
        ({ setAside, warnings, ...rest }) => ({
          ...rest,
          setAside,
          warnings: [...warnings, ...(doubt === undefined || setAside === undefined ? [] : [doubt])]
        })
      ),
      setAside: ({ setAside }: Restored) => setAside
    })
  })

/** Asked before a database is moved out of its place: why it may be in use all the same. */
const unused = ({ file }: Place): Effect.Effect<string | undefined, BackupError> =>
  Effect.flatMap(OpenFiles.usersOf(withCompanions(file)), ({ doubt, processes }) =>
    processes.length === 0
      ? Effect.succeed(doubt)
      : new BackupError({
          reason: "InUse",
          subject: file,
          expected: "no process that has it open",
          found: processes.join(", "),
          advice: "Stop it, and try again"
        })
  )

/** Room for some copies of the content: beside the backup, or where else there is a place. */
const withScratch = <A>(
  options: Options,
  payload: Payload,
  copies: number,
  use: (request: Protocol.PayloadRequest) => Effect.Effect<A, BackupError>
): Effect.Effect<A, BackupError> =>
  Effect.gen(function* () {
    const live = yield* Effect.option(options.files.place)
    const directories = [
      path.dirname(payload.path),
      os.tmpdir(),
      ...Option.toArray(Option.map(live, ({ directory }) => directory))
    ]
    const bytes = (payload.dump?.contentBytes ?? 0) * copies
    return yield* use(yield* unpacking(payload, Scratch.make({ directories, bytes })))
  }).pipe(Effect.scoped)

/** A payload with a name for its content; whatever becomes of the child, nothing is left under it. */
const unpacking = (
  payload: Payload,
  scratch: Effect.Effect<string, BackupError, Scope.Scope>
): Effect.Effect<Protocol.PayloadRequest, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const { dump: expected, path } = payload
    const compression = yield* readableCompression(payload)
    return { path, compression, expected, scratch: yield* scratch }
  })

/** What dead runs left, of this user and of the one that the child works as. */
const sweep = (options: Options, user: Protocol.User | undefined) => (directory: string) =>
  Effect.gen(function* () {
    yield* Scratch.sweep(directory)
    if (user === undefined) return
    const left = yield* Scratch.left(directory)
    if (left.length > 0) yield* clean(options, user, { directories: left })
  }).pipe(Effect.ignore)

const cleaning =
  (options: Options, user: Protocol.User): Scratch.Clean =>
  (directories) =>
    clean(options, user, { directories })

const clean = (
  options: Options,
  user: Protocol.User,
  { directories = [], files = [] }: Partial<Pick<Protocol.CleanRequest, "directories" | "files">>
) => asked(options, { _tag: "Clean", directories, files, user }, "Cleaned", silent)

const readableCompression = ({
  compression,
  path
}: Payload): Effect.Effect<Protocol.PayloadRequest["compression"], BackupError> =>
  compression === "internal"
    ? new BackupError({
        reason: "WrongEngine",
        subject: path,
        expected: "a backup of a SQLite database",
        found: "a dump with a compression of its own",
        advice: "Give the URL of the database that it is of"
      })
    : Effect.succeed(compression)

const asked = <Tag extends Ended["_tag"]>(
  { ask }: Options,
  request: Protocol.Request,
  tag: Tag,
  onProgress: OnProgress
): Effect.Effect<Omit<Extract<Ended, { readonly _tag: Tag }>, "_tag">, BackupError> =>
  ended(request._tag, tag, ask(request, onProgress))

/** An answer of another kind would be a fault of the program. */
const ended = <Tag extends Ended["_tag"]>(
  asked: Protocol.Request["_tag"],
  tag: Tag,
  answer: Effect.Effect<Ended, BackupError>
): Effect.Effect<Omit<Extract<Ended, { readonly _tag: Tag }>, "_tag">, BackupError> =>
  Effect.flatMap(answer, (answer) => {
    if (!isTagged(answer, tag)) {
      return Effect.dieMessage(`the child answered ${answer._tag} to ${asked}`)
    }
    const { _tag, ...rest } = answer
    return Effect.succeed(rest)
  })

const isTagged = <Tag extends Ended["_tag"]>(
  answer: Ended,
  tag: Tag
): answer is Extract<Ended, { readonly _tag: Tag }> => answer._tag === tag

const silent: OnProgress = () => Effect.void
