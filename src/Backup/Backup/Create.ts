/** The making of a backup: dumped beside, verified, published, copied; then older ones are pruned. */
import { DateTime, Effect, Option } from "effect"
import { version } from "../../Common/Version.js"
import { BackupError } from "../BackupError.js"
import * as BackupName from "../BackupName.js"
import type { Store, Stored } from "../Store.js"
import * as Manifest from "../Manifest.js"
import * as DataLoss from "./DataLoss.js"
import { copyTo } from "./Copying.js"
import * as Globals from "./Globals.js"
import { type Desk, lock, silent, step } from "./Options.js"
import { pruneStore } from "./Prune.js"
import type { Created, CreateOptions } from "./Reports.js"
import { lastBytes, room } from "./FreeSpace.js"
import * as Strangers from "./Strangers.js"
import * as Untried from "./Untried.js"

/** @internal */
export const create = (desk: Desk, given: CreateOptions): Effect.Effect<Created, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* step("create/lock")
      yield* lock(desk, desk.main, "create a backup", given.onProgress ?? silent)
      yield* step("create/sweep")
      const swept = yield* desk.main.sweep
      const beside = yield* lookBeside(desk, "backup")
      const name = yield* nextName(desk, "backup", beside)
      const made = yield* make(desk, name, beside, given)
      const copies = yield* Effect.forEach(desk.copies, (copy) =>
        copyTo(desk, copy, { manifest: made.manifest, earlier: beside.here }, given)
      )
      const { manifest } = made
      const subject = { app: desk.slug, database: manifest.dump.database }
      // What looks as if data were lost pushes nothing out that still has it: `Retention` sees to that.
      const isSuspect =
        Manifest.suspicions(manifest).length > 0 ||
        copies.some(({ suspect }) => suspect !== undefined)
      // The backup is made: that older ones could not be removed is no failure of it.
      const pruned = yield* Effect.either(
        Effect.zipRight(step("create/prune"), pruneStore(desk, desk.main, subject))
      )
      const untried = yield* Untried.look(desk, manifest, beside.here)
      const place = yield* Effect.option(desk.main.describe)
      return {
        name: manifest.name,
        store: desk.main.description,
        manifest,
        copies,
        pruned: pruned._tag === "Right" ? pruned.right : [],
        swept,
        warnings: [
          ...manifest.dump.warnings,
          ...made.warnings,
          ...untried,
          ...copies.flatMap(({ problem, store }) =>
            problem === undefined ? [] : [`No copy to ${store}: ${problem.message}`]
          ),
          ...copies.flatMap(({ store, suspect = [] }) =>
            suspect.map((why) => `Beside what is in ${store}: ${why}`)
          ),
          ...copies.flatMap(({ lacks = [], store }) => lacks.map((what) => `In ${store}: ${what}`)),
          ...(pruned._tag === "Left" ? [`Nothing pruned: ${pruned.left.message}`] : []),
          ...(isSuspect ? [untilAccepted] : []),
          ...Strangers.notes(beside.here, subject),
          ...Option.match(place, { onNone: () => [], onSome: ({ warnings }) => warnings })
        ]
      }
    })
  ).pipe(Effect.withSpan("Backup.create"))

const untilAccepted =
  "The good backups before it stay, and each backup repeats this, until the data are back or the loss is accepted (holter backup create --accept-loss)"

/** What lies in the stores before a backup is made: listed once, since it may be thousands. @internal */
export interface Beside {
  readonly here: ReadonlyArray<Stored>
  readonly elsewhere: ReadonlyArray<ReadonlyArray<Stored>>
}

/**
 * A pre-restore backup is copied nowhere, and who restores is not to wait for a share that is gone.
 *
 * @internal
 */
export const lookBeside = (
  desk: Desk,
  purpose: Manifest.Manifest["purpose"]
): Effect.Effect<Beside, BackupError> =>
  Effect.all({
    here: desk.main.list,
    elsewhere: purpose === "pre_restore" ? Effect.succeed([]) : listsOf(desk.copies)
  })

/** A name that no store has: a millisecond later where two backups start in one. @internal */
export const nextName = (
  desk: Desk,
  purpose: Manifest.Manifest["purpose"],
  { elsewhere, here }: Beside
): Effect.Effect<BackupName.BackupName> =>
  Effect.gen(function* () {
    const startedAt = yield* DateTime.now
    const taken = new Set([here, ...elsewhere].flatMap((all) => all.map(({ name }) => name)))
    const wanted = {
      app: desk.slug,
      preRestore: purpose === "pre_restore",
      engine: desk.strategy.engine,
      startedAt,
      extension: desk.strategy.extension(desk.compression)
    }
    return BackupName.nextFree(wanted, (name) => taken.has(name))
  })

/** A verified backup in the main store. To be called under its lock. @internal */
export const make = (
  desk: Desk,
  name: BackupName.BackupName,
  beside: Beside,
  given: CreateOptions
): Effect.Effect<
  { readonly manifest: Manifest.Manifest; readonly warnings: ReadonlyArray<string> },
  BackupError
> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { compression, level, main, strategy } = desk
      const onProgress = given.onProgress ?? silent
      const isAsked = (given.globals ?? desk.globals) && !name.preRestore
      if (isAsked) yield* Globals.possible(desk)
      yield* step("create/space")
      const least = yield* strategy.estimate
      const database = yield* desk.database
      const last = lastBytes(beside.here, database)
      const { minimumFree } = desk
      yield* room(main, Math.max(least, last) + minimumFree, "a new backup")
      yield* step("create/dump")
      const stage = yield* main.stage
      const dumped = yield* strategy.dump({
        path: stage.path,
        compression,
        level,
        minimumFree,
        onProgress
      })
      const dump = { ...dumped, database: yield* identified(desk, dumped.database, database) }
      const { globals, lacks } = isAsked ? yield* Globals.save(desk, stage.path) : Globals.none
      yield* step("create/verify")
      if (dump.bytes <= 0) return yield* emptyDump(dump)
      const payload = { path: stage.path, compression: dump.compression, dump }
      const verification = yield* strategy.verify(payload, {
        deep: false,
        justDumped: true,
        onProgress
      })
      const finishedAt = yield* DateTime.now
      const measured = measure(desk, beside, dump.database)
      const { alarms, notes } = DataLoss.compare(measured, dump, desk.ignoreTables)
      const isSuspect = alarms.length > 0 && !name.preRestore && given.acceptLoss !== true
      const manifest: Manifest.Manifest = {
        version: 1,
        name: BackupName.format(name),
        app: desk.app,
        purpose: name.preRestore ? "pre_restore" : "backup",
        startedAt: name.startedAt,
        finishedAt,
        holter: version,
        dump: { ...dump, warnings: [...dump.warnings, ...lacks, ...alarms, ...notes] },
        ...(globals === undefined ? {} : { globals }),
        ...(isSuspect ? { suspect: alarms } : {}),
        pinned: false,
        verified: { at: finishedAt, depth: "quick" },
        drilled: null
      }
      yield* step("create/publish")
      yield* stage.publish(manifest, { isReadBack: true })
      return { manifest, warnings: verification.warnings }
    })
  )

/** What was found out before the dump, where the dump is of that place: it is read once. */
const identified = (
  desk: Desk,
  dumped: Manifest.Database,
  known: Manifest.Database
): Effect.Effect<Manifest.Database> =>
  known.identity !== undefined &&
  dumped.identity === undefined &&
  dumped.host === undefined &&
  dumped.engine === known.engine &&
  dumped.name === known.name &&
  dumped.location === known.location
    ? Effect.succeed(known)
    : desk.identify(dumped)

/**
 * The last good backup. Where the main directory has none, as after the loss of its disk, the copies
 * have it, and are what an empty database must not push out.
 */
const measure = (
  { slug }: Desk,
  { elsewhere, here }: Beside,
  database: Manifest.Database
): Manifest.Dump | undefined =>
  DataLoss.lastGood(here, slug, database) ??
  DataLoss.lastGood(elsewhere.flat().sort(newestFirst), slug, database)

/** One that cannot be asked has none. */
const listsOf = (
  copies: ReadonlyArray<Store>
): Effect.Effect<ReadonlyArray<ReadonlyArray<Stored>>> =>
  Effect.forEach(
    copies,
    (copy) => Effect.orElseSucceed(copy.list, (): ReadonlyArray<Stored> => []),
    { concurrency: "unbounded" }
  )

const newestFirst = (one: Stored, other: Stored): number =>
  other.parsed.startedAt.epochMillis - one.parsed.startedAt.epochMillis

const emptyDump = ({ database }: Manifest.Dump): BackupError =>
  new BackupError({
    reason: "Corrupt",
    subject: `${database.name} at ${database.location}`,
    expected: "a dump",
    found: "an empty file",
    advice: "Run it again, and report it if it stays so"
  })
