/** A store that is a directory: of this machine, or of another one that is mounted here. */
import { Effect, Option, Ref } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "../BackupError.js"
import * as BackupLock from "../BackupLock.js"
import * as BackupName from "../BackupName.js"
import * as LocalFiles from "../LocalFiles.js"
import * as Manifest from "../Manifest.js"
import * as Listing from "./Directory/Listing.js"
import * as Mount from "./Directory/Mount.js"
import { publish, replaceManifest } from "./Directory/Publish.js"
import * as Staging from "./Directory/Staging.js"
import type { Store } from "./Store.js"
import { codeOf } from "../../Common/Errors.js"

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

/** What a run has as long as it has the lock. */
interface Turn {
  readonly lock: BackupLock.Held
  /** Kept no longer, since the manifests of thousands of backups are many megabytes. */
  readonly read: Listing.Memory
}

export const make = (options: Options): Effect.Effect<Store> =>
  Effect.gen(function* () {
    const directory = path.resolve(options.path)
    const turn = yield* Ref.make<Turn | undefined>(undefined)
    /** What changes the directory is only done as long as the lock is this run's. */
    const guard = Effect.flatMap(Ref.get(turn), (mine) => mine?.lock.check ?? Effect.void)
    const main = options.memory === undefined ? undefined : path.resolve(options.memory)
    const memory = main === undefined ? undefined : { directory: main, of: directory }
    const { host, witnesses = [] } = options
    const memories =
      host === undefined
        ? []
        : witnesses.map((copy) => ({ directory: path.resolve(copy), of: ofMain(directory, host) }))
    const mounted = Effect.zipRight(
      Mount.checkMain(directory, memories),
      options.mounted === true ? Mount.checkMark(directory) : Effect.void
    )
    const ready = mounted.pipe(
      Effect.zipRight(prepare(directory, options.create)),
      Effect.zipRight(memory === undefined ? Effect.void : Mount.check(directory, memory))
    )
    /** Before the first call to a directory that may be a share. */
    const answered = memory === undefined ? Effect.void : Mount.answers(directory)
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
    return {
      description: `directory ${directory}`,
      list: answered.pipe(
        Effect.zipRight(options.create ? Effect.zipRight(mounted, existing(directory)) : ready),
        Effect.zipRight(Ref.get(turn)),
        Effect.flatMap((mine) => Listing.all(directory, mine?.read))
      ),
      stage: Effect.gen(function* () {
        yield* ready
        const partial = yield* Staging.make(directory)
        return {
          path: partial,
          publish: (manifest, options = {}) =>
            Effect.zipRight(
              named(directory, manifest.name),
              publish({ directory, partial, guard }, manifest, options)
            )
        }
      }),
      fetch: (name) => Effect.flatMap(found(directory, name), Effect.succeed),
      remove: (name) => Effect.zipRight(guard, remove(directory, name)),
      update: (manifest) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* found(directory, manifest.name)
            yield* replaceManifest(directory, yield* Staging.make(directory), manifest)
          })
        ),
      lock: (purpose, waiting) =>
        Effect.gen(function* () {
          yield* answered
          yield* ready
          const lock = yield* BackupLock.acquire(directory, purpose, waiting)
          yield* used
          const mine = { lock, read: new Map() }
          yield* Effect.acquireRelease(Ref.set(turn, mine), () => Ref.set(turn, undefined))
        }),
      held: guard,
      warnings: Effect.map(LocalFiles.look(directory), (stat) =>
        Option.exists(stat, ({ mode }) => (mode & 0o077n) !== 0n)
          ? [`${directory} is open to other users of this machine; chmod 700 closes it`]
          : []
      ),
      sweep: Effect.zipRight(guard, Staging.sweep(directory)),
      free: Effect.zipRight(ready, LocalFiles.free(directory))
    } satisfies Store
  })

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

/** A name of the store itself: not a path, and nothing but a backup. */
const named = (directory: string, name: string): Effect.Effect<string, BackupError> =>
  Option.isSome(BackupName.parse(name))
    ? Effect.succeed(path.join(directory, name))
    : Effect.fail(
        new BackupError({
          reason: "NotFound",
          subject: directory,
          expected: "the name of a backup, as list shows it",
          found: JSON.stringify(name)
        })
      )

const found = (directory: string, name: string): Effect.Effect<string, BackupError> =>
  Effect.gen(function* () {
    const file = yield* named(directory, name)
    const stat = yield* LocalFiles.look(file)
    if (Option.isSome(stat) && (stat.value.isFile() || stat.value.isDirectory())) return file
    return yield* new BackupError({
      reason: "NotFound",
      subject: directory,
      expected: `the backup ${name}`,
      found: Option.isSome(stat) ? "no file and no directory of this name" : "nothing of this name",
      advice: "Choose one that list shows"
    })
  })

/**
 * The backup goes first: a manifest that is left is removed later, a backup without its manifest
 * would stay for ever. A directory cannot go at once, so it loses its name first.
 */
const remove = (directory: string, name: string): Effect.Effect<void, BackupError> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const file = yield* found(directory, name)
      const aside = path.join(directory, yield* Staging.nextName)
      yield* LocalFiles.rename(file, aside)
      yield* LocalFiles.remove(path.join(directory, Manifest.globalsOf(name)))
      yield* LocalFiles.remove(path.join(directory, Manifest.fileOf(name)))
      yield* LocalFiles.remove(aside)
      yield* LocalFiles.syncDirectory(directory)
    })
  )
