/** How late timers fire, and how much of the time the event loop was busy, since one looked last. */
import { Context, Duration, Effect, Layer } from "effect"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"

export interface Figures {
  /** Since the last reading, or since the start. */
  readonly window: Duration.Duration
  /** How many delays were measured; a blocked loop measures few. */
  readonly samples: number
  readonly delayP99: Duration.Duration
  readonly delayMax: Duration.Duration
  /** The busy share of the window in percent. */
  readonly busyPercent: number
}

export class EventLoopMonitor extends Context.Tag("holter/plugins/EventLoop/EventLoopMonitor")<
  EventLoopMonitor,
  {
    /** Reads and starts a new window. */
    readonly read: Effect.Effect<Figures>
  }
>() {}

/** Node records the time between two ticks of a timer of this period, so it is taken off again. */
const resolution = Duration.millis(20)

/**
 * Measures from when the layer is built until its scope closes. A reading loses the tick that is
 * under way, 20 ms at most.
 */
export const layer: Layer.Layer<EventLoopMonitor> = Layer.scoped(
  EventLoopMonitor,
  Effect.gen(function* () {
    const histogram = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = monitorEventLoopDelay({ resolution: Duration.toMillis(resolution) })
        started.enable()
        return started
      }),
      (started) => Effect.sync(() => started.disable())
    )
    let last = performance.eventLoopUtilization()
    const delay = (nanos: number) =>
      histogram.count === 0
        ? Duration.zero
        : Duration.subtract(Duration.nanos(BigInt(Math.round(nanos))), resolution)
    return {
      read: Effect.sync(() => {
        const now = performance.eventLoopUtilization()
        const { active, idle, utilization } = performance.eventLoopUtilization(now, last)
        const figures: Figures = {
          window: Duration.millis(Math.max(0, active + idle)),
          samples: histogram.count,
          delayP99: delay(histogram.percentile(99)),
          delayMax: delay(histogram.max),
          busyPercent: utilization * 100
        }
        last = now
        histogram.reset()
        return figures
      })
    }
  })
)
