/** What the names, sizes and manifests of objects tell about backups, without reading these. */
import { Effect, Either, Option } from "effect"
import type { BackupError } from "../BackupError.js"
import * as BackupName from "../BackupName.js"
import * as Manifest from "../Manifest.js"
import type { Entry, Wanted } from "../ObjectStore.js"

/** One backup in a store. */
export interface Stored {
  /** The file's name. */
  readonly name: string
  readonly parsed: BackupName.BackupName
  readonly bytes: number
  /** None beside the files of the Python script. */
  readonly manifest: Option.Option<Manifest.Manifest>
  /** What is wrong with it at a look: a manifest that cannot be read, a size that is not its. */
  readonly problem: string | undefined
  /** Where that is the manifest only: the backup itself may be in order. */
  readonly unread?: string | undefined
}

/** What is looked at. @internal */
export const wanted: Wanted = {
  keys: (key) => BackupName.isLike(key) || isManifest(key),
  texts: (key) => isManifest(key)
}

const isManifest = (key: string): boolean => {
  const backup = Manifest.backupOf(key)
  return backup !== undefined && BackupName.isLike(backup)
}

/** Newest first. @internal */
export const backups = (entries: ReadonlyArray<Entry>): Effect.Effect<ReadonlyArray<Stored>> =>
  Effect.gen(function* () {
    const byKey = new Map(entries.map((entry) => [entry.key, entry]))
    const found: Array<Stored> = []
    for (const entry of entries) {
      const parsed = BackupName.parse(entry.key)
      if (Option.isNone(parsed)) continue
      const text = byKey.get(Manifest.fileOf(entry.key))?.text
      const read = readOf(
        text === undefined ? Either.right(Option.none()) : Either.map(text, Option.some)
      )
      found.push(stored(parsed.value, entry, read))
      // Thousands of manifests are no reason for anything else to wait.
      if (found.length % atOnce === 0) yield* Effect.yieldNow()
    }
    return found.sort(newestFirst)
  })

const atOnce = 256

/** What was listed beside them: the versions of their manifests, and what belongs to none of them. @internal */
export const besides = (entries: ReadonlyArray<Entry>) => {
  const keys = new Set(entries.map(({ key }) => key))
  const versions = new Map<string, string>()
  const others: Array<Entry> = []
  for (const entry of entries) {
    const { key, version } = entry
    const backup = Manifest.backupOf(key)
    if (backup !== undefined && keys.has(backup)) versions.set(key, version)
    else if (!BackupName.isLike(key)) others.push(entry)
  }
  return { versions, others }
}

/** A manifest that is there and cannot be read comes as the problem that it is. @internal */
export type Read = Either.Either<Option.Option<Manifest.Manifest>, string>

/** Of the text of a manifest, where there is one. @internal */
export const readOf = (text: Either.Either<Option.Option<string>, BackupError>): Read =>
  Either.match(text, {
    onLeft: ({ found }) => Either.left(`a manifest that cannot be read (${found})`),
    onRight: Option.match({
      onNone: () => Either.right(Option.none()),
      onSome: (known) => Either.map(Manifest.glance(known), Option.some)
    })
  })

/** What an entry and its manifest come to. @internal */
export const look = (entry: Entry, read: Read): Pick<Stored, "manifest" | "problem" | "unread"> => {
  const manifest = Option.flatten(Either.getRight(read))
  const problem =
    entry.problem ??
    (entry.bytes === 0 ? "empty" : undefined) ??
    Option.getOrUndefined(Option.map(manifest, (known) => mismatch(entry, known)))
  return { manifest, problem, unread: Option.getOrUndefined(Either.getLeft(read)) }
}

const stored = (parsed: BackupName.BackupName, entry: Entry, read: Read): Stored => {
  const { manifest, problem, unread } = look(entry, read)
  return {
    name: entry.key,
    parsed,
    bytes: entry.bytes,
    manifest,
    problem: problem ?? unread,
    ...(problem === undefined && unread !== undefined ? { unread } : {})
  }
}

/** As the store lists it from now on. @internal */
export const published = (manifest: Manifest.Manifest): ReadonlyArray<Stored> =>
  Option.toArray(BackupName.parse(manifest.name)).map((parsed) => ({
    name: manifest.name,
    parsed,
    bytes: manifest.dump.bytes,
    manifest: Option.some(manifest),
    problem: undefined
  }))

/** The time of the manifest or, without one, of the name. */
const startedAt = ({ manifest, parsed }: Stored): number =>
  Option.match(manifest, {
    onNone: () => parsed.startedAt.epochMillis,
    onSome: (known) => known.startedAt.epochMillis
  })

/** @internal */
export const newestFirst = (one: Stored, other: Stored): number =>
  startedAt(other) - startedAt(one) || (one.name < other.name ? 1 : -1)

const mismatch = (
  { bytes, key, parts }: Entry,
  { dump, name: named }: Manifest.Manifest
): string | undefined => {
  if (named !== key) return `the manifest is of ${named}`
  const lost = dump.parts?.find((part) => parts?.get(part.path) !== part.bytes)
  if (lost !== undefined)
    return `its part ${lost.path} is not the ${lost.bytes} bytes of the manifest`
  if (bytes === dump.bytes) return undefined
  return `${bytes} bytes long, and ${dump.bytes} by its manifest`
}
