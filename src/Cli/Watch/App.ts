/**
 * `holter watch`: the front door of the library with what the configuration says, and what the terminal
 * shows of it.
 */
import { type Deferred, Effect, Layer } from "effect"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import type { GrowingSecrets } from "../../Common/GrowingSecrets.js"
import * as Holter from "../../Holter.js"
import * as Watchdog from "../../Lifecycle/Watchdog.js"
import type { JournalError } from "../../Monitor/Journal.js"
import { Screen } from "../Screen.js"
import * as Startup from "./Startup.js"
import * as Built from "./Built.js"
import * as Display from "./Display.js"
import * as Ending from "./Ending.js"
import * as Listening from "./Listening.js"
import * as Reload from "./Reload.js"
import * as Summary from "./Summary.js"
import * as WatchJournal from "./WatchJournal.js"
import * as WatchSettings from "./WatchSettings.js"

/** What a watch is begun with. */
export interface Beginnings {
  readonly settings: WatchSettings.WatchSettings
  /** By which the settings are read again. */
  readonly flags: WatchSettings.Flags
  /** What its outputs hide. */
  readonly secrets: GrowingSecrets
  readonly lost: Deferred.Deferred<JournalError>
  /** Decisions that come to nothing are said too. */
  readonly verbose: boolean
}

/** Beats until it is stopped. */
export const layer = (beginnings: Beginnings) =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const { flags, lost, secrets, settings } = beginnings
      yield* Ending.output
      yield* Effect.forkScoped(Ending.follow)
      const sole = { deadMan: yield* Built.deadMan, backups: yield* Built.backups }
      const running = { first: settings, current: { settings }, flags, secrets }
      const onJournalLost = yield* Ending.whenLost(lost)
      const watching = watch(beginnings, running, observers(beginnings, sole), onJournalLost)
      return Layer.provide(Reload.layer(running, sole), watching)
    })
  )

const watch = (
  { secrets, settings }: Beginnings,
  { current }: Reload.Running,
  observing: ReturnType<typeof observers>,
  onJournalLost: (error: JournalError) => Effect.Effect<void>
) => {
  const { alerts, configuration } = settings
  return Holter.layer({
    checks: Built.layerChecks(Summary.services(settings), secrets.secrets).pipe(
      Layer.mapError(unbuilt(settings))
    ),
    channels: Built.layerChannels(alerts.channels, secrets.secrets).pipe(
      Layer.mapError(unbuilt(settings))
    ),
    routes: alerts.policy.routes,
    policy: alerts.options,
    notifier: {
      patienceOf: (channel) => current.settings.alerts.policy.channels.get(channel)?.unreachable
    },
    journal: WatchJournal.layer(configuration),
    onJournalLost,
    maintenance: alerts.maintenance,
    requests: { reloads: true },
    watchdog: watchdog(configuration.shutdown.watchdog),
    observers: observing
  }).pipe(
    Layer.catchAll((error) => {
      if (error._tag === "JournalError") {
        return Layer.fail(WatchJournal.refused(error, configuration.source))
      }
      // The routes were checked as the configuration was read.
      return error._tag === "AlertingOptionsError" ? Layer.die(error) : Layer.fail(error)
    })
  )
}

const unbuilt = (settings: WatchSettings.WatchSettings) => (issue: ConfigIssue) =>
  WatchSettings.unbuilt(settings, issue)

const watchdog = (limit: Watchdog.Options["limit"] = Watchdog.defaultLimit): Watchdog.Options => ({
  limit,
  name: "holter",
  advice:
    "Let a supervisor start it again, and report this with the lines below; shutdown.watchdog sets the limit."
})

/** What is said and shown from before the first beat on. */
const observers = ({ settings, verbose }: Beginnings, { backups, deadMan }: Reload.Sole) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      yield* deadMan.open(Built.deadMen(settings))
      const decisions = yield* Listening.hear
      yield* Startup.remember
      yield* Startup.say(settings)
      yield* Startup.takeOver
      yield* Listening.run(verbose, decisions)
      yield* backups.open(Built.schedules(settings))
      const screen = yield* Screen
      if ((yield* screen.size) !== undefined) yield* Display.run
    })
  )
