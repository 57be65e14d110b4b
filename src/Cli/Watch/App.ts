/**
 * `holter watch` put together: what is built in which order, and in which phase of the shutdown each
 * part closes.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import {
  Context,
  type Deferred,
  type Duration,
  Effect,
  ExecutionStrategy,
  Layer,
  Scope
} from "effect"
import * as ChannelRegistry from "../../Alert/ChannelRegistry.js"
import * as Notifier from "../../Alert/Notifier.js"
import type { BackupError } from "../../Backup/BackupError.js"
import type { ConfigIssue } from "../../Check/CheckError.js"
import * as CheckRegistry from "../../Check/CheckRegistry.js"
import * as CheckRunner from "../../Check/CheckRunner.js"
import type { GrowingSecrets } from "../../Common/GrowingSecrets.js"
import type { Beacon } from "../../Lifecycle/Beacon.js"
import type { Lifecycle } from "../../Lifecycle/Lifecycle.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"
import * as Watchdog from "../../Lifecycle/Watchdog.js"
import * as Alerting from "../../Monitor/Alerting.js"
import * as HealthMonitor from "../../Monitor/HealthMonitor.js"
import { Journal, type JournalError } from "../../Monitor/Journal.js"
import type { ConfigurationError } from "../ConfigurationError.js"
import type { Output } from "../Output.js"
import { Screen } from "../Screen.js"
import * as Beginning from "./Beginning.js"
import * as Built from "./Built.js"
import * as Display from "./Display.js"
import * as Ending from "./Ending.js"
import * as Listening from "./Listening.js"
import * as Reload from "./Reload.js"
import type { Reporter } from "./Reporter.js"
import * as Steps from "./Steps.js"
import * as Summary from "./Summary.js"
import * as WatchJournal from "./WatchJournal.js"
import * as WatchSettings from "./WatchSettings.js"

type Requirements = Reporter | Screen | Output | FileSystem | Path | Lifecycle | Beacon

type Problem = ConfigurationError | BackupError | PlanError

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
export const layer = (beginnings: Beginnings): Layer.Layer<never, Problem, Requirements> =>
  Layer.scopedDiscard(build(beginnings))

const watchdog = (limit: Duration.DurationInput = Watchdog.defaultLimit) =>
  Watchdog.layer({
    limit,
    name: "holter",
    advice:
      "Let a supervisor start it again, and report this with the lines below; shutdown.watchdog sets the limit."
  })

/** Within a phase the hook that was registered last runs first: see Steps. */
const build = ({
  flags,
  lost,
  secrets,
  settings,
  verbose
}: Beginnings): Effect.Effect<void, Problem, Requirements | Scope.Scope> =>
  Effect.gen(function* () {
    const { alerts, configuration, time } = settings
    const within = <A, E, R>(step: Steps.Step, part: Layer.Layer<A, E, R>) =>
      Effect.flatMap(Steps.scope(step, time), (scope) => Layer.buildWithScope(part, scope))

    yield* Ending.output(time)
    yield* Effect.forkScoped(Ending.follow)
    const journal = yield* within(Steps.steps.journal, WatchJournal.layer(configuration))
    yield* Effect.forkScoped(Effect.provide(Ending.whenLost(lost), journal))

    const checking = yield* Steps.scope(Steps.steps.checks, time)
    const health = yield* HealthMonitor.layer.pipe(
      Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer())),
      Layer.provide(watchdog(configuration.shutdown.watchdog)),
      Layer.buildWithScope(checking)
    )
    const checks = Built.checks(checking, secrets.secrets)
    const opened = Effect.mapError((issue: ConfigIssue) => WatchSettings.unbuilt(settings, issue))
    yield* checks.open(Summary.services(settings)).pipe(opened, Effect.provide(health))

    const current = { settings }
    const sending = yield* Steps.scope(Steps.steps.channels, time)
    const registry = yield* Layer.buildWithScope(ChannelRegistry.layer, sending)
    // Before the notifier, and so closed after it, also those that come later.
    const open = yield* Scope.fork(sending, ExecutionStrategy.sequential)
    const channels = Built.channels(open, secrets.secrets)
    yield* channels.open(alerts.channels).pipe(opened, Effect.provide(registry))
    const notifier = yield* Notifier.layer({
      patienceOf: (channel) => current.settings.alerts.policy.channels.get(channel)?.unreachable
    }).pipe(Layer.provide(Layer.succeedContext(Context.merge(registry, journal))), (layer) =>
      Layer.buildWithScope(layer, sending)
    )
    const parts = Context.mergeAll(journal, health, registry, notifier)
    const deadMan = yield* Built.deadMan(time)
    yield* Effect.provide(deadMan.open(Built.deadMen(settings)), health)

    const alerting = yield* within(
      Steps.steps.alerting,
      Layer.provide(Alerting.layer({ ...alerts, reloads: true }), Layer.succeedContext(parts))
    ).pipe(
      Effect.catchTag("JournalError", (error) => WatchJournal.refused(error, configuration.source))
    )
    const all = Context.merge(parts, alerting)
    const decisions = yield* Effect.provide(Listening.hear, all)
    yield* Ending.alerts(time).pipe(Effect.provide(all))
    yield* Steps.on(Steps.steps.state, time, Context.get(journal, Journal).flush)

    yield* Effect.provide(Beginning.remember, all)
    yield* Beginning.say(settings)
    yield* Effect.provide(Beginning.takeOver, all)
    yield* Effect.provide(Listening.run(verbose, decisions), all)
    const backups = yield* Built.backups(time)
    yield* backups.open(Built.schedules(settings))
    const screen = yield* Screen
    if ((yield* screen.size) !== undefined) yield* Display.run

    const { startHeartbeat, stopHeartbeat } = Context.get(health, HealthMonitor.HealthMonitor)
    const { rest } = Context.get(alerting, Alerting.Alerting)
    yield* Steps.on(Steps.steps.heartbeat, time, Effect.zipRight(stopHeartbeat, rest))
    yield* startHeartbeat
    const built = { checks, channels, deadMan, backups }
    yield* Effect.provide(Reload.run({ built, first: settings, current, flags, secrets }), all)
  })
