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
import * as Manifest from "../Manifest.js"
import * as Retention from "../Retention.js"
import { placeOf } from "./Identity.js"
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

/**
 * Whose backup may be the latest where there is none of this very database: nobody's, one of the same
 * name at another place (to be read only), or that of any other.
 *
 * @internal
 */
export type Others = "none" | "named" | "all"

/** @internal */
export const choose = (
  desk: Desk,
  choice: Choice,
  others: Others
): Effect.Effect<Chosen, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    if (choice._tag === "Latest") {
      const { stored, warnings } = yield* latest(desk, others)
      const chosen = yield* inStore(desk, stored)
      return { ...chosen, warnings: [...chosen.warnings, ...warnings] }
    }
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

/**
 * The newest verified one of this very database; where there is none, the newest without a manifest
 * that carries this app's name, as those of the Python script do. One of another database, be it of the
 * same name at another place, is only taken on demand: two bots have files of one name.
 */
const latest = (
  desk: Desk,
  others: Others
): Effect.Effect<
  { readonly stored: Stored; readonly warnings: ReadonlyArray<string> },
  BackupError
> =>
  Effect.gen(function* () {
    const database = yield* desk.strategy.database
    const now = yield* DateTime.now
    const backups = yield* desk.main.list
    const usable = backups.filter((stored) => isUsable(stored, database.engine))
    const named = usable.filter((stored) => isNamed(stored, database))
    const bare = backups.find((stored) => isBare(desk, stored) && isPast(stored, now))
    const here = newestOf(
      named.filter((stored) => isHere(stored, database)),
      now
    )
    if (here !== undefined) {
      const isNewer = bare !== undefined && startedAt(bare) > startedAt(here)
      const good = isSuspect(here)
        ? named.find((stored) => isHere(stored, database) && !isSuspect(stored))
        : undefined
      return {
        stored: here,
        warnings: [
          ...(isNewer ? [newerBare(bare.name)] : []),
          ...(good === undefined ? [] : [`The last backup without such a doubt is ${good.name}`])
        ]
      }
    }
    if (bare !== undefined) return { stored: bare, warnings: [] }
    const elsewhere = newestOf(named, now)
    if (others === "named" && elsewhere !== undefined) {
      return { stored: elsewhere, warnings: [`${elsewhere.name} is ${ofAnother(elsewhere)}`] }
    }
    if (others === "all") {
      const other = elsewhere ?? (isOfOneDatabase(usable) ? newestOf(usable, now) : undefined)
      if (other !== undefined) return { stored: other, warnings: [] }
    }
    return yield* elsewhere === undefined
      ? nothingUsable(desk, database, backups, usable)
      : atAnotherPlace(desk, database, elsewhere)
  })

const isUsable = ({ manifest, problem }: Stored, engine: string): boolean =>
  problem === undefined &&
  Option.exists(
    manifest,
    ({ dump, purpose, verified }) =>
      purpose === "backup" && verified !== null && dump.database.engine === engine
  )

const isNamed = ({ manifest }: Stored, { name }: Manifest.Database): boolean =>
  Option.exists(manifest, ({ dump }) => dump.database.name === name)

const isHere = ({ manifest }: Stored, database: Manifest.Database): boolean =>
  Option.exists(manifest, ({ dump }) => Retention.isSameDatabase(dump.database, database))

/** Made by no Holter, and named after this app: nothing else tells whose it is. */
const isBare = (desk: Desk, { manifest, parsed, problem }: Stored): boolean =>
  problem === undefined &&
  Option.isNone(manifest) &&
  !parsed.preRestore &&
  parsed.app === desk.slug &&
  parsed.engine === desk.strategy.engine

const startedAt = ({ manifest, parsed }: Stored): number =>
  Option.getOrElse(
    Option.map(manifest, (known) => known.startedAt),
    () => parsed.startedAt
  ).epochMillis

const isPast = (stored: Stored, now: DateTime.Utc): boolean => startedAt(stored) <= now.epochMillis

/** One that a wrong clock has dated ahead is better than none. */
const newestOf = (newestFirst: ReadonlyArray<Stored>, now: DateTime.Utc): Stored | undefined =>
  newestFirst.find((stored) => isPast(stored, now)) ?? newestFirst[0]

const isSuspect = ({ manifest }: Stored): boolean =>
  Option.exists(manifest, (known) => Manifest.suspicions(known).length > 0)

const isOfOneDatabase = (all: ReadonlyArray<Stored>): boolean => {
  const databases = all.flatMap(({ manifest }) =>
    Option.toArray(Option.map(manifest, ({ dump }) => dump.database))
  )
  return databases.every((one) => databases.every((other) => Retention.isSameDatabase(one, other)))
}

const newerBare = (name: string): string =>
  `${name} is newer, but has no manifest, so it is not taken by itself: choose it by its name if it is wanted`

const atAnotherPlace = (
  desk: Desk,
  database: Manifest.Database,
  elsewhere: Stored
): Effect.Effect<never, BackupError> =>
  new BackupError({
    reason: "WrongDatabase",
    subject: desk.main.description,
    expected: `a verified backup of ${database.name} at ${placeOf(database)}`,
    found: `none of it, only ${ofAnother(elsewhere)} (the newest is ${elsewhere.name})`,
    advice: "If the database has moved from there, or that one is meant, say so with --allow-other"
  })

const ofAnother = ({ manifest }: Stored): string => {
  const of = Option.getOrUndefined(manifest)?.dump.database
  return of === undefined ? "of an unknown database" : `of a ${of.name} at ${placeOf(of)}`
}

const nothingUsable = (
  desk: Desk,
  database: Manifest.Database,
  backups: ReadonlyArray<Stored>,
  usable: ReadonlyArray<Stored>
): Effect.Effect<never, BackupError> => {
  const bare = backups.filter(({ manifest }) => Option.isNone(manifest)).length
  const unknown = bare === 0 ? "" : `, ${bare} of them without a manifest`
  const others = usable.length === 0 ? "" : `, ${usable.length} of them of other databases`
  return new BackupError({
    reason: "NotFound",
    subject: desk.main.description,
    expected: `a verified backup of ${database.engine} database ${database.name} at ${placeOf(database)}`,
    found: `none among ${backups.length} backups${unknown}${others}`,
    advice: backups.length === 0 ? "Check the directory" : "Choose one that list shows by its name"
  })
}

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
      warnings:
        manifest === undefined
          ? [`${name} has ${unread ?? "no manifest"}, ${nothing}`]
          : Manifest.suspicions(manifest).map((why) => `${name} may not hold all: ${why}`)
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
