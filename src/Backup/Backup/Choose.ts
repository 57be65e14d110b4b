/**
 * Which backup is meant, and whether it is one for this database.
 *
 * @since 0.1.0
 */
import { DateTime, Effect, Option, type Scope } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "../BackupError.js"
import * as BackupName from "../BackupName.js"
import * as Look from "../BackupStore/Directory/Look.js"
import type { Stored } from "../BackupStore/Store.js"
import type { Payload } from "../BackupStrategy/Strategy.js"
import * as LocalFiles from "../LocalFiles.js"
import type * as Manifest from "../Manifest.js"
import * as Retention from "../Retention.js"
import type { Desk } from "./Options.js"
import type { Choice } from "./Reports.js"

/**
 * A backup that lies on a local disk.
 *
 * @internal
 */
export interface Chosen {
  readonly name: string
  readonly payload: Payload
  readonly manifest: Manifest.Manifest | undefined
  /** By its manifest or its name, where one of them tells. */
  readonly engine: string | undefined
  /** In the store, so that what is learned of it can be recorded. */
  readonly isStored: boolean
  readonly warnings: ReadonlyArray<string>
}

/** @internal */
export const choose = (
  desk: Desk,
  choice: Choice
): Effect.Effect<Chosen, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    if (choice._tag === "Latest") return yield* inStore(desk, yield* latest(desk))
    const stored = yield* namedInStore(desk, choice.file)
    return stored === undefined ? yield* outside(choice.file) : yield* inStore(desk, stored)
  })

/** A backup of the store, brought to a local disk. @internal */
export const inStore = (
  desk: Desk,
  stored: Stored
): Effect.Effect<Chosen, BackupError, Scope.Scope> =>
  Effect.flatMap(desk.main.fetch(stored.name), (file) => seen(file, true))

/** Fails with `WrongEngine`. @internal */
export const sameEngine = (desk: Desk, chosen: Chosen): Effect.Effect<void, BackupError> =>
  chosen.engine === undefined || chosen.engine === desk.strategy.engine
    ? Effect.void
    : new BackupError({
        reason: "WrongEngine",
        subject: chosen.name,
        expected: `a backup of ${desk.strategy.engine}`,
        found: `one of ${chosen.engine}`,
        advice: "Choose another backup, or give the URL of the database that it is of"
      })

/** Newest first: those of the very place, then of the same name at another. */
const latest = (desk: Desk): Effect.Effect<Stored, BackupError> =>
  Effect.gen(function* () {
    const database = yield* desk.strategy.database
    const now = yield* DateTime.now
    const backups = yield* desk.main.list
    const usable = backups.filter((stored) => isUsable(stored, database))
    const best =
      usable.find((stored) => isHere(stored, database) && isPast(stored, now)) ??
      usable.find((stored) => isPast(stored, now)) ??
      usable[0]
    if (best !== undefined) return best
    const bare = backups.filter(({ manifest }) => Option.isNone(manifest)).length
    return yield* new BackupError({
      reason: "NotFound",
      subject: desk.main.description,
      expected: `a verified backup of ${database.engine} database ${database.name}`,
      found: `none among ${backups.length} backups${bare === 0 ? "" : `, ${bare} of them without a manifest`}`,
      advice:
        backups.length === 0 ? "Check the directory" : "Choose one that list shows by its name"
    })
  })

const isUsable = ({ manifest, problem }: Stored, database: Manifest.Database): boolean =>
  problem === undefined &&
  Option.exists(
    manifest,
    ({ dump, purpose, verified }) =>
      purpose === "backup" &&
      verified !== null &&
      dump.database.engine === database.engine &&
      dump.database.name === database.name
  )

const isHere = ({ manifest }: Stored, database: Manifest.Database): boolean =>
  Option.exists(manifest, ({ dump }) => Retention.isSameDatabase(dump.database, database))

const isPast = ({ manifest }: Stored, now: DateTime.Utc): boolean =>
  Option.exists(manifest, ({ startedAt }) => DateTime.lessThanOrEqualTo(startedAt, now))

/** By its name, or by a path that is the store's own file. */
const namedInStore = (desk: Desk, file: string): Effect.Effect<Stored | undefined, BackupError> =>
  Effect.gen(function* () {
    const name = path.basename(file)
    const stored = (yield* desk.main.list).find((backup) => backup.name === name)
    if (stored === undefined || name === file) return stored
    const own = yield* Effect.scoped(desk.main.fetch(name))
    return (yield* realPath(own)) === (yield* realPath(file)) ? stored : undefined
  })

const realPath = (file: string): Effect.Effect<string, BackupError> =>
  LocalFiles.attempt(file, "a path that exists", () => fs.realpath(file)).pipe(
    Effect.orElseSucceed(() => path.resolve(file))
  )

const outside = (file: string): Effect.Effect<Chosen, BackupError> =>
  Effect.flatMap(realPath(file), (real) => seen(real, false))

const seen = (file: string, isStored: boolean): Effect.Effect<Chosen, BackupError> =>
  Effect.gen(function* () {
    const name = path.basename(file)
    const found = yield* Look.at(file)
    if (Option.isNone(found)) return yield* missing(file)
    const { isDirectory, problem, unread } = found.value
    if (problem !== undefined) return yield* notInOrder(name, problem)
    const manifest = Option.getOrUndefined(found.value.manifest)
    const parsed = Option.getOrUndefined(BackupName.parse(name))
    const dump = manifest?.dump
    const nothing = "so nothing tells which database it is of, nor whether it was changed"
    const compression = dump?.compression ?? compressionOf(name, isDirectory)
    return {
      name,
      payload: { path: file, compression, dump },
      manifest,
      engine: dump?.database.engine ?? parsed?.engine,
      isStored,
      warnings: manifest === undefined ? [`${name} has ${unread ?? "no manifest"}, ${nothing}`] : []
    }
  })

/** Of a file that nothing else tells of. */
const compressionOf = (name: string, isDirectory: boolean): Manifest.Compression => {
  if (isDirectory || name.endsWith(".dump")) return "internal"
  if (name.endsWith(".gz")) return "gzip"
  return name.endsWith(".zst") ? "zstd" : "none"
}

const missing = (file: string): BackupError =>
  new BackupError({
    reason: "NotFound",
    subject: file,
    expected: "a backup",
    found: "nothing at this path, and none of this name in the store",
    advice: "Choose one that list shows, or give the path of a file"
  })

/** @internal */
export const notInOrder = (name: string, found: string): BackupError =>
  new BackupError({
    reason: "Corrupt",
    subject: name,
    expected: "a backup in order",
    found,
    advice: "Choose another backup"
  })
