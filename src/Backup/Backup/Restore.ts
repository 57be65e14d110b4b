/**
 * Puts a backup in the place of the present, which is saved first. Whatever refuses a restore does
 * so before the present is saved: otherwise a few refused ones would push the last pre-restore
 * backups out.
 */
import { DateTime, Effect, Option, Ref, type Scope } from "effect"
import { abandonable } from "../../Common/abandonable.js"
import { BackupError } from "../BackupError.js"
import { restoring } from "../BackupLock.js"
import * as BackupName from "../BackupName.js"
import {
  leniencyOf,
  type Outcome,
  type Restored as StrategyRestored,
  type Strategy
} from "../BackupStrategy/Strategy.js"
import { describe, judge } from "../DatabaseIdentity.js"
import type * as Manifest from "../Manifest.js"
import * as Retention from "../Retention.js"
import { type Chosen, choose, sameEngine } from "./Selection.js"
import { type Beside, lookBeside, make, nextName } from "./Create.js"
import * as Globals from "./Globals.js"
import { type Desk, lock, silent, step } from "./Options.js"
import { pruneStore } from "./Prune.js"
import type { Choice, Restored, RestoreOptions, RestorePlan, Stopped } from "./Reports.js"

/** What a restore would do; it fails where that would. Changes nothing and takes no lock. @internal */
export const plan = (
  desk: Desk,
  choice: Choice,
  given: RestoreOptions
): Effect.Effect<RestorePlan, BackupError> =>
  Effect.scoped(Effect.map(prepare(desk, choice, given), ({ plan }) => plan)).pipe(
    Effect.withSpan("Backup.plan")
  )

/** @internal */
export const restore = (
  desk: Desk,
  choice: Choice,
  given: RestoreOptions
): Effect.Effect<Restored | undefined, BackupError> =>
  Effect.gen(function* () {
    const lastWords = yield* Ref.make(Effect.void)
    const work = Effect.gen(function* () {
      yield* step("restore/lock")
      yield* lock(desk, desk.main, restoring, given.onProgress ?? silent)
      yield* step("restore/sweep")
      yield* desk.main.sweep
      const prepared = yield* prepare(desk, choice, given)
      const agreed = given.confirm === undefined || (yield* given.confirm(prepared.plan))
      return agreed ? yield* carryOut(desk, prepared, given, lastWords) : undefined
    })
    return yield* Effect.scoped(work).pipe(
      Effect.onInterrupt(() => Effect.flatten(Ref.get(lastWords)))
    )
  }).pipe(Effect.withSpan("Backup.restore"))

interface Prepared {
  readonly beside: Beside
  readonly chosen: Chosen
  readonly saved: BackupName.BackupName
  readonly plan: RestorePlan
}

const prepare = (
  desk: Desk,
  choice: Choice,
  given: RestoreOptions
): Effect.Effect<Prepared, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const { strategy } = desk
    const onProgress = given.onProgress ?? silent
    const chosen = yield* choose(desk, choice, given.allowOther === true ? "all" : "none")
    yield* sameEngine(desk, chosen)
    const database = yield* desk.database
    const otherness = yield* sameDatabase(chosen, database, given.allowOther === true)
    yield* step("restore/verify")
    const read = yield* strategy.verify(chosen.payload, { deep: false, onProgress })
    yield* step("restore/present")
    const present = yield* strategy.present
    if (present._tag === "Damaged" && given.replaceDamaged !== true) {
      return yield* unsaveable(database, present)
    }
    const room = yield* strategy.room?.(chosen.payload) ?? Effect.succeed([])
    const beside = yield* lookBeside(desk, "pre_restore")
    const saved = yield* nextName(desk, "pre_restore", beside)
    const plan: RestorePlan = {
      name: chosen.name,
      manifest: chosen.manifest,
      database,
      present,
      preRestore: present._tag === "Readable" ? BackupName.format(saved) : undefined,
      keeps:
        present._tag === "Readable" && given.journal !== "backup" ? (present.journal ?? []) : [],
      warnings: [
        ...chosen.warnings,
        ...otherness,
        ...read.warnings,
        ...room,
        ...(present.warnings ?? []),
        ...(present._tag === "Absent"
          ? ["There is no database yet, so there is no pre-restore backup"]
          : []),
        ...(present._tag === "Damaged"
          ? [`The present cannot be read (${present.found}): it is moved aside, not saved`]
          : [])
      ]
    }
    return { beside, chosen, saved, plan }
  })

/** Where the engine can, nobody writes from before the present is saved until it is replaced. */
const saveAndReplace = (
  desk: Desk,
  { beside, chosen, plan, saved }: Prepared,
  given: RestoreOptions,
  course: Course
) =>
  Effect.gen(function* () {
    const options = {
      startedAt: saved.startedAt,
      replaceDamaged: given.replaceDamaged === true,
      ...leniencyOf(given),
      journal: given.journal,
      onProgress: given.onProgress ?? silent,
      onOutcome: (outcome: Outcome) => Ref.update(course, (before) => ({ ...before, outcome }))
    }
    const { strategy } = desk
    yield* step("restore/pre-restore")
    const isSaved = plan.preRestore !== undefined
    const quiesce = given.quiesce === undefined ? undefined : abandonable(given.quiesce)
    const hold = isSaved ? strategy.hold : undefined
    if (hold === undefined) yield* quiesce ?? Effect.void
    const held =
      hold === undefined ? undefined : yield* hold(chosen.payload, { ...options, quiesce })
    const dump = held?.dump ?? strategy.dump
    const saving = Effect.map(
      make({ ...desk, strategy: { ...strategy, dump } }, saved, beside, given),
      ({ manifest, warnings }): Safety => ({ name: manifest.name, warnings })
    )
    const safety = isSaved
      ? yield* Effect.catchIf(saving, isDamage, unsaved(held?.staysAside === true, options))
      : undefined
    const restored = yield* Effect.gen(function* () {
      const preRestore = safety?.name
      yield* Ref.update(course, (before) => ({ ...before, preRestore }))
      if (preRestore !== undefined) yield* given.onSaved?.(preRestore) ?? Effect.void
      yield* step("restore/restore")
      // The pre-restore backup may have taken long, and another run have begun to restore.
      yield* desk.main.held
      return yield* held?.restore ?? strategy.restore(chosen.payload, options)
    }).pipe(Effect.mapError(naming(safety?.name)))
    return { safety, restored }
  }).pipe(Effect.mapError(Globals.pointAt(chosen)))

interface Done {
  readonly safety: Safety | undefined
  readonly restored: StrategyRestored
}

/** The pre-restore backup, or why there is none. */
interface Safety {
  readonly name: string | undefined
  readonly warnings: ReadonlyArray<string>
}

const isDamage = ({ reason }: BackupError): boolean => reason === "Damaged"

/** Not to be saved, and only on demand to be replaced; where it stays aside, nothing is lost by that. */
const unsaved =
  (staysAside: boolean, options: { readonly replaceDamaged: boolean }) =>
  (error: BackupError): Effect.Effect<Safety, BackupError> =>
    staysAside && options.replaceDamaged
      ? Effect.succeed({
          name: undefined,
          warnings: [`The present could not be saved (${error.found}): it is set aside as it is`]
        })
      : new BackupError({
          ...error,
          advice: staysAside
            ? "Let it be set aside unsaved, under another name, with --replace-damaged"
            : error.advice,
          cause: error
        })

const carryOut = (
  desk: Desk,
  prepared: Prepared,
  given: RestoreOptions,
  /** What is said where the whole is interrupted, to its very end. */
  lastWords: Ref.Ref<Effect.Effect<void>>
): Effect.Effect<Restored, BackupError> =>
  Effect.gen(function* () {
    const { plan } = prepared
    const course = yield* Ref.make<Come>({ outcome: { _tag: "Unchanged" }, preRestore: undefined })
    const told = yield* Effect.once(
      Effect.flatMap(
        Ref.get(course),
        (come) => given.onInterrupted?.({ plan, ...come }) ?? Effect.void
      )
    )
    yield* Ref.set(lastWords, told)
    const done = yield* saveAndReplace(desk, prepared, given, course).pipe(
      // Within the scope, whose end may take long: who interrupts twice would learn nothing.
      Effect.onInterrupt(() => told),
      Effect.scoped
    )
    return yield* tidied(desk, prepared, done)
  })

/** How far a restore has come, for who breaks it off. */
type Come = Omit<Stopped, "plan">
type Course = Ref.Ref<Come>

/** Older files go, and what was done is told. */
const tidied = (
  desk: Desk,
  { chosen, plan }: Prepared,
  { restored, safety }: Done
): Effect.Effect<Restored, BackupError> =>
  Effect.gen(function* () {
    const subject = { app: desk.slug, database: plan.database }
    // The restore is done: that older files could not be removed is no failure of it.
    const pruning = yield* Effect.zipRight(
      step("restore/prune"),
      Effect.all([
        pruneStore(
          desk,
          desk.main,
          subject,
          ({ manifest, name }) =>
            name !== chosen.name &&
            Option.exists(manifest, ({ purpose }) => purpose === "pre_restore")
        ),
        dropOld(desk.strategy)
      ])
    ).pipe(Effect.either)
    return {
      ...plan,
      preRestore: safety?.name,
      method: restored.method,
      setAside: restored.setAside,
      tables: restored.tables,
      keeps: restored.kept ?? [],
      pruned: pruning._tag === "Right" ? pruning.right.flat() : [],
      warnings: [
        ...plan.warnings,
        ...(safety?.warnings ?? []),
        ...restored.warnings,
        ...(pruning._tag === "Left" ? [`Not all was pruned: ${pruning.left.message}`] : [])
      ]
    }
  })

/** Whatever fails once the present is saved says under which name, so that nobody has to look for it. */
const naming =
  (preRestore: string | undefined) =>
  (error: BackupError): BackupError =>
    preRestore === undefined ? error : new BackupError({ ...error, preRestore })

const dropOld = (strategy: Strategy): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.gen(function* () {
    const now = yield* DateTime.now
    const old = (yield* strategy.setAside)
      .slice(Retention.preRestoreKept)
      .filter(({ at }) => !Retention.isRecent(at, now))
    yield* Effect.forEach(old, ({ name }) => strategy.dropSetAside(name), { discard: true })
    return old.map(({ name }) => name)
  })

/** What is odd about whose backup it is. Fails with `WrongDatabase`. */
const sameDatabase = (
  { manifest, name }: Chosen,
  database: Manifest.Database,
  allowOther: boolean
): Effect.Effect<ReadonlyArray<string>, BackupError> => {
  const of = manifest?.dump.database
  if (of === undefined) return Effect.succeed([])
  if (of.name === database.name) {
    const verdict = judge(of, database)
    const what = `${name} was made of ${of.name} at ${describe(of)}`
    const here = describe(database)
    if (verdict === "same") return Effect.succeed([])
    return Effect.succeed([
      verdict === "other"
        ? `${what}, not at ${here}: that is another database`
        : `${what}; whether that is the database at ${here} is not known`
    ])
  }
  if (allowOther) {
    return Effect.succeed([`${name} is a backup of ${of.name}, not of ${database.name}`])
  }
  return new BackupError({
    reason: "WrongDatabase",
    subject: name,
    expected: `a backup of ${database.name}`,
    found: `one of ${of.name} at ${describe(of)}`,
    advice: "Choose another backup, or allow one of another database (--allow-other)"
  })
}

const unsaveable = (
  database: Manifest.Database,
  { advice, found }: { readonly found: string; readonly advice?: string | undefined }
): BackupError =>
  new BackupError({
    reason: advice === undefined ? "Damaged" : "Unreadable",
    subject: `${database.name} at ${database.location}`,
    expected: "a database that can be saved before it is replaced",
    found,
    advice: advice ?? "Let it be moved aside unsaved with --replace-damaged"
  })
