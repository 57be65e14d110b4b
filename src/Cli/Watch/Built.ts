/**
 * The parts of `holter watch` that the configuration decides on, built from it at the start and, where
 * they are others then, when it is read again.
 */
import { Context, Effect, Layer, Option, Scope } from "effect"
import {
  ChannelRegistry,
  Registered as ChannelRegistered,
  type RegisteredChannel
} from "../../Alert/ChannelRegistry.js"
import type { BackupError } from "../../Backup/BackupError.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import { CheckRegistry, Registered as CheckRegistered } from "../../Check/CheckRegistry.js"
import type * as Secrets from "../../Common/Secrets.js"
import { Beacon } from "../../Lifecycle/Beacon.js"
import * as Steps from "../../Holter/Steps.js"
import { Lifecycle } from "../../Lifecycle/Lifecycle.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"
import type { Vitals } from "../../Alert/Vitals.js"
import * as AlertSettings from "../Alerts/AlertSettings.js"
import type { ConfigurationError } from "../ConfigurationError.js"
import * as Registration from "../Registration.js"
import type { Service } from "../Service.js"
import * as Backups from "./Backups.js"
import * as Pieces from "./Pieces.js"
import type { Reporter } from "./Reporter.js"
import type { WatchSettings } from "./WatchSettings.js"
import { messageOf } from "../../Common/Errors.js"

export type Channel = AlertSettings.AlertSettings["channels"][number]

/** Pieces, and how they are built. */
export interface Part<P extends Pieces.Piece, E = never, R = never> {
  readonly difference: Pieces.Pieces<P>["difference"]
  readonly take: (name: string) => Effect.Effect<void, never, R>
  readonly open: (pieces: ReadonlyArray<P>) => Effect.Effect<void, E, R>
}

/** Pieces that are built before they are used, so that one that cannot be leaves all as it was. */
export interface PreparedPart<P extends Pieces.Piece, R> extends Part<P, ConfigIssue, R> {
  readonly prepare: (pieces: ReadonlyArray<P>) => Effect.Effect<Prepared<R>, ConfigIssue, R>
}

export interface Prepared<R> {
  readonly use: Effect.Effect<void, never, R>
  readonly drop: Effect.Effect<void>
}

/** One that is built, and what is to be done when it is used. */
interface Ready<P> {
  readonly piece: P
  readonly scope: Scope.CloseableScope
  readonly uses: ReadonlyArray<Effect.Effect<void>>
}

/** Where a piece is built. What it registers is kept back until it is used. */
interface Place {
  readonly scope: Scope.Scope
  readonly shared: Layer.MemoMap
  readonly later: (use: Effect.Effect<void>) => void
}

const prepared = <P extends Pieces.Piece, R>(
  section: string,
  pieces: Pieces.Pieces<P>,
  build: (piece: P, place: Place) => Effect.Effect<void, never, R>,
  use: (ready: Ready<P>) => Effect.Effect<void, never, R>
): Pick<PreparedPart<P, R>, "open" | "prepare"> => {
  const prepare = (all: ReadonlyArray<P>) =>
    Effect.gen(function* () {
      const shared = yield* Layer.makeMemoMap
      const ready: Array<Ready<P>> = []
      const drop = Effect.suspend(() =>
        Effect.forEach(ready, ({ scope }) => Pieces.closed(scope), { discard: true })
      )
      const stage = (piece: P) => {
        const uses: Array<Effect.Effect<void>> = []
        const later = (one: Effect.Effect<void>) => void uses.push(one)
        return pieces
          .stage((scope) => build(piece, { scope, shared, later }))
          .pipe(
            Effect.map((scope) => void ready.push({ piece, scope, uses })),
            Effect.catchAllDefect((defect) => Effect.fail(unbuilt([section, piece.name], defect)))
          )
      }
      yield* Effect.onError(Effect.forEach(all, stage, { discard: true }), () => drop)
      return { drop, use: Effect.forEach(ready, use, { discard: true }) }
    })
  return { prepare, open: (all) => Effect.flatMap(prepare(all), (one) => one.use) }
}

const unbuilt = (path: ReadonlyArray<string>, defect: unknown): ConfigIssue => ({
  path,
  expected: "one that can be built; put it right, or its plugin",
  found: `a fault: ${messageOf(defect)}`
})

/**
 * The checks of a watch, each of which can be exchanged.
 *
 * @effect-expect-leaking CheckRegistry
 */
export class Checks extends Context.Tag("holter/Cli/Watch/Built/Checks")<
  Checks,
  PreparedPart<Service, CheckRegistry>
>() {}

/** @effect-expect-leaking ChannelRegistry */
export class Channels extends Context.Tag("holter/Cli/Watch/Built/Channels")<
  Channels,
  PreparedPart<Channel, ChannelRegistry>
>() {}

export const layerChecks = (
  services: ReadonlyArray<Service>,
  secrets: Secrets.Secrets
): Layer.Layer<Checks | CheckRegistered, ConfigIssue, CheckRegistry> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const part = checks(yield* Effect.scope, secrets)
      yield* part.open(services)
      return Context.make(Checks, part).pipe(Context.add(CheckRegistered, { name: "all" }))
    })
  )

export const layerChannels = (
  wanted: ReadonlyArray<Channel>,
  secrets: Secrets.Secrets
): Layer.Layer<Channels | ChannelRegistered, ConfigIssue, ChannelRegistry> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const part = channels(yield* Effect.scope, secrets)
      yield* part.open(wanted)
      return Context.make(Channels, part).pipe(Context.add(ChannelRegistered, { name: "all" }))
    })
  )

/** Checks, built together, so that they share what they use. */
export const checks = (
  scope: Scope.Scope,
  secrets: Secrets.Secrets
): PreparedPart<Service, CheckRegistry> => {
  const pieces = Pieces.make<Service>(Effect.succeed(scope))
  return {
    difference: pieces.difference,
    take: pieces.take,
    ...prepared(
      "checks",
      pieces,
      (service, place) =>
        Registration.one(service, secrets, place).pipe(
          Effect.updateService(CheckRegistry, (registry) => ({
            ...registry,
            register: (check) =>
              Effect.map(Effect.scope, (own) =>
                place.later(Effect.orDie(Scope.extend(registry.register(check), own)))
              )
          }))
        ),
      ({ piece, scope: own, uses }) =>
        Effect.zipRight(pieces.put(piece, own), Effect.all(uses, { discard: true }))
    )
  }
}

/**
 * Channels. One takes the place of another at once, since an alert that finds none disables it; what
 * the other has under way may end.
 */
export const channels = (
  scope: Scope.Scope,
  secrets: Secrets.Secrets
): PreparedPart<Channel, ChannelRegistry> => {
  const pieces = Pieces.make<Channel>(Effect.succeed(scope))
  const before = (name: string) => Effect.flatMap(ChannelRegistry, ({ find }) => find(name))
  return {
    difference: pieces.difference,
    take: (name) =>
      Effect.flatMap(before(name), (one) => afterAttempt(one, pieces.take(name), scope)),
    ...prepared(
      "alerts.channels",
      pieces,
      ({ layer }, { later, scope: own, shared }) =>
        // Names of channels come from a mapping and are known to differ.
        Effect.orDie(
          Layer.buildWithMemoMap(Layer.provide(layer, AlertSettings.hiding(secrets)), shared, own)
        ).pipe(
          Effect.updateService(ChannelRegistry, (registry) => ({
            ...registry,
            register: (channel) =>
              Effect.map(Effect.scope, (within) =>
                later(Scope.extend(registry.replace(channel), within))
              )
          }))
        ),
      ({ piece, scope: own, uses }) =>
        Effect.gen(function* () {
          const other = yield* before(piece.name)
          const close = pieces.put(piece, own)
          yield* Effect.all(uses, { discard: true })
          yield* afterAttempt(other, close, scope)
        })
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
export const deadMan: Effect.Effect<Part<Sole, PlanError, Vitals>, never, Lifecycle> = Effect.gen(
  function* () {
    const lifecycle = yield* Lifecycle
    const parent = yield* Effect.cached(
      Effect.provideService(Steps.scope(Steps.steps.deadMan), Lifecycle, lifecycle)
    )
    return sole(Pieces.make<Sole, PlanError>(parent), ({ settings }, scope) =>
      Effect.gen(function* () {
        const { deadMan } = settings.alerts
        if (deadMan === undefined) return
        const { DeadMan } = yield* Effect.promise(() => import("../../plugins/DeadMan.js"))
        yield* Layer.buildWithScope(DeadMan.layerStandalone(deadMan), scope)
      })
    )
  }
)

/** Scheduled backups. From when there are some, none is begun once the program stops. */
export const backups: Effect.Effect<
  Part<Sole, BackupError | ConfigurationError | PlanError, Reporter | Beacon>,
  never,
  Lifecycle | Beacon | Scope.Scope
> = Effect.gen(function* () {
  const { refuse } = yield* Beacon
  const lifecycle = yield* Lifecycle
  const within = yield* Effect.scope
  const parent = yield* Effect.cached(
    Steps.on(Steps.steps.schedule, refuse).pipe(
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
  difference: pieces.difference,
  take: pieces.take,
  open: (all) =>
    Effect.forEach(
      all,
      // One that could not be built is not there, and is tried again with the next configuration.
      (piece) =>
        Effect.flatMap(
          pieces.stage((scope) => build(piece, scope)),
          (scope) => pieces.put(piece, scope)
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
  const { secrets: _, source: _source, zone: _zone, ...entry } = settings.backups.settings
  return [{ name: "backups", entry, settings }]
}
