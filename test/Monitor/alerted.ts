/**
 * HealthMonitor, Alerting, Notifier and a journal in memory around some checks, beating.
 */
import { Layer, Logger } from "effect"
import * as AlertPolicy from "../../src/Alert/AlertPolicy.js"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"
import type * as Maintenance from "../../src/Alert/Maintenance.js"
import * as Notifier from "../../src/Alert/Notifier.js"
import type { Outbox } from "../../src/Alert/Outbox.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Alerting from "../../src/Monitor/Alerting.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import * as Journal from "../../src/Monitor/Journal.js"
import type { ScriptedCheck } from "../../src/testing/ScriptedCheck.js"

export interface Options {
  readonly checks: ReadonlyArray<ScriptedCheck>
  /** Layers that register channels. */
  readonly channels: ReadonlyArray<Layer.Layer<never, unknown, ChannelRegistry.ChannelRegistry>>
  readonly policy?: AlertPolicy.Options
  readonly maintenance?: ReadonlyArray<Maintenance.Window>
  readonly journal?: Layer.Layer<Journal.Journal | Outbox, unknown>
  readonly notifier?: Notifier.Options
}

const merged = <R>(layers: ReadonlyArray<Layer.Layer<never, unknown, R>>) =>
  layers.reduce<Layer.Layer<never, unknown, R>>(
    (all, one) => Layer.provideMerge(all, one),
    Layer.empty
  )

/** Routed to a channel `ops` where nothing else is said. */
export const alerted = (options: Options) =>
  HealthMonitor.layerHeartbeat.pipe(
    Layer.provideMerge(
      Alerting.layer({
        policy: AlertPolicy.make({
          checks: options.checks.map(({ check }) => check),
          routes: [
            { severity: "unhealthy", to: ["ops"] },
            { severity: "degraded", to: ["ops"] }
          ],
          ...options.policy
        }),
        ...(options.maintenance === undefined ? {} : { maintenance: options.maintenance })
      })
    ),
    Layer.provideMerge(Notifier.layer(options.notifier)),
    Layer.provideMerge(HealthMonitor.layerWith({ spread: "0 seconds" })),
    Layer.provideMerge(merged(options.checks.map(({ layer }) => layer))),
    Layer.provideMerge(merged(options.channels)),
    Layer.provideMerge(options.journal ?? Journal.layerMemory),
    Layer.provideMerge(
      Layer.mergeAll(CheckRegistry.layer, CheckRunner.layer(), ChannelRegistry.layer)
    ),
    Layer.orDie,
    Layer.provideMerge(Logger.remove(Logger.defaultLogger))
  )
