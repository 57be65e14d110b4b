/**
 * Beats every minute of a clock on which an hour is three seconds, with alerts, until it is killed. A
 * line for each result: the service, its number, how many beats were run and skipped by now, and the time
 * by that clock; and one for each alert.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Clock, Duration, Effect, Layer, Logger, Option, Stream } from "effect"
import type * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import * as ChannelRegistry from "../../../src/Alert/ChannelRegistry.js"
import * as Notifier from "../../../src/Alert/Notifier.js"
import * as CheckRegistry from "../../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../../src/Check/CheckRunner.js"
import * as Alerting from "../../../src/Monitor/Alerting.js"
import * as HealthMonitor from "../../../src/Monitor/HealthMonitor.js"
import * as Journal from "../../../src/Monitor/Journal.js"
import * as ScriptedCheck from "../../../src/testing/ScriptedCheck.js"
import { fastClock } from "./fastClock.js"

const settings = { interval: "1 minute", timeout: "59 seconds", failureThreshold: 3 } as const

const print = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const channel: ChannelRegistry.RegisteredChannel = {
  name: "ops",
  type: "print",
  timeout: Duration.seconds(10),
  collapses: true,
  send: ({ kind, subjects }) =>
    print(`alert ${kind} ${subjects.map(({ service }) => service).join("+")}`)
}

const registered = Layer.provideMerge(
  Layer.scopedDiscard(
    Effect.flatMap(ChannelRegistry.ChannelRegistry, ({ register }) => register(channel))
  ),
  ChannelRegistry.layer
)

const told = Effect.gen(function* () {
  const monitor = yield* HealthMonitor.HealthMonitor
  const counts = new Map<string, number>()
  const results = Stream.runForEach(monitor.results, ({ service }) =>
    Effect.flatMap(monitor.heartbeat, (report) => {
      const beats = Option.flatMapNullable(report, ({ beats: all }) => all.get(service))
      return Option.match(beats, {
        onNone: () => Effect.void,
        onSome: (own) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const count = (counts.get(service) ?? 0) + 1
            counts.set(service, count)
            return print(`${service} ${count} ${own.beats} ${own.skipped} ${now}`)
          })
      })
    })
  )
  yield* Effect.zipRight(Effect.fork(results), Effect.yieldNow())
  yield* monitor.startHeartbeat
  return yield* Effect.never
})

const program = Effect.gen(function* () {
  const checks = yield* Effect.all([
    ScriptedCheck.make([ScriptedCheck.healthy()], { ...settings, name: "up" }),
    ScriptedCheck.make([ScriptedCheck.fail("Down")], { ...settings, name: "down" })
  ])
  const [up, down] = checks
  const policy: AlertPolicy.Options = {
    routes: [{ severity: "unhealthy", to: ["ops"] }],
    startGrace: 0,
    groupWindow: 0,
    // One, and not another one within the test.
    reminders: ["30 minutes", "30 days"]
  }
  const alerted = Alerting.layer({ policy }).pipe(
    Layer.provideMerge(HealthMonitor.layerWith({ spread: "0 seconds" })),
    Layer.provide(Layer.merge(up.layer, down.layer)),
    Layer.provide(Notifier.layer()),
    Layer.provide(Layer.merge(registered, Journal.layerMemory)),
    Layer.provide(Layer.merge(CheckRegistry.layer, CheckRunner.layer()))
  )
  return yield* Effect.provide(told, alerted)
}).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)), Effect.withClock(fastClock(1200)))

NodeRuntime.runMain(program)
