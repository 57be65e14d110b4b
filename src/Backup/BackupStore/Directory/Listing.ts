/** What a directory tells about its backups without reading them: names, sizes, manifests. */
import { Effect, Either, Option } from "effect"
import type { BigIntStats } from "node:fs"
import * as path from "node:path"
import type { BackupError } from "../../BackupError.js"
import * as BackupName from "../../BackupName.js"
import * as LocalFiles from "../../LocalFiles.js"
import * as Manifest from "../../Manifest.js"
import type { Stored } from "../Store.js"
import * as Crowd from "./Crowd.js"

/**
 * What lies at a path, whatever its name.
 *
 * @internal
 */
export interface Seen {
  readonly bytes: number
  readonly isDirectory: boolean
  readonly manifest: Option.Option<Manifest.Manifest>
  /** Why the manifest that is there cannot be read; the backup itself may be in order. */
  readonly unread: string | undefined
  /** Why it cannot be a backup that works. */
  readonly problem: string | undefined
}

/**
 * What was made of the texts of manifests, by the names of their backups: a run lists more than once, and
 * what has not changed since is not decoded again.
 *
 * @internal
 */
export type Memory = Map<string, { readonly text: string; readonly read: Read }>

/** None where there is nothing at the path. @internal */
export const at = (file: string): Effect.Effect<Option.Option<Seen>, BackupError> =>
  lookAt(file, new Map())

const lookAt = (file: string, memory: Memory): Effect.Effect<Option.Option<Seen>, BackupError> =>
  Effect.gen(function* () {
    const stat = yield* LocalFiles.look(file)
    if (Option.isNone(stat)) return Option.none()
    const name = path.basename(file)
    const read = yield* manifestAt(file, memory)
    const isDirectory = stat.value.isDirectory()
    const parts = isDirectory ? yield* sizesBelow(file) : noParts
    const bytes = isDirectory ? sum(parts.values()) : Number(stat.value.size)
    return Option.some(judged(name, { bytes, isDirectory, parts, kind: kindOf(stat.value) }, read))
  })

/** Newest first. @internal */
export const all = (
  directory: string,
  memory: Memory = new Map()
): Effect.Effect<ReadonlyArray<Stored>, BackupError> =>
  Effect.gen(function* () {
    // Names cost nothing: only what is a backup by its name is looked at.
    const named = (yield* LocalFiles.names(directory)).flatMap((name) =>
      Option.toArray(Option.map(BackupName.parse(name), (parsed) => ({ name, parsed })))
    )
    const plain = yield* named.length < Crowd.many
      ? Effect.succeed(new Map<string, Crowd.Plain>())
      : Crowd.look(
          directory,
          named.map(({ name }) => name)
        )
    const found: Array<Stored> = []
    for (const { name, parsed } of named) {
      const one = plain.get(name)
      if (one === undefined) continue
      found.push(stored(name, parsed, seenPlain(name, one, memory)))
      // Thousands of manifests are no reason for anything else to wait.
      if (found.length % Crowd.many === 0) yield* Effect.yieldNow()
    }
    const others = yield* Effect.forEach(
      named.filter(({ name }) => !plain.has(name)),
      ({ name, parsed }) =>
        Effect.map(
          lookAt(path.join(directory, name), memory),
          Option.map((seen) => stored(name, parsed, seen))
        ),
      { concurrency: atOnce }
    )
    return [...found, ...others.flatMap((one) => Option.toArray(one))].sort(newestFirst)
  })

const stored = (
  name: string,
  parsed: BackupName.BackupName,
  { bytes, manifest, problem, unread }: Seen
): Stored => ({ name, parsed, bytes, manifest, problem: problem ?? unread })

/** As many as Node has threads for files, and some that wait for one. */
const atOnce = 16

/** The time of the manifest or, without one, of the name. */
const startedAt = ({ manifest, parsed }: Stored): number =>
  Option.match(manifest, {
    onNone: () => parsed.startedAt.epochMillis,
    onSome: (known) => known.startedAt.epochMillis
  })

const newestFirst = (one: Stored, other: Stored): number =>
  startedAt(other) - startedAt(one) || (one.name < other.name ? 1 : -1)

/** A manifest that is there and cannot be read comes as the problem that it is. */
type Read = Either.Either<Option.Option<Manifest.Manifest>, string>

const manifestAt = (file: string, memory: Memory): Effect.Effect<Read> =>
  LocalFiles.text(Manifest.fileOf(file)).pipe(
    Effect.map((text) => readOf(path.basename(file), Option.getOrNull(text), memory)),
    Effect.catchAll(({ found }) =>
      Effect.succeed(Either.left(`a manifest that cannot be read (${found})`))
    )
  )

const readOf = (name: string, text: string | null, memory: Memory): Read => {
  if (text === null) return Either.right(Option.none())
  const known = memory.get(name)
  if (known?.text === text) return known.read
  const read = Either.map(Manifest.glance(text), Option.some)
  memory.set(name, { text, read })
  return read
}

const seenPlain = (name: string, { bytes, text }: Crowd.Plain, memory: Memory): Seen =>
  judged(
    name,
    { bytes, isDirectory: false, parts: noParts, kind: undefined },
    readOf(name, text, memory)
  )

interface Lying extends Pick<Seen, "bytes" | "isDirectory"> {
  readonly parts: ReadonlyMap<string, number>
  /** Why what lies there is no backup, by its kind. */
  readonly kind: string | undefined
}

const judged = (name: string, { bytes, isDirectory, kind, parts }: Lying, read: Read): Seen => {
  const manifest = Option.flatten(Either.getRight(read))
  const problem =
    kind ??
    (bytes === 0 ? "empty" : undefined) ??
    Option.getOrUndefined(Option.map(manifest, (known) => mismatch(name, known, bytes, parts)))
  const unread = Option.getOrUndefined(Either.getLeft(read))
  return { bytes, isDirectory, manifest, unread, problem }
}

const noParts: ReadonlyMap<string, number> = new Map()

const sizesBelow = (directory: string): Effect.Effect<ReadonlyMap<string, number>, BackupError> =>
  Effect.gen(function* () {
    const sizes = new Map<string, number>()
    for (const part of yield* LocalFiles.filesBelow(directory)) {
      const stat = yield* LocalFiles.look(path.join(directory, part))
      if (Option.isSome(stat)) sizes.set(part, Number(stat.value.size))
    }
    return sizes
  })

const kindOf = (stat: BigIntStats): string | undefined => {
  if (stat.isSymbolicLink()) return "a symbolic link, which is not followed"
  return stat.isFile() || stat.isDirectory() ? undefined : "neither a file nor a directory"
}

const mismatch = (
  name: string,
  { dump, name: named }: Manifest.Manifest,
  bytes: number,
  parts: ReadonlyMap<string, number>
): string | undefined => {
  if (named !== name) return `the manifest is of ${named}`
  const lost = dump.parts?.find((part) => parts.get(part.path) !== part.bytes)
  if (lost !== undefined)
    return `its part ${lost.path} is not the ${lost.bytes} bytes of the manifest`
  if (bytes === dump.bytes) return undefined
  return `${bytes} bytes long, and ${dump.bytes} by its manifest`
}

const sum = (values: Iterable<number>): number =>
  [...values].reduce((total, value) => total + value, 0)
