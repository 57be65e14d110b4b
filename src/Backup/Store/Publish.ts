/**
 * The way of a finished dump into a store: at once or not at all, never over another.
 *
 * When all of it is there, the manifest gets its name first. Killed in between, there is a manifest without
 * a backup, which nobody lists and the next run removes; the other way round there would be a backup of which
 * nothing is known, to be kept for ever.
 */
import { Effect, Either, Option, Ref } from "effect"
import { BackupError } from "../BackupError.js"
import * as GlobalsFile from "../GlobalsFile.js"
import * as LocalFiles from "../LocalFiles.js"
import * as LocalObject from "../LocalObject.js"
import * as Manifest from "../Manifest.js"
import * as ObjectStore from "../ObjectStore.js"

/** What becomes a backup. @internal */
export interface Source {
  readonly content: ObjectStore.Content
  readonly staged?: ObjectStore.Staged | undefined
  /** Roles and tablespaces, where the manifest has some. */
  readonly globals?: Pick<Source, "content" | "staged"> | undefined
}

/** @internal */
export interface Options {
  /** Run right before the names are given: fails where the store is another run's by now. */
  readonly guard: Effect.Effect<void, BackupError>
  readonly onAlive: Effect.Effect<void>
}

/** @internal */
export const publish = (
  objects: ObjectStore.ObjectStore,
  manifest: Manifest.Manifest,
  { content, globals, staged }: Source,
  { guard, onAlive }: Options
): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    const { name } = manifest
    const record = Manifest.fileOf(name)
    const text = yield* textOf(manifest, `${objects.place}/${name}`)
    const recorded = yield* withRecord(content, manifest)
    if (yield* isThere(objects, name)) return yield* taken(objects, name)
    const isEntered = yield* Ref.make(false)
    const enter = Effect.gen(function* () {
      // What came before may have taken long.
      yield* guard
      const isFree = yield* objects.putIfAbsent(record, ObjectStore.ofText(text))
      if (!isFree) return yield* taken(objects, record)
      yield* Ref.set(isEntered, true)
      if (globals === undefined) return
      const beside = Manifest.globalsOf(name)
      const isNamed = yield* objects.putIfAbsent(beside, globals.content, {
        staged: globals.staged
      })
      if (!isNamed) return yield* taken(objects, beside)
    })
    const withdraw = withdrawn(objects, name).pipe(
      // An interruption may come when all is done.
      Effect.unlessEffect(isThere(objects, name)),
      Effect.whenEffect(Ref.get(isEntered)),
      Effect.ignore
    )
    const isNamed = yield* objects
      .putIfAbsent(name, recorded, { staged, onAlive, beforeCommit: enter })
      .pipe(Effect.onError(() => withdraw))
    if (!isNamed) {
      // What has the name is another's, and so has no manifest of this one, where this one wrote any.
      yield* withdrawn(objects, name).pipe(Effect.whenEffect(Ref.get(isEntered)), Effect.ignore)
      return yield* taken(objects, name)
    }
  })

/** What belongs to a backup that is not there, the manifest last: it tells that the rest is Holter's. @internal */
export const withdrawn = (
  objects: ObjectStore.ObjectStore,
  name: string
): Effect.Effect<void, BackupError> =>
  Effect.zipRight(objects.delete(Manifest.globalsOf(name)), objects.delete(Manifest.fileOf(name)))

/** @internal */
export const isThere = (
  objects: ObjectStore.ObjectStore,
  key: string
): Effect.Effect<boolean, BackupError> => Effect.scoped(Effect.map(objects.get(key), Option.isSome))

/** @internal */
export const textOf = (
  manifest: Manifest.Manifest,
  subject: string
): Effect.Effect<string, BackupError> =>
  Either.match(Manifest.toJson(manifest), {
    onRight: Effect.succeed,
    onLeft: (found) =>
      Effect.fail(
        new BackupError({
          reason: "StoreFailed",
          subject,
          expected: "a record of the backup",
          found
        })
      )
  })

/** With the sizes and checksums that the manifest has. Fails with `Corrupt` where there are other parts. */
const withRecord = (
  content: ObjectStore.Content,
  { dump, name }: Manifest.Manifest
): Effect.Effect<ObjectStore.Content, BackupError> => {
  const recorded = dump.parts ?? [{ path: "", bytes: dump.bytes, sha256: dump.sha256 }]
  const known = new Map(recorded.map((part) => [part.path, part]))
  const parts = content.parts.map((part) => ({ ...part, ...known.get(part.path) }))
  const bytes = content.parts.reduce((total, part) => total + (part.bytes ?? 0), 0)
  const isWhole = parts.length === known.size && content.parts.every(({ path }) => known.has(path))
  if (isWhole && bytes > 0 && bytes === dump.bytes) return Effect.succeed({ parts })
  return new BackupError({
    reason: "Corrupt",
    subject: name,
    expected: `${dump.bytes} bytes in ${known.size} ${known.size === 1 ? "file" : "files"}`,
    found: `${bytes} bytes in ${parts.length}`,
    advice: "Check the disk, and run it again"
  })
}

/** What a strategy has written, with its globals beside it where the manifest has some. @internal */
export const staged = (
  path: string,
  { globals }: Manifest.Manifest,
  isReadBack: boolean
): Effect.Effect<Source, BackupError> =>
  Effect.gen(function* () {
    const content = yield* writtenAt(path)
    const own = { content, staged: { path, isReadBack } }
    if (globals === undefined) return own
    const beside = Manifest.globalsOf(path)
    const { parts } = yield* writtenAt(beside)
    const recorded = { parts: parts.map((part) => ({ ...part, ...globals })) }
    return { ...own, globals: { content: recorded, staged: { path: beside, isReadBack } } }
  })

/**
 * Roles and tablespaces of a backup. Fails with `Corrupt` where they are not what the manifest says; what has
 * another size is not read.
 *
 * @internal
 */
export const globals = (
  objects: ObjectStore.ObjectStore,
  name: string,
  expected: Manifest.Globals
): Effect.Effect<ObjectStore.Content, BackupError> =>
  Effect.gen(function* () {
    const key = Manifest.globalsOf(name)
    const fail = (found: string) =>
      Effect.fail(GlobalsFile.other(`${objects.place}/${key}`, expected, found))
    const found = yield* Effect.scoped(objects.get(key))
    if (Option.isNone(found)) return yield* fail("no such file")
    const { parts, problem } = found.value
    if (problem !== undefined || parts.length !== 1) {
      return yield* fail("a link, or what is no file")
    }
    const bytes = parts[0]?.bytes ?? 0
    if (bytes !== expected.bytes) return yield* fail(`${bytes} bytes`)
    const text = Option.getOrElse(yield* ObjectStore.textOf(objects, key), () => "")
    const sha256 = yield* LocalFiles.sha256OfText(text)
    if (sha256 !== expected.sha256) {
      return yield* fail(`${bytes} bytes with the checksum ${sha256}`)
    }
    return ObjectStore.ofText(text)
  })

const writtenAt = (path: string): Effect.Effect<ObjectStore.Content, BackupError> =>
  Effect.flatMap(LocalObject.find(path), (found) =>
    Option.isSome(found) && found.value.problem === undefined
      ? Effect.succeed(found.value)
      : Effect.fail(
          new BackupError({
            reason: "Corrupt",
            subject: path,
            expected: "a dump",
            found: Option.isNone(found) ? "nothing" : "neither a file nor a directory"
          })
        )
  )

const taken = (
  { place }: ObjectStore.ObjectStore,
  key: string
): Effect.Effect<never, BackupError> =>
  Effect.fail(
    new BackupError({
      reason: "StoreFailed",
      subject: `${place}/${key}`,
      expected: "a name that is free",
      found: "a file, which is left alone",
      advice: "Run it again, or move that file"
    })
  )
