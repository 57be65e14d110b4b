/**
 * `holter watch` put together: what is built in which order, and in which phase of the shutdown each
 * part closes.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Context, type Deferred, type Duration, Effect, Layer, type Scope } from "effect"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import * as ChannelRegistry from "../../Alert/ChannelRegistry.js"
import * as Notifier from "../../Alert/Notifier.js"
import type { BackupError } from "../../Backup/BackupError.js"
import * as CheckRegistry from "../../Check/CheckRegistry.js"
import * as CheckRunner from "../../Check/CheckRunner.js"
import { Beacon } from "../../Lifecycle/Beacon.js"
import { Lifecycle } from "../../Lifecycle/Lifecycle.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"
import * as Watchdog from "../../Lifecycle/Watchdog.js"
import * as Alerting from "../../Monitor/Alerting.js"
import * as HealthMonitor from "../../Monitor/HealthMonitor.js"
import { Journal, type JournalError } from "../../Monitor/Journal.js"
import * as Vitals from "../../Monitor/Vitals.js"
import type { ConfigurationError } from "../ConfigurationError.js"
import type { Output } from "../Output.js"
import * as Registration from "../Registration.js"
import { Screen } from "../Screen.js"
import * as Backups from "./Backups.js"
import * as Beginning from "./Beginning.js"
import * as Display from "./Display.js"
import * as Ending from "./Ending.js"
import * as Listening from "./Listening.js"
import type { Reporter } from "./Reporter.js"
import * as Steps from "./Steps.js"
import * as WatchJournal from "./WatchJournal.js"
import type { WatchSettings } from "./WatchSettings.js"

type Requirements = Reporter | Screen | Output | FileSystem | Path | Lifecycle | Beacon

type Problem = ConfigurationError | BackupError | PlanError

/** Beats until it is stopped. `verbose`: decisions that come to nothing are said too. */
export const layer = (
  settings: WatchSettings,
  lost: Deferred.Deferred<JournalError>,
  verbose: boolean
): Layer.Layer<never, Problem, Requirements> => Layer.scopedDiscard(build(settings, lost, verbose))

const watchdog = (limit: Duration.DurationInput = Watchdog.defaultLimit) =>
  Watchdog.layer({
    limit,
    name: "holter",
    advice:
      "Let a supervisor start it again, and report this with the lines below; shutdown.watchdog sets the limit."
  })

/** Within a phase the hook that was registered last runs first: see Steps. */
const build = (
  settings: WatchSettings,
  lost: Deferred.Deferred<JournalError>,
  verbose: boolean
): Effect.Effect<void, Problem, Requirements | Scope.Scope> =>
  Effect.gen(function* () {
    const { alerts, backups, configuration, time } = settings
    const within = <A, E, R>(step: Steps.Step, part: Layer.Layer<A, E, R>) =>
      Effect.flatMap(Steps.scope(step, time), (scope) => Layer.buildWithScope(part, scope))

    yield* Ending.output(time)
    yield* Effect.forkScoped(Ending.follow)
    const journal = yield* within(Steps.steps.journal, WatchJournal.layer(configuration))
    yield* Effect.forkScoped(Effect.provide(Ending.whenLost(lost), journal))

    const checks = yield* Steps.scope(Steps.steps.checks, time)
    const health = yield* HealthMonitor.layer.pipe(
      Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer())),
      Layer.provide(watchdog(configuration.shutdown.watchdog)),
      Layer.buildWithScope(checks)
    )
    const services = configuration.services.filter(({ configured }) => configured)
    yield* Effect.provide(Registration.register(services, configuration.secrets, checks), health)

    // Names of channels come from a mapping and are known to differ.
    const channels = Layer.orDie(alerts.channels).pipe(Layer.provideMerge(ChannelRegistry.layer))
    const notifier = yield* within(
      Steps.steps.channels,
      Notifier.layer({ patiences: patiences(alerts.policy) }).pipe(
        Layer.provide(channels),
        Layer.provide(Layer.succeedContext(journal))
      )
    )
    const parts = Context.mergeAll(journal, health, notifier)
    if (alerts.deadMan !== undefined) {
      const { layerStandalone } = yield* Effect.promise(() => import("../../plugins/DeadMan.js"))
      const vitals = Layer.provide(Vitals.layer, Layer.succeedContext(health))
      yield* within(Steps.steps.deadMan, Layer.provide(layerStandalone(alerts.deadMan), vitals))
    }

    const alerting = yield* within(
      Steps.steps.alerting,
      Layer.provide(Alerting.layer(alerts), Layer.succeedContext(parts))
    ).pipe(
      Effect.catchTag("JournalError", (error) => WatchJournal.refused(error, configuration.source))
    )
    const all = Context.merge(parts, alerting)
    yield* Ending.alerts(time).pipe(Effect.provide(all))
    yield* Steps.on(Steps.steps.state, time, Context.get(journal, Journal).flush)

    yield* Effect.provide(Beginning.remember, all)
    yield* Beginning.say(settings)
    yield* Effect.provide(Beginning.takeOver, all)
    yield* Effect.provide(Listening.run(verbose), all)
    if (backups !== undefined) {
      yield* Backups.run(backups)
      yield* Steps.on(Steps.steps.schedule, time, (yield* Beacon).refuse)
    }
    const screen = yield* Screen
    if ((yield* screen.size) !== undefined) yield* Display.run

    const { startHeartbeat, stopHeartbeat } = Context.get(health, HealthMonitor.HealthMonitor)
    const { rest } = Context.get(alerting, Alerting.Alerting)
    yield* Steps.on(Steps.steps.heartbeat, time, Effect.zipRight(stopHeartbeat, rest))
    yield* startHeartbeat
  })

const patiences = ({ channels }: AlertPolicy.Policy): Readonly<Record<string, Notifier.Patience>> =>
  Object.fromEntries(
    [...channels].flatMap(([name, { unreachable }]) =>
      unreachable === undefined ? [] : [[name, unreachable]]
    )
  )
