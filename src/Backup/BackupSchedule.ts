/**
 * Backups and drills at their times, inside a program that runs on.
 *
 * A time that passed while the program was stopped is caught up with once. What fails is reported, and
 * tried again after growing gaps until its next time.
 */
import { Cause, Clock, type Cron, Duration, Effect, Exit, Layer, Option } from "effect"
import * as CronTime from "../Common/CronTime.js"
import { Backup, type Created, type Drilled, type Listing } from "./Backup.js"
import type { BackupError } from "./BackupError.js"

export {
  BackupScheduleError,
  parse
} from "./BackupSchedule/Expression.js"

/** How one piece of scheduled work ended. */
export type Ended =
  | { readonly _tag: "Create"; readonly exit: Exit.Exit<Created, BackupError> }
  | { readonly _tag: "Drill"; readonly exit: Exit.Exit<Drilled, BackupError> }

export interface Options {
  /** When backups are made; never, where it is left out. */
  readonly create?: Cron.Cron | undefined
  readonly drill?: Cron.Cron | undefined
  /** Told how each run ended, and then tells of failures itself. Without it they are logged. */
  readonly onEnd?: ((ended: Ended) => Effect.Effect<void>) | undefined
}

/** Runs backups, and drills if they have a schedule, for ever. One at a time. */
export const run = (options: Options): Effect.Effect<never, never, Backup> =>
  Effect.gen(function* () {
    const backup = yield* Backup
    const turn = yield* Effect.makeSemaphore(1)
    const tell = options.onEnd ?? logged
    const known = Effect.map(Effect.option(backup.list), Option.getOrUndefined)
    const create = turn
      .withPermits(1)(Effect.exit(backup.create()))
      .pipe(
        Effect.tap((exit) => tell({ _tag: "Create", exit })),
        Effect.map(Exit.isSuccess)
      )
    const drill = turn
      .withPermits(1)(Effect.exit(backup.drill()))
      .pipe(
        Effect.tap((exit) => tell({ _tag: "Drill", exit })),
        Effect.map(Exit.isSuccess)
      )
    const now = yield* Clock.currentTimeMillis
    const listing = yield* known
    // Without a single backup there is nothing to wait for.
    const creating =
      options.create === undefined
        ? Effect.never
        : repeat(create, options.create, lastCreated(listing, now))
    const drilling =
      options.drill === undefined
        ? Effect.never
        : repeat(drill, options.drill, lastDrilled(listing, now) ?? now)
    const [never] = yield* Effect.all([creating, drilling], { concurrency: 2 })
    return never
  })

/**
 * Runs for as long as the layer lives.
 *
 * @example
 * import { Backup, BackupSchedule } from "holter"
 * import { Effect, Layer } from "effect"
 *
 * const Nightly: Layer.Layer<never, BackupSchedule.BackupScheduleError, Backup.Backup> =
 *   Layer.unwrapEffect(
 *     Effect.map(BackupSchedule.parse("0 3 * * *"), (create) => BackupSchedule.layer({ create }))
 *   )
 */
export const layer = (options: Options): Layer.Layer<never, never, Backup> =>
  Layer.scopedDiscard(Effect.forkScoped(run(options)))

/**
 * At once if a time has passed since `last`, or if there was none. What failed is tried again before
 * its next time: after minutes at first, since a server that restarts is back soon, then ever later.
 */
const repeat = (
  work: Effect.Effect<boolean>,
  cron: Cron.Cron,
  last: number | undefined,
  gap = firstGapMillis
): Effect.Effect<never> =>
  Effect.gen(function* () {
    if (last !== undefined) {
      const due = CronTime.next(cron, last)
      yield* until(gap > firstGapMillis ? Math.min(due, last + gap / 2) : due)
    }
    const isDone = yield* work
    const now = yield* Clock.currentTimeMillis
    return yield* repeat(work, cron, now, isDone ? firstGapMillis : gap * 2)
  })

/** Doubled with each failure. */
const firstGapMillis = 5 * 60_000

/**
 * In several sleeps, the last ones short: a timer stands still while the machine sleeps, and holds
 * for 24 days at most.
 */
const until = (time: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const left = time - (yield* Clock.currentTimeMillis)
    if (left <= 0) return
    const share = Math.max(Math.min(left / 2, hourMillis), Math.min(left, minuteMillis))
    yield* Effect.sleep(Duration.millis(share))
    yield* until(time)
  })

const minuteMillis = 60_000
const hourMillis = 60 * minuteMillis

const lastCreated = (listing: Listing | undefined, now: number): number | undefined =>
  newest(
    (listing?.own ?? []).flatMap(({ manifest }) =>
      Option.match(manifest, {
        onNone: () => [],
        onSome: ({ purpose, startedAt }) => (purpose === "backup" ? [startedAt.epochMillis] : [])
      })
    ),
    now
  )

/** Before the first drill, the oldest backup is what could have been drilled. */
const lastDrilled = (listing: Listing | undefined, now: number): number | undefined => {
  const known = (listing?.own ?? []).flatMap(({ manifest }) => Option.toArray(manifest))
  const drills = known.flatMap(({ drilled }) => (drilled === null ? [] : [drilled.at.epochMillis]))
  const starts = known.map(({ startedAt }) => startedAt.epochMillis).filter((time) => time <= now)
  return newest(drills, now) ?? (starts.length === 0 ? undefined : Math.min(...starts))
}

/** What is dated in the future tells nothing. */
const newest = (times: ReadonlyArray<number>, now: number): number | undefined => {
  const past = times.filter((time) => time <= now)
  return past.length === 0 ? undefined : Math.max(...past)
}

const logged = (ended: Ended): Effect.Effect<void> => {
  const what = ended._tag === "Create" ? "backup" : "drill"
  const exit: Exit.Exit<unknown, BackupError> = ended.exit
  return Exit.match(exit, {
    onFailure: (cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.void
        : Effect.logError(`The scheduled ${what} failed`, cause),
    onSuccess: () => Effect.logDebug(`The scheduled ${what} is done`)
  })
}
