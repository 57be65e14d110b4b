/**
 * Scheduled backups and drills as a part of `holter watch`: each is work in flight, which a shutdown
 * waits for and then cancels, and each is told of.
 */
import { Clock, type Cron, Effect, Layer, type Scope } from "effect"
import * as CronTime from "../../Common/CronTime.js"
import * as Backup from "../../Backup/Backup.js"
import type { BackupError } from "../../Backup/BackupError.js"
import * as BackupSchedule from "../../Backup/BackupSchedule.js"
import { layerTracked, type Work } from "../../Holter/Backups.js"
import type { Beacon } from "../../Lifecycle/Beacon.js"
import * as Excerpt from "../../Common/Excerpt.js"
import * as BackupAccess from "../Backup/BackupAccess.js"
import type { BackupSettings } from "../Backup/BackupSettings.js"
import type { ConfigurationError } from "../ConfigurationError.js"
import * as BackupNews from "./BackupNews.js"
import type { Backups } from "./WatchState.js"
import { Line } from "./Lines.js"
import { Reporter } from "./Reporter.js"

/** What is to be done when. */
export interface Planned {
  readonly settings: BackupSettings
  readonly create: Cron.Cron | undefined
  readonly drill: Cron.Cron | undefined
}

/** For as long as the scope is open. */
export const run = (
  planned: Planned
): Effect.Effect<void, BackupError | ConfigurationError, Reporter | Beacon | Scope.Scope> =>
  Effect.gen(function* () {
    const reporter = yield* Reporter
    const backup = yield* BackupAccess.open(planned.settings)
    const next = nextOf(planned)
    yield* show({ next: yield* next })
    // A database that is down must hold up neither the start nor the checks of the others.
    yield* Effect.forkScoped(remember(backup, planned))
    yield* BackupSchedule.layer({
      create: planned.create,
      drill: planned.drill,
      onEnd: (ended) =>
        Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          yield* Effect.forEach(BackupNews.lines(ended, at), reporter.say, { discard: true })
          const time = yield* next
          yield* change((before) => ({ ...BackupNews.after(before, ended), next: time }))
        }).pipe(Effect.provideService(Reporter, reporter))
    }).pipe(
      Layer.provide(
        layerTracked({
          onStart: (work) => Effect.provideService(started(work), Reporter, reporter)
        })
      ),
      Layer.provide(Layer.succeed(Backup.Backup, backup)),
      Layer.build
    )
  }).pipe(Excerpt.knowing(planned.settings.secrets))

const change = (f: (before: Backups) => Backups) =>
  Effect.flatMap(Reporter, ({ update }) =>
    update((board) => ({ ...board, backup: f(board.backup ?? BackupNews.nothing) }))
  )

const show = (part: Partial<Backups>) => change((before) => ({ ...before, ...part }))

const nextOf = ({ create }: Planned): Effect.Effect<number | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) =>
    create === undefined ? undefined : CronTime.next(create, now)
  )

/** The last backup of an earlier run, unless there is a newer one meanwhile. */
const remember = (backup: Backup.Backup["Type"], { settings }: Planned) =>
  backup.list.pipe(
    Effect.flatMap(({ own }) => {
      const last = BackupNews.newest(own)
      return change((before) => ({ ...before, last: before.last ?? last }))
    }),
    Effect.catchAll(({ message }) =>
      show({ problem: `The backups in ${settings.directory} cannot be listed: ${message}` })
    )
  )

const started = (work: Work) =>
  Effect.gen(function* () {
    const { say } = yield* Reporter
    const at = yield* Clock.currentTimeMillis
    yield* say(Line.backup({ at, work, event: "started", message: "" }))
    yield* show({ running: { what: `A ${work}`, since: at } })
  })
