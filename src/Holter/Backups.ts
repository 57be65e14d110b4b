/**
 * Backups of the program's database at their times, as work in flight: a shutdown begins no new one,
 * waits for the one that runs, and then cancels it.
 *
 * @internal
 */
import { DateTime, Effect, Layer, Option, Redacted } from "effect"
import * as Backup from "../Backup/Backup.js"
import { BackupError } from "../Backup/BackupError.js"
import * as BackupSchedule from "../Backup/BackupSchedule.js"
import * as BackupStore from "../Backup/BackupStore.js"
import * as BackupStrategy from "../Backup/BackupStrategy.js"
import type * as DatabaseUrl from "../Common/DatabaseUrl.js"
import { Beacon } from "../Lifecycle/Beacon.js"
import type { Lifecycle } from "../Lifecycle/Lifecycle.js"
import type { PlanError } from "../Lifecycle/PlanError.js"
import * as BackupOptions from "./BackupOptions.js"
import { on, steps } from "./Steps.js"

export interface Backups<E = never, R = never> extends Omit<Backup.Options, "timeZone"> {
  /** The database: its URL, or the strategy of another package with what it needs to know. */
  readonly url: Redacted.Redacted<string> | string | Strategy<E, R>
  /** Where backups lie; made where it is missing. */
  readonly directory: string
  readonly copies?: BackupStore.DirectoryOptions["copies"]
  readonly mounted?: BackupStore.DirectoryOptions["mounted"]
  /** When backups are made, as a cron expression; never by themselves where left out. */
  readonly schedule?: string | undefined
  /** When the latest backup is restored into a scratch database, to see that it can be. */
  readonly drill?: string | undefined
  /** Of the cron expressions and of the days that retention counts; UTC where left out. */
  readonly timeZone?: string | undefined
  readonly strategy?: BackupStrategy.Options | undefined
  /** Called when scheduled work ended; without it failures are logged. */
  readonly onEnd?: BackupSchedule.Options["onEnd"]
}

type Strategy<E, R> = Layer.Layer<BackupStrategy.BackupStrategy, E, R>

/**
 * @example
 * import { Config } from "effect"
 * import { Holter } from "holter"
 *
 * const Backups = Holter.layerBackups({
 *   app: "my bot",
 *   url: "sqlite:///data/bot.db",
 *   directory: "backups",
 *   schedule: "0 3 * * *"
 * })
 */
export const layerBackups = <E = never, R = never>(
  options: Backups<E, R>
): Layer.Layer<Backup.Backup, E | BackupsFailure, R | BackupsRequirements> =>
  Layer.unwrapEffect(
    Effect.as(
      BackupOptions.check({ ...options }),
      Layer.provide(Layer.merge(scheduled(options), layerTracked({ refused })), backups(options))
    )
  )

/** What keeps it from being built, beside what a strategy of another package fails with. */
export type BackupsFailure =
  | BackupOptions.BackupOptionsError
  | DatabaseUrl.DatabaseUrlError
  | BackupSchedule.BackupScheduleError
  | PlanError

/** What the program brings; `NodeContext.layer` has all of it but what `launch` gives. */
export type BackupsRequirements = BackupStrategy.Requirements | Lifecycle | Beacon

const backups = <E, R>({
  copies,
  directory,
  mounted,
  strategy,
  timeZone,
  url,
  ...options
}: Backups<E, R>) =>
  Backup.layer({ ...options, timeZone: zoneOf(timeZone) }).pipe(
    Layer.provide(strategyOf(url, strategy)),
    Layer.provide(
      BackupStore.layerDirectory({ path: directory, copies, mounted, host: options.host })
    )
  )

const strategyOf = <E, R>(
  url: Backups<E, R>["url"],
  options: BackupStrategy.Options | undefined
): Layer.Layer<
  BackupStrategy.BackupStrategy,
  E | DatabaseUrl.DatabaseUrlError,
  R | BackupStrategy.Requirements
> =>
  typeof url === "string" || Redacted.isRedacted(url) ? BackupStrategy.layerUrl(url, options) : url

const zoneOf = (zone: string | undefined): DateTime.TimeZone | undefined =>
  zone === undefined ? undefined : Option.getOrUndefined(DateTime.zoneFromString(zone))

const scheduled = (options: Pick<Backups, "drill" | "onEnd" | "schedule" | "timeZone">) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const parse = (expression: string | undefined) =>
        expression === undefined ? Effect.void : BackupSchedule.parse(expression, options.timeZone)
      const create = yield* parse(options.schedule)
      const drill = yield* parse(options.drill)
      if (create === undefined && drill === undefined) return Layer.empty
      const { refuse } = yield* Beacon
      yield* on(steps.schedule, refuse)
      return BackupSchedule.layer({
        create: create ?? undefined,
        drill: drill ?? undefined,
        onEnd: options.onEnd
      }).pipe(Layer.provide(layerTracked()))
    })
  )

export type Work = "backup" | "drill" | "restore"

export interface Tracking {
  readonly onStart?: (work: Work) => Effect.Effect<void>
  /** What becomes of work that is asked for once the program stops; a schedule waits for its end. */
  readonly refused?: (work: Work) => Effect.Effect<never, BackupError>
}

/** The same backups as work in flight: a shutdown begins nothing new, and waits for what runs. */
export const layerTracked = ({
  onStart = () => Effect.void,
  refused = () => Effect.never
}: Tracking = {}): Layer.Layer<Backup.Backup, never, Backup.Backup | Beacon> =>
  Layer.effect(
    Backup.Backup,
    Effect.gen(function* () {
      const backup = yield* Backup.Backup
      const { track } = yield* Beacon
      const inFlight = <A>(work: Work, effect: Effect.Effect<A, BackupError>) =>
        Effect.zipRight(onStart(work), effect).pipe(
          track(work),
          Effect.catchTag("BeaconRefused", () => refused(work))
        )
      return {
        ...backup,
        create: (choice) => inFlight("backup", backup.create(choice)),
        drill: (choice) => inFlight("drill", backup.drill(choice)),
        restore: (choice, asked) => inFlight("restore", backup.restore(choice, asked))
      }
    })
  )

const refused = (work: Work): Effect.Effect<never, BackupError> =>
  new BackupError({
    reason: "ShuttingDown",
    subject: `the ${work}`,
    expected: "a program that goes on",
    found: "that it is stopping",
    advice: "Ask again after the next start"
  })
