/** Removes what killed runs left, of their making only. */
import { Clock, Effect, Either, Option } from "effect"
import * as path from "node:path"
import type { BackupError } from "../BackupError.js"
import * as BackupName from "../BackupName.js"
import * as LocalFiles from "../LocalFiles.js"
import * as Manifest from "../Manifest.js"
import * as ObjectStore from "../ObjectStore.js"
import * as Unfinished from "../Unfinished.js"
import * as Listing from "./Listing.js"
import { withdrawn } from "./Publish.js"

/** What went, of what was listed beside the backups (`Listing.besides`). @internal */
export const sweep = (
  objects: ObjectStore.ObjectStore,
  others: ReadonlyArray<ObjectStore.Entry>
): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.gen(function* () {
    const swept: Array<string> = []
    const now = yield* Effect.cached(timeThere(objects))
    for (const entry of others) {
      const { key, modified } = entry
      const backup = orphanOf(entry)
      const isLeft =
        backup !== undefined ||
        (Unfinished.isName(key) &&
          (yield* Unfinished.isLeft(
            key,
            Effect.map(now, (time) => time - modified)
          )))
      if (!isLeft) continue
      // What another user left cannot be removed, and harms nothing.
      const isGone = yield* Effect.isSuccess(
        backup === undefined ? objects.delete(key) : withdrawn(objects, backup)
      )
      if (isGone) swept.push(key)
    }
    return swept
  })

/** The same of a directory where dumps are written that go elsewhere. @internal */
export const sweepStaging = (staging: string): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.gen(function* () {
    const names = (yield* LocalFiles.names(staging)).filter(Unfinished.isName)
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.filter(names, (name) => {
      const file = path.join(staging, name)
      const age = Effect.map(LocalFiles.look(file), (stat) =>
        Option.match(stat, { onNone: () => 0, onSome: ({ mtimeMs }) => now - Number(mtimeMs) })
      )
      return Effect.if(Unfinished.isLeft(name, age), {
        onTrue: () => Effect.isSuccess(LocalFiles.remove(file)),
        onFalse: () => Effect.succeed(false)
      })
    })
  })

/**
 * The backup that a manifest is of, where that was removed, or not published any more. What cannot be read is not
 * ours.
 */
const orphanOf = ({ key, text }: ObjectStore.Entry): string | undefined => {
  const backup = Manifest.backupOf(key)
  if (backup === undefined || Option.isNone(BackupName.parse(backup))) return undefined
  const manifest = Option.filterMap(Option.fromNullable(text), Either.getRight).pipe(
    Option.filterMap((found) => Either.getRight(Manifest.fromJson(found)))
  )
  return Option.exists(manifest, ({ name }) => name === backup) ? backup : undefined
}

/** By the clock that dates the objects, which need not be this machine's: of one made now. */
const timeThere = (objects: ObjectStore.ObjectStore): Effect.Effect<number, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const name = yield* Unfinished.nextName()
      yield* Effect.addFinalizer(() => Effect.ignore(objects.delete(name)))
      // Empty, so that there is room for it on a full disk too.
      yield* objects.putIfAbsent(name, ObjectStore.ofText(""))
      const [entry] = yield* objects.list({ keys: (key) => key === name, texts: () => false })
      return entry?.modified ?? 0
    })
  )

/** Beside the backups. @internal */
export const wanted: ObjectStore.Wanted = {
  keys: (key) => Unfinished.isName(key) || Listing.wanted.keys(key),
  texts: Listing.wanted.texts
}
