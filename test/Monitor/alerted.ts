/**
 * HealthMonitor, Alerting, Notifier and a journal in memory around some checks, beating.
 */
import { type Duration, Effect, Layer, Logger } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import type * as AlertPolicy from "../../src/Alert/AlertPolicy.js"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"
import type * as Maintenance from "../../src/Alert/Maintenance.js"
import * as Notifier from "../../src/Alert/Notifier.js"
import type { Outbox } from "../../src/Alert/Outbox.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Alerting from "../../src/Monitor/Alerting.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as CheckPolicy from "../../src/Check/CheckPolicy.js"
import type { Log } from "../Check/beating.js"
import { ok, ScriptedError } from "../Check/scripted.js"

export interface Checked {
  readonly check: { readonly name: string; readonly policy: CheckPolicy.CheckPolicy }
  readonly layer: Layer.Layer<never, unknown, CheckRegistry.CheckRegistry>
}

/** A check that is down in some of its runs, counted from 1, and notes when it is started. */
export const planned = (
  log: Log,
  name: string,
  isDown: (run: number) => boolean,
  settings: Pick<CheckPolicy.Settings, "interval" | "dependsOn" | "failureThreshold"> = {}
): Checked => ({
  check: { name, policy: CheckPolicy.override(CheckPolicy.defaults, settings) },
  layer: log.check(
    name,
    (run) =>
      isDown(run) ? Effect.fail(new ScriptedError({ reason: "Down" })) : Effect.succeed(ok),
    settings
  )
})

/** Whether a run is in one of these spans, first and last included. */
export const within =
  (...spans: ReadonlyArray<readonly [from: number, to: number]>) =>
  (run: number): boolean =>
    spans.some(([from, to]) => run >= from && run <= to)

export const show = (alerts: ReadonlyArray<Alert>): ReadonlyArray<string> =>
  alerts.map(({ kind, subjects }) => `${kind} ${subjects.map(({ service }) => service).join("+")}`)

export interface Options {
  readonly checks: ReadonlyArray<Checked>
  /** Layers that register channels. */
  readonly channels: ReadonlyArray<Layer.Layer<never, unknown, ChannelRegistry.ChannelRegistry>>
  readonly policy?: AlertPolicy.Options
  readonly maintenance?: ReadonlyArray<Maintenance.Window>
  readonly journal?: Layer.Layer<Journal.Journal | Outbox, unknown>
  readonly notifier?: Notifier.Options
  readonly runner?: CheckRunner.Options
  readonly requestsEvery?: Duration.DurationInput
  readonly reloads?: boolean
}

const merged = <R>(layers: ReadonlyArray<Layer.Layer<never, unknown, R>>) =>
  layers.reduce<Layer.Layer<never, unknown, R>>(
    (all, one) => Layer.provideMerge(all, one),
    Layer.empty
  )

const policyOf = ({ channels, checks, policy }: Options): AlertPolicy.Options => ({
  checks: checks.map(({ check }) => check),
  ...(channels.length === 0
    ? {}
    : {
        routes: [
          { severity: "unhealthy", to: ["ops"] },
          { severity: "degraded", to: ["ops"] }
        ]
      }),
  ...policy
})

/** Routed to a channel `ops` where nothing else is said. */
export const alerted = (options: Options) =>
  HealthMonitor.layerHeartbeat.pipe(
    Layer.provideMerge(
      Alerting.layer({
        policy: policyOf(options),
        // Each look is a step of the virtual clock, which costs milliseconds.
        requestsEvery: options.requestsEvery ?? "1 hour",
        reloads: options.reloads ?? false,
        ...(options.maintenance === undefined ? {} : { maintenance: options.maintenance })
      })
    ),
    Layer.provideMerge(Notifier.layer(options.notifier)),
    Layer.provideMerge(HealthMonitor.layerWith({ spread: "0 seconds" })),
    Layer.provideMerge(merged(options.checks.map(({ layer }) => layer))),
    Layer.provideMerge(merged(options.channels)),
    Layer.provideMerge(options.journal ?? Journal.layerMemory),
    Layer.provideMerge(
      Layer.mergeAll(CheckRegistry.layer, CheckRunner.layer(options.runner), ChannelRegistry.layer)
    ),
    Layer.orDie,
    Layer.provideMerge(Logger.remove(Logger.defaultLogger))
  )
