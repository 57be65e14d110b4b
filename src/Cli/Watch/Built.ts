/**
 * The parts of `holter watch` that the configuration decides on, built from it at the start and, where
 * they are others then, when it is read again.
 */
import { Effect, Layer, Option, Scope } from "effect"
import { ChannelRegistry, type RegisteredChannel } from "../../Alert/ChannelRegistry.js"
import type { BackupError } from "../../Backup/BackupError.js"
import type { CheckRegistry } from "../../Check/CheckRegistry.js"
import type * as Secrets from "../../Common/Secrets.js"
import { Beacon } from "../../Lifecycle/Beacon.js"
import { Lifecycle } from "../../Lifecycle/Lifecycle.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"
import type { HealthMonitor } from "../../Monitor/HealthMonitor.js"
import * as Vitals from "../../Monitor/Vitals.js"
import * as AlertSettings from "../Alerts/AlertSettings.js"
import type { ConfigurationError } from "../ConfigurationError.js"
import * as Registration from "../Registration.js"
import type { Service } from "../Service.js"
import * as Backups from "./Backups.js"
import * as Pieces from "./Pieces.js"
import type { Reporter } from "./Reporter.js"
import * as Steps from "./Steps.js"
import type { WatchSettings } from "./WatchSettings.js"

export type Channel = AlertSettings.AlertSettings["channels"][number]

/** Pieces, and how they are built. */
export interface Part<P extends Pieces.Piece, E = never, R = never> {
  readonly difference: Pieces.Pieces<P>["difference"]
  readonly take: (name: string) => Effect.Effect<void, never, R>
  readonly open: (pieces: ReadonlyArray<P>) => Effect.Effect<void, E, R>
}

/** Checks, built together, so that they share what they use. */
export const checks = (
  scope: Scope.Scope,
  secrets: Secrets.Secrets
): Part<Service, never, CheckRegistry> => {
  const pieces = Pieces.make<Service>(Effect.succeed(scope))
  return {
    ...pieces,
    open: (services) => Registration.register(services, secrets, pieces.open)
  }
}

/**
 * Channels. One takes the place of another at once, since an alert that finds none disables it; what
 * the other has under way may end.
 */
export const channels = (
  scope: Scope.Scope,
  secrets: Secrets.Secrets
): Part<Channel, never, ChannelRegistry> => {
  const pieces = Pieces.make<Channel>(Effect.succeed(scope))
  const build = (channel: Channel, shared: Layer.MemoMap) =>
    Effect.gen(function* () {
      const { find } = yield* ChannelRegistry
      const before = yield* find(channel.name)
      const close = pieces.take(channel.name)
      const own = yield* pieces.open(channel)
      // Names of channels come from a mapping and are known to differ.
      yield* Effect.orDie(
        Layer.buildWithMemoMap(
          Layer.provide(channel.layer, AlertSettings.hiding(secrets)),
          shared,
          own
        )
      )
      yield* afterAttempt(before, close, scope)
    })
  return {
    difference: pieces.difference,
    take: (name) =>
      Effect.flatMap(ChannelRegistry, ({ find }) =>
        Effect.flatMap(find(name), (before) => afterAttempt(before, pieces.take(name), scope))
      ),
    open: (all) =>
      Effect.flatMap(Layer.makeMemoMap, (shared) =>
        Effect.forEach(all, (channel) => build(channel, shared), { discard: true })
      ).pipe(
        Effect.updateService(ChannelRegistry, (registry) => ({
          ...registry,
          register: registry.replace
        }))
      )
  }
}

const afterAttempt = (
  channel: Option.Option<RegisteredChannel>,
  close: Effect.Effect<void>,
  scope: Scope.Scope
): Effect.Effect<void> =>
  Option.match(channel, {
    onNone: () => close,
    onSome: ({ timeout }) => Effect.asVoid(Effect.forkIn(Effect.delay(close, timeout), scope))
  })

/** What there is once or not at all. */
export interface Sole extends Pieces.Piece {
  readonly settings: WatchSettings
}

/** The dead man's switch; its step is a part of the shutdown from when there is one. */
export const deadMan = (
  time: Steps.Time
): Effect.Effect<Part<Sole, PlanError, HealthMonitor>, never, Lifecycle> =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle
    const parent = yield* Effect.cached(
      Effect.provideService(Steps.scope(Steps.steps.deadMan, time), Lifecycle, lifecycle)
    )
    return sole(Pieces.make<Sole, PlanError>(parent), ({ settings }, scope) =>
      Effect.gen(function* () {
        const { deadMan } = settings.alerts
        if (deadMan === undefined) return
        const { layerStandalone } = yield* Effect.promise(() => import("../../plugins/DeadMan.js"))
        yield* Layer.buildWithScope(Layer.provide(layerStandalone(deadMan), Vitals.layer), scope)
      })
    )
  })

/** Scheduled backups. From when there are some, none is begun once the program stops. */
export const backups = (
  time: Steps.Time
): Effect.Effect<
  Part<Sole, BackupError | ConfigurationError | PlanError, Reporter | Beacon>,
  never,
  Lifecycle | Beacon | Scope.Scope
> =>
  Effect.gen(function* () {
    const { refuse } = yield* Beacon
    const lifecycle = yield* Lifecycle
    const within = yield* Effect.scope
    const parent = yield* Effect.cached(
      Steps.on(Steps.steps.schedule, time, refuse).pipe(
        Scope.extend(within),
        Effect.provideService(Lifecycle, lifecycle),
        Effect.as(within)
      )
    )
    return sole(Pieces.make<Sole, PlanError>(parent), ({ settings }, scope) =>
      settings.backups === undefined
        ? Effect.void
        : Scope.extend(Backups.run(settings.backups), scope)
    )
  })

const sole = <E, E2, R>(
  pieces: Pieces.Pieces<Sole, E>,
  build: (piece: Sole, scope: Scope.Scope) => Effect.Effect<void, E2, R>
): Part<Sole, E | E2, R> => ({
  ...pieces,
  open: (all) =>
    Effect.forEach(
      all,
      // One that could not be built is not there, and is tried again with the next configuration.
      (piece) =>
        Effect.flatMap(pieces.open(piece), (scope) => build(piece, scope)).pipe(
          Effect.onError(() => pieces.take(piece.name))
        ),
      { discard: true }
    )
})

/** The pieces that the settings want of the parts that there are once at most. */
export const deadMen = (settings: WatchSettings): ReadonlyArray<Sole> =>
  settings.alerts.deadMan === undefined
    ? []
    : [{ name: "dead man's switch", entry: settings.alerts.deadMan, settings }]

export const schedules = (settings: WatchSettings): ReadonlyArray<Sole> => {
  if (settings.backups === undefined) return []
  const { secrets: _, source: _source, ...entry } = settings.backups.settings
  return [{ name: "backups", entry, settings }]
}
