/** The front door, as a bot uses it: what a check declares counts, and no alert goes nowhere. */
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  ConfigError,
  Context,
  Deferred,
  Effect,
  Exit,
  Layer,
  Logger,
  Option,
  Ref,
  Scope,
  TestClock
} from "effect"
import { SqlError } from "@effect/sql/SqlError"
import type { Outbox } from "../../src/Alert/Outbox.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as Holter from "../../src/Holter.js"
import * as Beacon from "../../src/Lifecycle/Beacon.js"
import * as Lifecycle from "../../src/Lifecycle/Lifecycle.js"
import * as Alerting from "../../src/Monitor/Alerting.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as FaultyChannel from "../../src/testing/FaultyChannel.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { show } from "../Monitor/alerted.js"

class Database extends Context.Tag("test/Database")<Database, string>() {}
class Names extends Context.Tag("test/Names")<Names, ReadonlyArray<string>>() {}

const up = ScriptedCheck.healthy()
const down = ScriptedCheck.fail("Down")

const lifecycle = Layer.provideMerge(Beacon.layer(), Lifecycle.layer())

/** Builds it; nothing beats before the clock moves. */
const build = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Layer.build(Layer.provideMerge(layer, lifecycle))

const still = { spread: "0 seconds" } as const

describe("Holter.layer", () => {
  it.scoped("sends nothing for a healthy check that is asked every five minutes", () =>
    Effect.gen(function* () {
      const slow = yield* ScriptedCheck.make([up], { name: "slow", interval: "5 minutes" })
      const ops = yield* RecordingChannel.make("ops")
      yield* build(Holter.layer({ checks: slow.layer, channels: ops.layer }))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(show(yield* ops.alerts), [])
      assert.isAtLeast(yield* slow.runs, 12)
    })
  )

  it.scoped(
    "opens a check that is not critical as degraded, at the threshold that it declares",
    () =>
      Effect.gen(function* () {
        const minor = yield* ScriptedCheck.make([down], {
          name: "minor",
          critical: false,
          failureThreshold: 5,
          interval: "30 seconds"
        })
        const ops = yield* RecordingChannel.make("ops")
        yield* build(
          Holter.layer({
            checks: minor.layer,
            channels: ops.layer,
            heartbeat: still,
            policy: { groupWindow: 0, startGrace: 0 }
          })
        )
        yield* TestClock.adjust("110 seconds")
        assert.deepStrictEqual(show(yield* ops.alerts), [])
        yield* TestClock.adjust("30 seconds")
        const alerts = yield* ops.alerts
        assert.deepStrictEqual(show(alerts), ["opened minor"])
        assert.strictEqual(alerts[0]?.severity, "degraded")
      })
  )

  it.scoped("without routes sends both severities to every channel", () =>
    Effect.gen(function* () {
      const major = yield* ScriptedCheck.make([down], { name: "major", failureThreshold: 1 })
      const minor = yield* ScriptedCheck.make([down], {
        name: "minor",
        failureThreshold: 1,
        critical: false
      })
      const ops = yield* RecordingChannel.make("ops")
      const phone = yield* RecordingChannel.make("phone")
      yield* build(
        Holter.layer({
          checks: Layer.merge(major.layer, minor.layer),
          channels: Layer.merge(ops.layer, phone.layer),
          policy: { groupWindow: 0, startGrace: 0 }
        })
      )
      yield* TestClock.adjust("2 minutes")
      for (const channel of [ops, phone]) {
        const severities = (yield* channel.alerts).map(({ severity }) => severity)
        assert.deepStrictEqual(severities.toSorted(), ["degraded", "unhealthy"])
      }
    })
  )

  it.scoped("does not start where a route leads to a channel that is not there", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([up], { name: "redis" })
      const telegram = yield* RecordingChannel.make("telegram")
      const exit = yield* Effect.exit(
        build(
          Holter.layer({
            checks: redis.layer,
            channels: telegram.layer,
            routes: [
              { severity: "unhealthy", to: ["telegarm"] },
              { severity: "degraded", to: ["telegram"], fallback: "phone" }
            ]
          })
        )
      )
      const error = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none()
      assert.strictEqual(
        Option.getOrThrow(Option.map(error, ({ message }) => message)),
        [
          "The options of alerts are wrong:",
          '  routes.0.to.0: expected the name of a channel (known: telegram, log), found "telegarm"',
          '  routes.1.fallback: expected the name of a channel (known: telegram, log), found "phone"'
        ].join("\n")
      )
    })
  )

  it.scoped("hands alerts of a channel that fails for good to the log, which is always there", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([down], { name: "redis", failureThreshold: 1 })
      const broken = yield* FaultyChannel.make([FaultyChannel.fail("Permanent")], { name: "ops" })
      const services = yield* build(
        Holter.layer({
          checks: redis.layer,
          channels: broken.layer,
          routes: [{ severity: "unhealthy", to: ["ops"], fallback: "log" }],
          policy: { groupWindow: 0, startGrace: 0 }
        })
      )
      yield* TestClock.adjust("5 minutes")
      const { incidents } = yield* Context.get(services, Alerting.Alerting).state
      assert.include(Object.keys(incidents["redis"]?.told ?? {}), "log")
    })
  )

  it.scoped("calls back with the confirmed status: of a check that is not critical, degraded", () =>
    Effect.gen(function* () {
      const minor = yield* ScriptedCheck.make([up, down], {
        name: "minor",
        critical: false,
        failureThreshold: 2,
        interval: "30 seconds"
      })
      const changes = yield* Ref.make<ReadonlyArray<string>>([])
      yield* build(
        Holter.layer({
          checks: minor.layer,
          onChange: ({ previousStatus, service, status }) =>
            Ref.update(changes, (all) => [...all, `${service}: ${previousStatus} > ${status}`])
        })
      )
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(yield* Ref.get(changes), ["minor: healthy > degraded"])
    })
  )

  it.scoped(
    "ends the incident of a check that the program takes out, and does not call it stale",
    () =>
      Effect.gen(function* () {
        const redis = yield* ScriptedCheck.make([down], { name: "redis", failureThreshold: 1 })
        const steady = yield* ScriptedCheck.make([up], { name: "steady" })
        const ops = yield* RecordingChannel.make("ops")
        const services = yield* build(
          Holter.layer({
            checks: steady.layer,
            channels: ops.layer,
            policy: { groupWindow: 0, startGrace: 0 }
          })
        )
        const registry = Context.pick(CheckRegistry.CheckRegistry)(services)
        const scope = yield* Scope.make()
        yield* Effect.provide(Layer.buildWithScope(redis.layer, scope), registry)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
        yield* Scope.close(scope, Exit.void)
        yield* TestClock.adjust("1 hour")
        const alerts = yield* ops.alerts
        assert.deepStrictEqual(show(alerts), ["opened redis", "resolved redis"])
      })
  )

  describe("after a restart, a check that is registered late", () => {
    const before = Effect.gen(function* () {
      const context = yield* Layer.build(Journal.layerMemory)
      const journal = Layer.succeedContext(context)
      const redis = yield* ScriptedCheck.make([down], { name: "redis", failureThreshold: 1 })
      yield* Effect.scoped(
        Effect.zipRight(
          build(
            Holter.layer({
              checks: redis.layer,
              journal,
              policy: { groupWindow: 0, startGrace: 0 }
            })
          ),
          TestClock.adjust("2 minutes")
        )
      )
      const steady = yield* ScriptedCheck.make([up], { name: "steady" })
      const ops = yield* RecordingChannel.make("log")
      const again = build(Holter.layer({ checks: steady.layer, channels: ops.layer, journal }))
      return { again, ops, redis }
    })

    it.scoped("has its incident as it was, and no other one is opened", () =>
      Effect.gen(function* () {
        const { again, ops, redis } = yield* before
        const services = yield* again
        const registry = Context.pick(CheckRegistry.CheckRegistry)(services)
        const scope = yield* Effect.scope
        yield* Effect.provide(Layer.buildWithScope(redis.layer, scope), registry)
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), [])
        yield* redis.rescript(up)
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), ["resolved redis"])
      })
    )

    it.scoped("is over where it is not registered before it would be stale", () =>
      Effect.gen(function* () {
        const { again, ops } = yield* before
        yield* again
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), ["resolved redis"])
      })
    )
  })

  it.scoped("says that another program keeps the journal now", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([up], { name: "redis" })
      const lost = yield* Deferred.make<Journal.JournalError>()
      const heard = yield* Deferred.make<Journal.JournalError>()
      const journal = Layer.map(Journal.layerMemory, (context) =>
        Context.add(context, Journal.Journal, {
          ...Context.get(context, Journal.Journal),
          lost: Deferred.await(lost)
        })
      )
      yield* build(
        Holter.layer({
          checks: redis.layer,
          journal,
          onJournalLost: (error) => Deferred.succeed(heard, error)
        })
      )
      const error = new Journal.JournalError({
        reason: "Held",
        expected: "to keep the journal",
        found: "another program",
        advice: "Stop one of them",
        place: "a test"
      })
      yield* Deferred.succeed(lost, error)
      assert.strictEqual(yield* Deferred.await(heard), error)
    })
  )

  it.scoped("logs what a function dies with that was to hear of a lost journal", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ cause, message }) => {
        lines.push(`${String(message)} ${Cause.pretty(cause)}`)
      })
      const lost = yield* Deferred.make<Journal.JournalError>()
      const journal = Layer.map(Journal.layerMemory, (context) =>
        Context.add(context, Journal.Journal, {
          ...Context.get(context, Journal.Journal),
          lost: Deferred.await(lost)
        })
      )
      const onJournalLost = (): Effect.Effect<void, string, Lifecycle.Lifecycle> => {
        throw new Error("a mistake in the bot")
      }
      yield* build(
        Holter.layer({
          checks: ScriptedCheck.layer([up], { name: "redis" }),
          journal,
          onJournalLost
        })
      ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      yield* Deferred.succeed(
        lost,
        new Journal.JournalError({ reason: "Held", expected: "a", found: "b", advice: "c" })
      )
      yield* TestClock.adjust("1 second")
      assert.lengthOf(
        lines.filter((line) => line.includes("a mistake in the bot")),
        1
      )
    })
  )

  it.scoped("takes a client that is provided around it, and opens no other", () =>
    Effect.gen(function* () {
      const opened = yield* Ref.make(0)
      const Db = Layer.scoped(
        Database,
        Effect.as(
          Ref.updateAndGet(opened, (count) => count + 1),
          "open"
        )
      )
      const needy = Layer.effectDiscard(Database)
      const Watch = Holter.layer({
        checks: Layer.merge(needy, ScriptedCheck.layer([up], { name: "redis" })),
        journal: Layer.merge(needy, Journal.layerMemory),
        observers: needy
      })
      yield* build(Layer.provide(Layer.merge(needy, Watch), Db))
      assert.strictEqual(yield* Ref.get(opened), 1)
    })
  )

  it.scoped("keeps two of them in one program apart", () =>
    Effect.gen(function* () {
      const scripted = (name: string) => ScriptedCheck.layer([up], { name })
      const names = (
        layer: Layer.Layer<CheckRegistry.CheckRegistry, unknown, Lifecycle.Lifecycle>
      ) =>
        Layer.effect(
          Names,
          Effect.flatMap(CheckRegistry.CheckRegistry, ({ all }) =>
            Effect.map(all, (checks) => checks.map(({ name }) => name))
          )
        ).pipe(Layer.provide(layer))
      const both = Layer.merge(
        names(Holter.layer({ checks: scripted("a") })),
        Layer.effectDiscard(Effect.void).pipe(
          Layer.provide(Holter.layer({ checks: scripted("b") }))
        )
      )
      const services = yield* build(both)
      assert.deepStrictEqual(Context.get(services, Names), ["a"])
    })
  )

  it.scoped("watches and notifies in each of two that have the same checks and channels", () =>
    Effect.gen(function* () {
      const ops = yield* RecordingChannel.make("ops")
      const site = ScriptedCheck.layer([up], { name: "site" })
      const both = { checks: ScriptedCheck.layer([down], { name: "redis" }), channels: ops.layer }
      const more = { ...both, checks: Layer.merge(both.checks, site) }
      yield* build(Layer.merge(Holter.layer(both), Holter.layer(more)))
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(
        (yield* ops.alerts).filter(({ kind }) => kind === "opened"),
        2
      )
    })
  )

  describe("with a journal in a database of its own", () => {
    const of = <E>(journal: Layer.Layer<Journal.Journal | Outbox, E>) =>
      Holter.layer({ checks: ScriptedCheck.layer([up], { name: "redis" }), journal })

    it.scoped("starts without it, and opens it once it can be", () =>
      Effect.gen(function* () {
        const attempts = yield* Ref.make(0)
        const failing = Layer.effectDiscard(
          Effect.flatMap(
            Ref.updateAndGet(attempts, (count) => count + 1),
            (count) =>
              count === 1
                ? Effect.fail(new SqlError({ message: "no answer", cause: "ECONNREFUSED" }))
                : count === 2
                  ? Effect.die(new Error("cannot open database file"))
                  : Effect.void
          )
        )
        const services = yield* build(of(Layer.provideMerge(Journal.layerMemory, failing)))
        const { health } = Context.get(services, Journal.Journal)
        assert.isDefined((yield* health).down)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(yield* Ref.get(attempts), 3)
        assert.isUndefined((yield* health).down)
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
    )

    it.scoped("does not start where its configuration is wrong", () =>
      Effect.gen(function* () {
        const wrong = Layer.effectDiscard(
          Effect.fail(ConfigError.MissingData(["JOURNAL"], "no JOURNAL"))
        )
        const layer = of(Layer.provideMerge(Journal.layerMemory, wrong))
        const error = yield* Effect.flip(build(layer))
        assert.isTrue(ConfigError.isConfigError(error))
      })
    )
  })

  it.scoped("takes a log channel of the program's own in the place of its own", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([down], { name: "redis", failureThreshold: 1 })
      const log = yield* RecordingChannel.make("log")
      yield* build(
        Holter.layer({
          checks: redis.layer,
          channels: log.layer,
          policy: { groupWindow: 0, startGrace: 0 }
        })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(show(yield* log.alerts), ["opened redis"])
    })
  )
})
