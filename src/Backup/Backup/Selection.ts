/** Which backup is meant, and whether it is one for this database. */
import { Effect, Option, type Scope } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "../BackupError.js"
import * as BackupName from "../BackupName.js"
import * as Listing from "../Store/Listing.js"
import type { Stored } from "../Store.js"
import type { Payload } from "../BackupStrategy/Strategy.js"
import * as LocalFiles from "../LocalFiles.js"
import * as LocalObject from "../LocalObject.js"
import * as Manifest from "../Manifest.js"
import { latest, type Others } from "./Latest.js"
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
  Effect.gen(function* () {
    const { name, problem, unread } = stored
    const file = yield* desk.main.fetch(name)
    if (problem !== undefined && unread === undefined) return yield* notInOrder(name, problem)
    return yield* chosen(name, file, stored, true)
  })

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

/** By its path, whatever its name. */
const outside = (given: string): Effect.Effect<Chosen, BackupError> =>
  Effect.gen(function* () {
    const file = yield* realPath(given)
    const entry = yield* LocalObject.look(file)
    if (Option.isNone(entry)) return yield* missing(file)
    const record = yield* Effect.either(LocalFiles.text(Manifest.fileOf(file)))
    const seen = Listing.look(entry.value, Listing.readOf(record))
    if (seen.problem !== undefined) return yield* notInOrder(entry.value.key, seen.problem)
    return yield* chosen(path.basename(file), file, seen, false)
  })

const chosen = (
  name: string,
  file: string,
  { manifest: known, unread }: Pick<Stored, "manifest" | "unread">,
  isStored: boolean
): Effect.Effect<Chosen, BackupError> =>
  Effect.gen(function* () {
    const isDirectory = Option.exists(yield* LocalFiles.look(file), (stat) => stat.isDirectory())
    const manifest = Option.getOrUndefined(known)
    const parsed = Option.getOrUndefined(BackupName.parse(name))
    const dump = manifest?.dump
    const nothing = "so its database is unknown, and whether it was changed"
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
