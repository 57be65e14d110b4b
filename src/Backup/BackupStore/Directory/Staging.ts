/**
 * Backups in the making, and what is left of those that were killed.
 *
 * All that is not finished has a name that starts with `.partial-` and tells which process made it.
 */
import { Effect, Either, Option, type Scope } from "effect"
import * as path from "node:path"
import type { BackupError } from "../../BackupError.js"
import * as BackupName from "../../BackupName.js"
import * as ProcessIdentity from "../../../System/ProcessIdentity.js"
import * as LocalFiles from "../../LocalFiles.js"
import * as Manifest from "../../Manifest.js"
import { withdrawn } from "./Publish.js"

/** A path of this process alone. All that starts with it is removed with the scope. @internal */
export const make = (directory: string): Effect.Effect<string, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const prefix = yield* nextName
    yield* Effect.addFinalizer(() => Effect.ignore(clear(directory, prefix)))
    return path.join(directory, prefix)
  })

/** Removes what dead runs left, and tells it. @internal */
export const sweep = (directory: string): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.gen(function* () {
    const names = new Set(yield* LocalFiles.names(directory))
    const swept: Array<string> = []
    const now = yield* Effect.cached(timeThere(directory))
    const me = yield* ProcessIdentity.self
    for (const name of names) {
      const isManifest = isOrphanName(name, names)
      const isLeft = isManifest
        ? yield* isOrphan(directory, name)
        : name.startsWith(start) && (yield* isStale(directory, name, { me, now }))
      if (!isLeft) continue
      const file = path.join(directory, name)
      const backup = isManifest ? Manifest.backupOf(file) : undefined
      // What another user left cannot be removed, and harms nothing.
      const isGone = yield* Effect.isSuccess(
        backup === undefined ? LocalFiles.remove(file) : withdrawn(backup)
      )
      if (isGone) swept.push(name)
    }
    return swept
  })

/** A name that nobody else makes: for a file that is moved out of the way. @internal */
export const nextName: Effect.Effect<string> = Effect.gen(function* () {
  return `${start}${ProcessIdentity.format(yield* ProcessIdentity.self)}-${yield* ProcessIdentity.unique}`
})

const start = ".partial-"

/** An owner, and what makes its names unique; strategies put more behind it. */
const form = /^\.partial-([0-9a-z-]+)-[0-9a-f]{16}(?![0-9a-z])/

const clear = (directory: string, prefix: string): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    for (const name of yield* LocalFiles.names(directory)) {
      if (name.startsWith(prefix)) yield* LocalFiles.remove(path.join(directory, name))
    }
  })

const isStale = (
  directory: string,
  name: string,
  {
    me,
    now
  }: {
    readonly me: ProcessIdentity.ProcessIdentity
    readonly now: Effect.Effect<number, BackupError>
  }
): Effect.Effect<boolean, BackupError> =>
  Effect.gen(function* () {
    const owner = ProcessIdentity.parse(form.exec(name)?.[1] ?? "", me)
    if (owner === undefined) return false
    const state = yield* ProcessIdentity.stateOf(owner, me)
    if (state !== "unknown") return state === "dead"
    const stat = yield* LocalFiles.look(path.join(directory, name))
    if (Option.isNone(stat)) return false
    return (yield* now) - Number(stat.value.mtimeMs) > unknownOwnerMillis
  })

/** By the clock that dates the files of a share, which need not be this machine's: of one made now. */
const timeThere = (directory: string): Effect.Effect<number, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const file = yield* make(directory)
      // Empty, so that there is room for it on a full disk too.
      yield* LocalFiles.write(file, "")
      const stat = yield* LocalFiles.look(file)
      return Option.match(stat, { onNone: () => 0, onSome: ({ mtimeMs }) => Number(mtimeMs) })
    })
  )

/** An owner that cannot be asked does not hold the lock any more; it may still be writing. */
const unknownOwnerMillis = 120_000

/** The name of a manifest without a backup. */
const isOrphanName = (name: string, names: ReadonlySet<string>): boolean => {
  const backup = Manifest.backupOf(name)
  return backup !== undefined && !names.has(backup) && Option.isSome(BackupName.parse(backup))
}

/** A manifest whose backup was removed, or not published any more. What cannot be read is not ours. */
const isOrphan = (directory: string, name: string): Effect.Effect<boolean> =>
  LocalFiles.text(path.join(directory, name)).pipe(
    Effect.map(Option.flatMap((text) => Either.getRight(Manifest.fromJson(text)))),
    Effect.map(Option.exists((known) => Manifest.fileOf(known.name) === name)),
    Effect.orElseSucceed(() => false)
  )
