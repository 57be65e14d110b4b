/**
 * Whether the event loop keeps up. A loop that is blocked answers nobody, fires its timers late, and
 * makes every other check look slow.
 */
import { Duration, Effect, Schema } from "effect"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import * as EventLoopMonitor from "./EventLoop/EventLoopMonitor.js"
import { Details } from "./shared/ErrorFields.js"
import * as Figures from "./shared/Figures.js"
import * as Format from "../Common/Format.js"

export class EventLoopError extends Schema.TaggedError<EventLoopError>(
  "holter/plugins/EventLoop/EventLoopError"
)("EventLoopError", {
  reason: Schema.Literal("Blocked"),
  delayMillis: Schema.Number,
  limitMillis: Schema.Number,
  details: Schema.optional(Details),
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `Event loop is blocked: timers fire ${this.delayMillis} ms late (p99), at most ${this.limitMillis} ms expected. Find the long synchronous work with node --cpu-prof, and split it or move it to a worker thread.`
  }
}

const Config = Schema.Struct({
  maxDelay: ConfigField.withDefault(
    ConfigField.duration.annotations({
      description: "degraded when one in a hundred timers fires later than this"
    }),
    "100 millis"
  ),
  criticalDelay: ConfigField.withDefault(
    ConfigField.duration.annotations({
      description: "unhealthy when one in a hundred timers fires later than this"
    }),
    "1 second"
  ),
  maxBusyPercent: ConfigField.withDefault(
    ConfigField.percent.annotations({
      description: "degraded when the loop is busy for this share of the time, in percent"
    }),
    98
  )
})

type Config = typeof Config.Type

const probe = (
  config: Config
): Effect.Effect<Outcome.Outcome, EventLoopError, EventLoopMonitor.EventLoopMonitor> =>
  Effect.flatMap(EventLoopMonitor.EventLoopMonitor, (monitor) =>
    Effect.flatMap(monitor.read, (figures) => judge(config, figures))
  )

/** Each run judges the time since the run before. */
export const EventLoop = Check.make("event_loop", {
  description: "Delay and utilisation of this process's event loop",
  label: "event loop",
  group: "liveness",
  config: Config.fields,
  error: EventLoopError,
  probe,
  services: () => EventLoopMonitor.layer
})

/** A program that starts is busy for a moment; that says nothing. */
const shortestWindow = Duration.seconds(1)

const judge = (
  config: Config,
  figures: EventLoopMonitor.Figures
): Effect.Effect<Outcome.Outcome, EventLoopError> => {
  const delay = millis(figures.delayP99)
  const details = {
    delay_p99_ms: delay,
    delay_max_ms: millis(figures.delayMax),
    busy_percent: Figures.rounded(figures.busyPercent),
    samples: figures.samples,
    window_ms: millis(figures.window)
  }
  if (Duration.lessThan(figures.window, shortestWindow) || figures.samples === 0) {
    return Effect.succeed(
      Outcome.healthy("Event loop runs; it was not watched long enough to judge its delay", {
        details
      })
    )
  }
  const critical = Duration.decode(config.criticalDelay)
  if (Duration.greaterThan(figures.delayP99, critical)) {
    return new EventLoopError({
      reason: "Blocked",
      delayMillis: delay,
      limitMillis: millis(critical),
      details
    })
  }
  const maxDelay = Duration.decode(config.maxDelay)
  const busy = Format.percent(figures.busyPercent)
  const warnings = [
    ...(Duration.greaterThan(figures.delayP99, maxDelay)
      ? [`timers fire ${delay} ms late (p99), at most ${millis(maxDelay)} ms expected`]
      : []),
    ...(figures.busyPercent >= config.maxBusyPercent ? [`busy ${busy} of the time`] : [])
  ]
  return Effect.succeed(
    warnings.length > 0
      ? Outcome.degraded(`Event loop is overloaded: ${warnings.join(", ")}`, { details })
      : Outcome.healthy(`Event loop keeps up: ${delay} ms late (p99), busy ${busy} of the time`, {
          details
        })
  )
}

const millis = (duration: Duration.Duration): number => Figures.rounded(Duration.toMillis(duration))
