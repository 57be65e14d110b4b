/**
 * What a directory tells about its backups without reading them: names, sizes, manifests.
 *
 * @since 0.1.0
 */
import { Effect, Either, Option } from "effect"
import type { BigIntStats } from "node:fs"
import * as path from "node:path"
import type { BackupError } from "../../BackupError.js"
import * as BackupName from "../../BackupName.js"
import * as LocalFiles from "../../LocalFiles.js"
import * as Manifest from "../../Manifest.js"
import type { Stored } from "../Store.js"

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

/** None where there is nothing at the path. @internal */
export const at = (file: string): Effect.Effect<Option.Option<Seen>, BackupError> =>
  Effect.gen(function* () {
    const stat = yield* LocalFiles.look(file)
    if (Option.isNone(stat)) return Option.none()
    const read = yield* manifestAt(file)
    const isDirectory = stat.value.isDirectory()
    const parts = isDirectory ? yield* sizesBelow(file) : new Map<string, number>()
    const bytes = isDirectory ? sum(parts.values()) : Number(stat.value.size)
    const manifest = Option.flatten(Either.getRight(read))
    const unread = Option.getOrUndefined(Either.getLeft(read))
    const name = path.basename(file)
    const problem =
      kindProblem(stat.value, bytes) ??
      Option.getOrUndefined(Option.map(manifest, (known) => mismatch(name, known, bytes, parts)))
    return Option.some({ bytes, isDirectory, manifest, unread, problem })
  })

/** Newest first. @internal */
export const all = (directory: string): Effect.Effect<ReadonlyArray<Stored>, BackupError> =>
  Effect.gen(function* () {
    // Names cost nothing: only what is a backup by its name is looked at.
    const named = (yield* LocalFiles.names(directory)).flatMap((name) =>
      Option.toArray(Option.map(BackupName.parse(name), (parsed) => ({ name, parsed })))
    )
    const found = yield* Effect.forEach(
      named,
      ({ name, parsed }) =>
        Effect.map(
          at(path.join(directory, name)),
          Option.map(({ bytes, manifest, problem, unread }) => ({
            name,
            parsed,
            bytes,
            manifest,
            problem: problem ?? unread
          }))
        ),
      { concurrency: atOnce }
    )
    return found.flatMap((one) => Option.toArray(one)).sort(newestFirst)
  })

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
const manifestAt = (
  file: string
): Effect.Effect<Either.Either<Option.Option<Manifest.Manifest>, string>> =>
  LocalFiles.text(Manifest.fileOf(file)).pipe(
    Effect.map(
      Option.match({
        onNone: () => Either.right(Option.none()),
        onSome: (text) => Either.map(Manifest.glance(text), Option.some)
      })
    ),
    Effect.catchAll(({ found }) =>
      Effect.succeed(Either.left(`a manifest that cannot be read (${found})`))
    )
  )

const sizesBelow = (directory: string): Effect.Effect<ReadonlyMap<string, number>, BackupError> =>
  Effect.gen(function* () {
    const sizes = new Map<string, number>()
    for (const part of yield* LocalFiles.filesBelow(directory)) {
      const stat = yield* LocalFiles.look(path.join(directory, part))
      if (Option.isSome(stat)) sizes.set(part, Number(stat.value.size))
    }
    return sizes
  })

const kindProblem = (stat: BigIntStats, bytes: number): string | undefined => {
  if (stat.isSymbolicLink()) return "a symbolic link, which is not followed"
  if (!stat.isFile() && !stat.isDirectory()) return "neither a file nor a directory"
  return bytes === 0 ? "empty" : undefined
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
