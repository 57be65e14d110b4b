/** Objects in a directory: of this machine, or of another one that is mounted here. */
import { Clock, Effect, Either, Option, Ref, type Scope } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { codeOf } from "../../Common/Errors.js"
import { BackupError } from "../BackupError.js"
import * as BackupLock from "../BackupLock.js"
import * as LocalFiles from "../LocalFiles.js"
import * as LocalObject from "../LocalObject.js"
import type { Content, Entry, ObjectStore, PutOptions, Wanted } from "../ObjectStore.js"
import * as Unfinished from "../Unfinished.js"
import * as Crowd from "./Directory/Crowd.js"
import * as Mount from "./Directory/Mount.js"

export interface Options {
  readonly path: string
  /**
   * Whether a directory that is missing is made, for this user alone. Not so for copies: where a
   * disk is not mounted, they would go to the disk below.
   */
  readonly create: boolean
  /** Of a directory for copies: the main one, where it is remembered that it was used. */
  readonly memory?: string | undefined
  /** The directories for copies, where the same is remembered of the main one. */
  readonly witnesses?: ReadonlyArray<string> | undefined
  /** This machine, where its name stays: others may keep their copies in the same place. */
  readonly host?: string | undefined
  /** Nothing is written where the mark of a mounted disk is missing, also at the first use. */
  readonly mounted?: boolean | undefined
}

export const make = (options: Options): Effect.Effect<ObjectStore> =>
  Effect.gen(function* () {
    const directory = path.resolve(options.path)
    const disk = yield* diskOf(directory, options)
    const at = (key: string): string => path.join(directory, key)
    const named = (key: string): boolean => path.basename(key) === key && !/^\.{0,2}$/.test(key)
    return {
      kind: "directory",
      place: directory,
      describe: Effect.zipRight(disk.readable, describe(directory)),
      list: (wanted) => list(directory, wanted),
      get: (key) => (named(key) ? LocalObject.find(at(key)) : Effect.succeedNone),
      put: (key, text, over) => replace(directory, key, text, over),
      putIfAbsent: (key, content, given) =>
        Effect.zipRight(disk.writable, publish(directory, key, content, given)),
      delete: (key) => (named(key) ? remove(directory, key) : Effect.void)
    } satisfies ObjectStore
  })

/** Whether it is the directory that was meant, and may be worked in. */
const diskOf = (directory: string, options: Options) =>
  Effect.gen(function* () {
    const { create, host, witnesses = [] } = options
    const main = options.memory === undefined ? undefined : path.resolve(options.memory)
    const memory = main === undefined ? undefined : { directory: main, of: directory }
    const memories =
      host === undefined
        ? []
        : witnesses.map((copy) => ({ directory: path.resolve(copy), of: ofMain(directory, host) }))
    const marked = options.mounted === true ? Mount.checkMark(directory) : Effect.void
    const mounted = Effect.zipRight(Mount.checkMain(directory, memories), marked)
    const prepared = prepare(directory, create).pipe(
      Effect.zipRight(memory === undefined ? Effect.void : Mount.check(directory, memory))
    )
    /** By now it is certain that this is the disk that was meant. */
    const used =
      memory === undefined
        ? Effect.void
        : Effect.zipRight(
            Mount.use(directory, memory),
            host === undefined
              ? Effect.void
              : Mount.remember(memory.directory, { directory, of: ofMain(memory.directory, host) })
          )
    const answered = memory === undefined ? Effect.void : yield* recently(Mount.answers(directory))
    return {
      readable: Effect.zipRight(
        answered,
        Effect.zipRight(mounted, create ? existing(directory) : prepared)
      ),
      // No other disk is asked here: who publishes is not to be interrupted, and a share may give no answer.
      writable: Effect.all([marked, prepared, used], { discard: true })
    }
  })

/** Not asked again for a while: each time costs a process. */
const recently = (ask: Effect.Effect<void, BackupError>) =>
  Effect.map(Ref.make(Number.NEGATIVE_INFINITY), (last) =>
    Effect.gen(function* () {
      const before = yield* Ref.get(last)
      if ((yield* Clock.currentTimeMillis) - before < recentMillis) return
      yield* ask
      yield* Ref.set(last, yield* Clock.currentTimeMillis)
    })
  )

const recentMillis = 10_000

const ofMain = (directory: string, host: string): string => `${host}:${directory}`

/** Nothing there yet is no failure: then there are no backups. */
const existing = (directory: string): Effect.Effect<void, BackupError> =>
  Effect.flatMap(
    LocalFiles.attempt(directory, "a directory", () =>
      fs.stat(directory).then(
        (stat) => stat.isDirectory(),
        (cause: unknown) => {
          if (codeOf(cause) === "ENOENT") return true
          throw cause
        }
      )
    ),
    (isDirectory) => (isDirectory ? Effect.void : Effect.fail(notDirectory(directory)))
  )

const prepare = (directory: string, create: boolean): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    yield* existing(directory)
    if (create) return yield* LocalFiles.makeDirectory(directory)
    yield* LocalFiles.attempt(directory, "a directory that is there", () => fs.stat(directory))
  })

const notDirectory = (directory: string): BackupError =>
  new BackupError({
    reason: "StoreFailed",
    subject: directory,
    expected: "a directory",
    found: "a file",
    advice: "Choose another path"
  })

const describe = (directory: string) =>
  Effect.gen(function* () {
    const stat = yield* LocalFiles.look(directory)
    if (Option.isNone(stat)) return { free: Effect.succeed(undefined), warnings: [] }
    const isOpen = (stat.value.mode & 0o077n) !== 0n
    return {
      free: LocalFiles.free(directory),
      warnings: isOpen
        ? [`${directory} is open to other users of this machine; chmod 700 closes it`]
        : []
    }
  })

const list = (
  directory: string,
  wanted: Wanted
): Effect.Effect<ReadonlyArray<Entry>, BackupError> =>
  Effect.gen(function* () {
    // Names cost nothing: only what is wanted is looked at.
    const names = (yield* LocalFiles.names(directory)).filter(wanted.keys)
    const plain =
      names.length < Crowd.many
        ? new Map<string, Crowd.Plain>()
        : yield* Crowd.look({
            directory,
            names: names.map((name) => ({ name, isText: wanted.texts(name) }))
          })
    const others = yield* Effect.forEach(
      names.filter((name) => !plain.has(name)),
      (name) => entryAt(path.join(directory, name), wanted.texts(name)),
      { concurrency: atOnce }
    )
    return [...[...plain.values()].map(entryOf), ...others.flatMap((one) => Option.toArray(one))]
  })

/** As many as Node has threads for files, and some that wait for one. */
const atOnce = 16

const entryOf = ({ name, text, ...plain }: Crowd.Plain): Entry => ({
  ...plain,
  key: name,
  parts: undefined,
  problem: undefined,
  text: text === null ? undefined : Either.right(text)
})

const entryAt = (file: string, isText: boolean): Effect.Effect<Option.Option<Entry>, BackupError> =>
  Effect.gen(function* () {
    // What is in a directory of somebody else's scratch files is none of this user's business.
    const flat = isText || Unfinished.isName(path.basename(file))
    const entry = yield* LocalObject.look(file, { flat })
    if (Option.isNone(entry) || !isText) return entry
    const text = yield* Effect.either(LocalFiles.text(file))
    return Either.match(text, {
      onLeft: (error) => Option.some({ ...entry.value, text: Either.left(error) }),
      // None where it is gone by now.
      onRight: Option.map((found) => ({ ...entry.value, text: Either.right(found) }))
    })
  })

/** Longer text that begins with the old one is added to the file itself: nothing is made anew by that. */
const replace = (
  directory: string,
  key: string,
  text: string,
  over: string
): Effect.Effect<boolean, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const file = path.join(directory, key)
      if (!Option.contains(yield* LocalFiles.text(file), over)) return false
      if (text.startsWith(over)) return yield* LocalFiles.append(file, text.slice(over.length))
      const draft = yield* draftIn(directory)
      yield* LocalFiles.write(draft, text)
      yield* LocalFiles.rename(draft, file)
      yield* LocalFiles.syncDirectory(directory)
      return true
    })
  )

/** At once or not at all, never over another. */
const publish = (
  directory: string,
  key: string,
  content: Content,
  { beforeCommit = Effect.void, onAlive = Effect.void, staged }: PutOptions = {}
): Effect.Effect<boolean, BackupError> =>
  Effect.scoped(
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const file = path.join(directory, key)
        if (Option.isSome(yield* LocalFiles.look(file))) return false
        const isStaged = staged !== undefined && path.dirname(staged.path) === directory
        const draft = isStaged ? staged.path : yield* draftIn(directory)
        const isFile = LocalObject.isSingle(content)
        yield* restore(
          Effect.gen(function* () {
            if (content.text !== undefined) return yield* LocalFiles.write(draft, content.text)
            if (!isStaged) yield* LocalObject.write(draft, content)
            yield* secure(draft, isFile)
            if (!isStaged || !staged.isReadBack) yield* readBack(draft, content, onAlive)
          })
        )
        yield* beforeCommit
        // A lock has to be one process's for certain. For the rest a look is good enough: under the lock only
        // others than Holter make files here.
        const otherwise =
          content.text !== undefined && BackupLock.isLock(key)
            ? writeNew(file, content.text)
            : moved(draft, file)
        const isNamed = yield* isFile ? claimed(draft, file, otherwise) : moved(draft, file)
        if (isNamed) yield* LocalFiles.syncDirectory(directory)
        return isNamed
      })
    )
  )

/** A path of this process alone; what has its name is removed with the scope. */
const draftIn = (directory: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Unfinished.nextName(), (name) => path.join(directory, name)),
    (draft) => Effect.ignore(LocalFiles.remove(draft))
  )

/** A second name, then the first one goes; another way where the file system has no hard links. */
const claimed = (
  draft: string,
  file: string,
  withoutLinks: Effect.Effect<boolean, BackupError>
): Effect.Effect<boolean, BackupError> =>
  LocalFiles.claim(draft, file).pipe(
    Effect.tap((ours) => (ours ? Effect.ignore(LocalFiles.remove(draft)) : Effect.void)),
    Effect.catchIf(LocalFiles.isWithoutLinks, () => withoutLinks)
  )

const moved = (draft: string, file: string): Effect.Effect<boolean, BackupError> =>
  Effect.gen(function* () {
    if (Option.isSome(yield* LocalFiles.look(file))) return false
    yield* LocalFiles.rename(draft, file)
    return true
  })

const writeNew = (file: string, text: string): Effect.Effect<boolean, BackupError> =>
  LocalFiles.write(file, text).pipe(
    Effect.as(true),
    Effect.catchIf(
      (error) => codeOf(error.cause) === "EEXIST",
      () => Effect.succeed(false)
    )
  )

/** For this user alone, as far as the file system knows users, and on the disk. */
const secure = (draft: string, isFile: boolean): Effect.Effect<void, BackupError> =>
  Effect.zipRight(
    Effect.ignore(LocalFiles.makePrivate(draft, isFile ? "file" : "directory")),
    isFile ? LocalFiles.sync(draft) : LocalFiles.syncDirectory(draft)
  )

/** Size and checksum as the file system gives them back. */
const readBack = (
  draft: string,
  { parts }: Content,
  onAlive: Effect.Effect<void>
): Effect.Effect<void, BackupError> =>
  Effect.forEach(
    parts,
    ({ bytes, path: part, sha256 }) =>
      Effect.gen(function* () {
        if (sha256 === undefined) return
        const file = path.join(draft, part)
        const stat = yield* LocalFiles.look(file)
        const size = Option.match(stat, { onNone: () => 0, onSome: (found) => Number(found.size) })
        const found = yield* LocalFiles.sha256(file, onAlive)
        if (found === sha256 && (bytes === undefined || bytes === size)) return
        return yield* new BackupError({
          reason: "Corrupt",
          subject: file,
          expected: `${bytes ?? size} bytes with the checksum ${sha256}`,
          found: `${size} bytes with the checksum ${found} when read back`,
          advice: "Check the disk, and run it again"
        })
      }),
    { discard: true }
  )

/** A directory cannot go at once, so it loses its name first, where it has one that means something. */
const remove = (directory: string, key: string): Effect.Effect<void, BackupError> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const file = path.join(directory, key)
      const stat = yield* LocalFiles.look(file)
      if (Option.isNone(stat)) return
      if (stat.value.isDirectory() && !Unfinished.isName(key)) {
        const aside = path.join(directory, yield* Unfinished.nextName())
        yield* LocalFiles.rename(file, aside)
        yield* LocalFiles.remove(aside)
      } else yield* LocalFiles.remove(file)
      yield* LocalFiles.syncDirectory(directory)
    })
  )
