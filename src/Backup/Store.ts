/** Where backups lie: what `Backup` does with a store, made once from any `ObjectStore`. */
import { Context, Effect, Either, Option, Ref, type Scope } from "effect"
import * as path from "node:path"
import { BackupError } from "./BackupError.js"
import * as BackupLock from "./BackupLock.js"
import * as BackupName from "./BackupName.js"
import * as LocalFiles from "./LocalFiles.js"
import * as LocalObject from "./LocalObject.js"
import * as Manifest from "./Manifest.js"
import * as ObjectStore from "./ObjectStore.js"
import * as Listing from "./Store/Listing.js"
import * as Publish from "./Store/Publish.js"
import * as Sweep from "./Store/Sweep.js"
import * as Unfinished from "./Unfinished.js"

export type { Stored } from "./Store/Listing.js"
type Stored = Listing.Stored

/**
 * What speaks against restoring a backup, as far as is known without reading it. Each was verified
 * when it was made: that is taken back where `verify` finds it corrupt.
 */
export const problemOf = ({ manifest, problem }: Stored): string | undefined =>
  problem ??
  (Option.exists(manifest, ({ verified }) => verified === null)
    ? "found corrupt by holter backup verify"
    : undefined)

/** A backup in the making: a place on a local disk, and the way from there into the store. */
export interface Stage {
  /** Where to write it. Nothing is there yet, and what is there when the scope ends is removed. */
  readonly path: string
  /**
   * Makes it a backup of the store, at once or not at all: its size and checksum were read back. Where the
   * manifest has `globals`, they are at `Manifest.globalsOf(path)`.
   */
  readonly publish: (
    manifest: Manifest.Manifest,
    options?: PublishOptions
  ) => Effect.Effect<void, BackupError>
}

export interface PublishOptions {
  /** The strategy has read the file back from the disk a moment ago: where it lies is where it stays. */
  readonly isReadBack?: boolean | undefined
}

export interface Store {
  /** For messages: `directory /var/backups/bot`. */
  readonly description: string
  /** Fails where the place is not the one that was meant, or gives no answer. */
  readonly describe: Effect.Effect<ObjectStore.Description, BackupError>
  /**
   * Every backup, whoever made it, newest first by its manifest or its name. Under a lock those that were there
   * when it was taken, and what became of them since by this run.
   */
  readonly list: Effect.Effect<ReadonlyArray<Stored>, BackupError>
  /**
   * The same, of some of them as others have left them by now, who take no lock: one that was verified, pinned or
   * removed meanwhile.
   */
  readonly relist: (
    isMeant: (backup: Stored) => boolean
  ) => Effect.Effect<ReadonlyArray<Stored>, BackupError>
  /** Whether a backup is there. */
  readonly has: (name: string) => Effect.Effect<boolean, BackupError>
  readonly stage: Effect.Effect<Stage, BackupError, Scope.Scope>
  /** A backup of another store, read from there. */
  readonly publish: (
    manifest: Manifest.Manifest,
    source: Publish.Source,
    onAlive: Effect.Effect<void>
  ) => Effect.Effect<void, BackupError>
  /** Its content, to be read while the scope is open. */
  readonly open: (name: string) => Effect.Effect<ObjectStore.Content, BackupError, Scope.Scope>
  /** The roles and tablespaces beside it. Fails with `Corrupt` where they are not what the manifest says. */
  readonly globals: (
    name: string,
    expected: Manifest.Globals
  ) => Effect.Effect<ObjectStore.Content, BackupError>
  /** The backup on a local disk, with its globals beside it, for as long as the scope is open. */
  readonly fetch: (name: string) => Effect.Effect<string, BackupError, Scope.Scope>
  readonly remove: (name: string) => Effect.Effect<void, BackupError>
  /**
   * Records what was learned of a backup later on: a verification, a drill, a pin. Nothing where its manifest
   * cannot be read.
   */
  readonly update: (
    name: string,
    change: (manifest: Manifest.Manifest) => Manifest.Manifest
  ) => Effect.Effect<void, BackupError>
  /** One run at a time; where it is not free in time, it fails with `Locked` and says who holds it. */
  readonly lock: (
    purpose: string,
    waiting?: BackupLock.Waiting
  ) => Effect.Effect<void, BackupError, Scope.Scope>
  /** Fails with `Locked` where the lock that this run took is another one's by now. */
  readonly held: Effect.Effect<void, BackupError>
  /** Removes what a killed run left, of its own making only. To be called under the lock. */
  readonly sweep: Effect.Effect<ReadonlyArray<string>, BackupError>
}

/** The store that backups are made in, and those that get copies. */
export class BackupStore extends Context.Tag("holter/Backup/BackupStore")<
  BackupStore,
  { readonly main: Store; readonly copies: ReadonlyArray<Store> }
>() {}

/** What a run has as long as it has the lock. */
interface Turn {
  readonly check: Effect.Effect<void, BackupError>
  /** Those that were listed when the lock was taken: not listed again, since there may be thousands. */
  readonly backups: ReadonlyArray<Stored>
  /** What their manifests were then. */
  readonly versions: ReadonlyMap<string, string>
  /** What was listed beside them, and may be left of killed runs. */
  readonly others: ReadonlyArray<ObjectStore.Entry>
}

export interface Options {
  readonly objects: ObjectStore.ObjectStore
  /** A directory of a local disk, where dumps are written before they go into the store. */
  readonly staging: string
}

export const make = ({ objects, staging }: Options): Effect.Effect<Store> =>
  Effect.gen(function* () {
    const turn = yield* Ref.make<Turn | undefined>(undefined)
    const { kind, place } = objects
    /** What changes the store is only done as long as the lock is this run's. */
    const held = Effect.flatMap(Ref.get(turn), (mine) => mine?.check ?? Effect.void)
    const entries = (wanted: ObjectStore.Wanted) =>
      Effect.zipRight(objects.describe, objects.list(wanted))
    const list = Effect.flatMap(Ref.get(turn), (mine) =>
      mine === undefined
        ? Effect.flatMap(entries(Listing.wanted), Listing.backups)
        : Effect.succeed(mine.backups)
    )
    const become = (change: (backups: ReadonlyArray<Stored>) => ReadonlyArray<Stored>) =>
      Ref.update(turn, (mine) =>
        mine === undefined ? undefined : { ...mine, backups: change(mine.backups) }
      )
    const publish: Store["publish"] = (manifest, source, onAlive) =>
      Effect.gen(function* () {
        yield* named(place, manifest.name)
        yield* Publish.publish(objects, manifest, source, { guard: held, onAlive })
        yield* become((backups) =>
          [...Listing.published(manifest), ...backups].sort(Listing.newestFirst)
        )
      })
    const found = (name: string) =>
      Effect.gen(function* () {
        yield* named(place, name)
        const object = yield* objects.get(name)
        if (Option.isSome(object) && object.value.problem === undefined) return object.value
        return yield* missing(place, name, Option.isSome(object))
      })
    return {
      description: `${kind} ${place}`,
      describe: objects.describe,
      list,
      relist: (isMeant) =>
        Effect.gen(function* () {
          const mine = yield* Ref.get(turn)
          if (mine === undefined) return yield* list
          const backups = yield* Effect.forEach(
            mine.backups,
            (one) => (isMeant(one) ? again(objects, one, mine.versions) : Effect.succeedSome(one)),
            { concurrency: atOnce }
          )
          return backups.flatMap((one) => Option.toArray(one))
        }),
      has: (name) => Publish.isThere(objects, name),
      stage: Effect.gen(function* () {
        yield* objects.describe
        yield* LocalFiles.makeDirectory(staging)
        const { file, settle } = yield* scratch(staging)
        return {
          path: file,
          publish: (manifest, { isReadBack = false } = {}) =>
            Effect.gen(function* () {
              const source = yield* Publish.staged(file, manifest, isReadBack)
              yield* publish(manifest, source, Effect.void)
              yield* settle
            })
        }
      }),
      publish,
      open: found,
      globals: (name, expected) => Publish.globals(objects, name, expected),
      fetch: (name) =>
        Effect.gen(function* () {
          const object = yield* found(name)
          if (object.file !== undefined) return object.file
          yield* LocalFiles.makeDirectory(staging)
          const { file } = yield* scratch(staging)
          yield* LocalObject.write(file, object)
          const beside = yield* objects.get(Manifest.globalsOf(name))
          if (Option.isSome(beside)) {
            yield* LocalObject.write(Manifest.globalsOf(file), beside.value)
          }
          return file
        }),
      remove: (name) =>
        Effect.uninterruptible(
          Effect.gen(function* () {
            yield* held
            yield* Effect.scoped(found(name))
            // The backup goes first: a manifest that is left is removed later, a backup without its manifest
            // would stay for ever.
            yield* objects.delete(name)
            yield* Publish.withdrawn(objects, name)
            yield* become((backups) => backups.filter((one) => one.name !== name))
          })
        ),
      update: (name, change) =>
        Effect.gen(function* () {
          yield* Effect.scoped(found(name))
          const manifest = yield* amend(objects, name, change)
          if (Option.isNone(manifest)) return
          yield* become((backups) =>
            backups.map((one) => (one.name === name ? { ...one, manifest } : one))
          )
        }),
      lock: (purpose, waiting) =>
        Effect.gen(function* () {
          yield* objects.describe
          const { check, entries } = yield* BackupLock.acquire(objects, purpose, {
            ...waiting,
            wanted: Sweep.wanted
          })
          const mine = {
            check,
            backups: yield* Listing.backups(entries),
            ...Listing.besides(entries)
          }
          yield* Effect.acquireRelease(Ref.set(turn, mine), () => Ref.set(turn, undefined))
        }),
      held,
      sweep: Effect.gen(function* () {
        yield* held
        const mine = yield* Ref.get(turn)
        const { others } = mine ?? Listing.besides(yield* entries(Sweep.wanted))
        const swept = yield* Sweep.sweep(objects, others)
        // What is staged in the store itself was listed with it.
        return staging === place ? swept : [...swept, ...(yield* Sweep.sweepStaging(staging))]
      })
    } satisfies Store
  })

const atOnce = 16

/**
 * A path of this process alone. All that starts with it is removed with the scope; not looked for where it has
 * gone its way, since there may be thousands beside it.
 */
const scratch = (staging: string) =>
  Effect.gen(function* () {
    const name = yield* Unfinished.nextName()
    const file = path.join(staging, name)
    const isGone = yield* Ref.make(false)
    yield* Effect.addFinalizer(() =>
      clear(staging, name).pipe(Effect.unlessEffect(Ref.get(isGone)), Effect.ignore)
    )
    const settle = Effect.flatMap(LocalFiles.look(file), (found) =>
      Ref.set(isGone, Option.isNone(found))
    )
    return { file, settle }
  })

const clear = (staging: string, prefix: string): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    for (const name of yield* LocalFiles.names(staging)) {
      if (name.startsWith(prefix)) yield* LocalFiles.remove(path.join(staging, name))
    }
  })

/** A name of the store itself: not a path, and nothing but a backup. */
const named = (place: string, name: string): Effect.Effect<void, BackupError> =>
  Option.isSome(BackupName.parse(name))
    ? Effect.void
    : new BackupError({
        reason: "NotFound",
        subject: place,
        expected: "the name of a backup, as list shows it",
        found: JSON.stringify(name)
      })

const missing = (place: string, name: string, isOdd: boolean): BackupError =>
  new BackupError({
    reason: "NotFound",
    subject: place,
    expected: `the backup ${name}`,
    found: isOdd ? "no file and no directory of this name" : "nothing of this name",
    advice: "Choose one that list shows"
  })

/**
 * One that was listed, as it is by now, none where it is gone: one that does not count any more must not push
 * out another. Its manifest is read again where it has changed.
 */
const again = (
  objects: ObjectStore.ObjectStore,
  one: Stored,
  versions: ReadonlyMap<string, string>
): Effect.Effect<Option.Option<Stored>, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      if (!(yield* Publish.isThere(objects, one.name))) return Option.none()
      const record = Manifest.fileOf(one.name)
      const before = versions.get(record)
      // One that this run has made, or nobody with a manifest.
      if (before === undefined) return Option.some(one)
      const now = yield* objects.get(record)
      if (Option.isNone(now)) return Option.none()
      if (now.value.version === before) return Option.some(one)
      const text = yield* Effect.either(ObjectStore.textOf(objects, record))
      const read = Listing.readOf(text)
      return Option.some({ ...one, manifest: Option.flatten(Either.getRight(read)) })
    })
  )

/** As it is by now, and again where somebody else was quicker. */
const amend = (
  objects: ObjectStore.ObjectStore,
  name: string,
  change: (manifest: Manifest.Manifest) => Manifest.Manifest,
  left = 3
): Effect.Effect<Option.Option<Manifest.Manifest>, BackupError> =>
  Effect.gen(function* () {
    const key = Manifest.fileOf(name)
    const text = yield* ObjectStore.textOf(objects, key)
    const known = Option.filterMap(text, (found) => Either.getRight(Manifest.fromJson(found)))
    if (Option.isNone(text) || Option.isNone(known)) return Option.none()
    // What was dumped is what it was.
    const after = { ...change(known.value), dump: known.value.dump }
    const written = yield* Publish.textOf(after, `${objects.place}/${name}`)
    if (yield* objects.put(key, written, text.value)) return Option.some(after)
    if (left > 1) return yield* amend(objects, name, change, left - 1)
    return yield* new BackupError({
      reason: "StoreFailed",
      subject: `${objects.place}/${key}`,
      expected: "a manifest that no other program changes at this moment",
      found: "one that others change again and again",
      advice: "Run it again"
    })
  })
