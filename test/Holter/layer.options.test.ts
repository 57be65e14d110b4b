/** What a program gives to the front door: a mistake that would keep alerts back fails while it is built. */
import { assert, describe, it } from "@effect/vitest"
import {
  Array as Arr,
  Context,
  Effect,
  Either,
  Exit,
  Layer,
  Logger,
  Option,
  Cause,
  TestClock
} from "effect"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"
import * as Maintenance from "../../src/Alert/Maintenance.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as Holter from "../../src/Holter.js"
import * as Beacon from "../../src/Lifecycle/Beacon.js"
import * as Lifecycle from "../../src/Lifecycle/Lifecycle.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { show } from "../Monitor/alerted.js"

const up = ScriptedCheck.healthy()
const down = ScriptedCheck.fail("Down")
const quick = { groupWindow: 0, startGrace: 0 } as const

const lifecycle = Layer.provideMerge(Beacon.layer(), Lifecycle.layer())

const build = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Layer.build(Layer.provideMerge(layer, lifecycle))

const redis = ScriptedCheck.layer([up], { name: "redis" })
const ops = RecordingChannel.make("ops")

/** The lines of the failure below its head. */
const refusal = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Effect.map(Effect.exit(build(layer)), (exit) => {
    const failure = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none()
    return Option.match(failure, {
      onNone: () => (Exit.isFailure(exit) ? [Cause.pretty(exit.cause)] : []),
      onSome: (error) =>
        String((error as { readonly message?: unknown }).message)
          .split("\n")
          .slice(1)
          .map((text) => text.trim())
    })
  })

/** The logger of the program, and what it was given. */
const logged = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ cause, logLevel, message }) => {
    const failed = Cause.isEmpty(cause) ? "" : ` ${Cause.pretty(cause)}`
    lines.push(`${logLevel.label} ${Arr.ensure(message).map(String).join(" ")}${failed}`)
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
}

describe("Holter.layer fails while it is built", () => {
  it.scoped("where checks depend on each other", () =>
    Effect.gen(function* () {
      const of = (name: string, dependsOn: ReadonlyArray<string>) =>
        ScriptedCheck.layer([down], { name, dependsOn, failureThreshold: 1 })
      const checks = Layer.mergeAll(of("a", ["b"]), of("b", ["a"]), of("c", ["c"]))
      assert.deepStrictEqual(yield* refusal(Holter.layer({ checks })), [
        "checks.a.dependsOn: expected no check that depends on itself, directly or by others, found a -> b -> a",
        "checks.c.dependsOn: expected no check that depends on itself, directly or by others, found c -> c"
      ])
    })
  )

  it.scoped("where a dependency, a maintenance or a limit names what is not there", () =>
    Effect.gen(function* () {
      const channel = yield* ops
      const window = Either.getOrThrow(
        Maintenance.make({
          name: "nightly",
          services: ["redis", "rediss"],
          schedule: "0 3 * * *",
          duration: "1 hour"
        })
      )
      const layer = Holter.layer({
        checks: ScriptedCheck.layer([up], { name: "redis", dependsOn: ["databse"] }),
        channels: channel.layer,
        maintenance: [window],
        policy: { channels: { opps: { reminders: false }, log: { reminders: false } } }
      })
      assert.deepStrictEqual(yield* refusal(layer), [
        'policy.channels: expected the name of a channel (known: ops, log), found "opps"',
        'maintenance.0.services: expected the name of a check (known: redis), found "rediss"',
        'checks.redis.dependsOn.0: expected the name of a check (known: redis), found "databse"'
      ])
    })
  )

  it.scoped("where no route is left", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* refusal(Holter.layer({ checks: redis, routes: [] })), [
        "routes: expected at least one route, found an empty list"
      ])
    })
  )

  it.scoped("where a limit makes no sense, all of them at once", () =>
    Effect.gen(function* () {
      const layer = Holter.layer({
        checks: redis,
        policy: {
          staleAfter: 0,
          reminders: [0, "1 hour"],
          groupWindow: Number.NaN,
          startGrace: "soon" as "1 second",
          cap: { messages: 0, within: "1 hour" },
          timeZone: "Mars/Olympus"
        }
      })
      const lines = yield* refusal(layer)
      const paths = lines.map((line) => line.slice(0, line.indexOf(":")))
      assert.deepStrictEqual(paths.toSorted(), [
        "policy.cap.messages",
        "policy.groupWindow",
        "policy.reminders.0",
        "policy.staleAfter",
        "policy.startGrace",
        "policy.timeZone"
      ])
      assert.include(lines.join("\n"), 'expected a duration such as "10 seconds", or "0 seconds"')
      assert.include(lines.join("\n"), 'found "soon"')
    })
  )

  it.scoped("takes limits that are left out as undefined, and spans as numbers", () =>
    Effect.gen(function* () {
      const policy = { groupWindow: undefined, reminders: [60_000], startGrace: 0, cap: undefined }
      assert.deepStrictEqual(yield* refusal(Holter.layer({ checks: redis, policy })), [])
    })
  )
})

describe("Holter.layer while it runs", () => {
  it.scoped("ignores the dependency of a late check that closes a cycle, and says so", () =>
    Effect.gen(function* () {
      const { layer: log, lines } = logged()
      const first = yield* ScriptedCheck.make([down], { name: "first", failureThreshold: 1 })
      const channel = yield* ops
      const late = (name: string, dependsOn: ReadonlyArray<string>) =>
        ScriptedCheck.layer([down], { name, dependsOn, failureThreshold: 1 })
      const services = yield* build(
        Holter.layer({ checks: first.layer, channels: channel.layer, policy: quick })
      ).pipe(Effect.provide(log))
      const registry = Context.pick(CheckRegistry.CheckRegistry)(services)
      yield* Layer.build(Layer.merge(late("x", ["y"]), late("y", ["x"]))).pipe(
        Effect.provide(registry)
      )
      yield* TestClock.adjust("10 minutes")
      const told = (yield* channel.alerts).flatMap(({ subjects }) =>
        subjects.map(({ service }) => service)
      )
      assert.include(told, "x")
      assert.lengthOf(
        lines.filter((line) => line.startsWith("ERROR") && line.includes("depend on each other")),
        1
      )
    })
  )

  it.scoped("warns once of a severity that some check can have and no route takes", () =>
    Effect.gen(function* () {
      const warnings = (
        routes: Holter.Options<
          never,
          never,
          never,
          never,
          never,
          never,
          never,
          never,
          never,
          never,
          never,
          never,
          never,
          never,
          never
        >["routes"],
        critical: boolean
      ) =>
        Effect.gen(function* () {
          const { layer: log, lines } = logged()
          const checks = ScriptedCheck.layer([up], { name: "redis", critical })
          yield* build(Holter.layer({ checks, routes })).pipe(Effect.provide(log))
          return lines.filter((line) => line.includes("No route"))
        })
      const unhealthy = { severity: "unhealthy", to: ["log"] } as const
      const degraded = { severity: "degraded", to: ["log"] } as const
      assert.deepStrictEqual(yield* warnings([unhealthy], true), [
        "WARN No route takes degraded: no channel is notified of what is so"
      ])
      assert.lengthOf(yield* warnings([degraded], true), 1)
      assert.deepStrictEqual(yield* warnings([degraded], false), [])
      assert.deepStrictEqual(yield* warnings(undefined, true), [])
    })
  )

  it.scoped("without routes a channel that is registered late gets both severities", () =>
    Effect.gen(function* () {
      const minor = { name: "minor", critical: false, failureThreshold: 1 }
      const checks = Layer.merge(
        ScriptedCheck.layer([up, down], { name: "major", failureThreshold: 1 }),
        ScriptedCheck.layer([up, down], minor)
      )
      const late = yield* RecordingChannel.make("late")
      const services = yield* build(Holter.layer({ checks, policy: quick }))
      yield* Layer.buildWithScope(late.layer, yield* Effect.scope).pipe(
        Effect.provide(Context.pick(ChannelRegistry.ChannelRegistry)(services))
      )
      yield* TestClock.adjust("3 minutes")
      const alerts = yield* late.alerts
      assert.deepStrictEqual(show(alerts).toSorted(), ["opened major", "opened minor"])
      assert.deepStrictEqual(alerts.map(({ severity }) => severity).toSorted(), [
        "degraded",
        "unhealthy"
      ])
    })
  )
})
