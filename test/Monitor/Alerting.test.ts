import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Either, Fiber, Layer, Option, Stream, TestClock } from "effect"
import * as AlertText from "../../src/Alert/AlertText.js"
import * as Maintenance from "../../src/Alert/Maintenance.js"
import type { Outbox } from "../../src/Alert/Outbox.js"
import * as AlertingOptionsError from "../../src/Alert/AlertingOptionsError.js"
import type * as Routes from "../../src/Alert/Routes.js"
import { Alerting } from "../../src/Monitor/Alerting.js"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as FaultyChannel from "../../src/testing/FaultyChannel.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { minutes, start } from "../Alert/trace.js"
import { alerted, type Options, show } from "./alerted.js"

const down = ScriptedCheck.fail("Down")
const up = ScriptedCheck.healthy()

/** From a time on that is not the beginning of all times. */
const begin = TestClock.setTime(start)

const during = <A, E, R>(options: Options, use: Effect.Effect<A, E, R>) =>
  Effect.provide(use, alerted(options))

const window = (settings: Maintenance.Settings) => Either.getOrThrow(Maintenance.make(settings))

/** The journal and the outbox of one file, as each run of a program finds it. */
const sharedJournal = Effect.map(Layer.build(Journal.layerMemory), (context) =>
  Layer.succeedContext(context)
)

describe("Alerting", () => {
  it.scoped("tells of an outage once, and of its end once", () =>
    Effect.gen(function* () {
      yield* begin
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        { checks: [redis], channels: [ops.layer] },
        Effect.gen(function* () {
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
          yield* redis.rescript(up)
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis", "resolved redis"])
          const journal = yield* Journal.Journal
          assert.strictEqual((yield* journal.results({})).length, 41)
          const [incident] = yield* journal.incidents({})
          assert.isNotNull(incident?.ended_at)
        })
      )
    })
  )

  it.scoped("keeps no caller waiting that comes after its end", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([up], { name: "redis" })
      const alerting = yield* during({ checks: [redis], channels: [] }, Alerting)
      yield* alerting.silence({ services: null, until: null, why: "too late" })
      yield* alerting.rest
    })
  )

  for (const rests of [true, false]) {
    it.scoped(
      `a heartbeat that stops makes no check stale, ${rests ? "with" : "without"} a rest; one that goes on does`,
      () =>
        Effect.gen(function* () {
          yield* begin
          // Once the two wait for each other, no beat of `starved` gets its turn.
          const hog = yield* ScriptedCheck.make([up], {
            name: "hog",
            interval: "2 hours",
            timeout: "90 minutes"
          })
          const starved = yield* ScriptedCheck.make([up], { name: "starved" })
          const ops = yield* RecordingChannel.make("ops")
          yield* during(
            { checks: [hog, starved], channels: [ops.layer], runner: { concurrency: 1 } },
            Effect.gen(function* () {
              yield* TestClock.adjust("10 minutes")
              const monitor = yield* HealthMonitor
              yield* monitor.stopHeartbeat
              if (rests) yield* Effect.flatMap(Alerting, ({ rest }) => rest)
              yield* TestClock.adjust("10 minutes")
              assert.deepStrictEqual(show(yield* ops.alerts), [])
              yield* hog.rescript(ScriptedCheck.hang)
              yield* monitor.startHeartbeat
              yield* TestClock.adjust("75 seconds")
              assert.deepStrictEqual(show(yield* ops.alerts), [])
              yield* TestClock.adjust("2 minutes")
              assert.deepStrictEqual(show(yield* ops.alerts), ["stale starved"])
            })
          )
        })
    )
  }

  it.scoped("reminds at the time, and not with the next beat", () =>
    Effect.gen(function* () {
      yield* begin
      const redis = yield* ScriptedCheck.make([down], { name: "redis", interval: "4 minutes" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        { checks: [redis], channels: [ops.layer] },
        Effect.gen(function* () {
          // The first failure is in the grace of the start: 4, 8 and 12 minutes open the incident.
          yield* TestClock.adjust("12 minutes")
          assert.deepStrictEqual(show(yield* ops.alerts), [])
          yield* TestClock.adjust("10 seconds")
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
          yield* TestClock.adjust(Duration.subtract("15 minutes", "1 millis"))
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
          yield* TestClock.adjust("1 millis")
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis", "reminder redis"])
        })
      )
    })
  )

  it.scoped("a silence holds back, and its end tells what is still down", () =>
    Effect.gen(function* () {
      yield* begin
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        { checks: [redis], channels: [ops.layer] },
        Effect.gen(function* () {
          const alerting = yield* Alerting
          const told = yield* Effect.fork(
            alerting.decisions.pipe(
              Stream.filter(({ _tag }) => _tag === "Suppressed"),
              Stream.runHead
            )
          )
          const id = yield* alerting.silence({ services: ["redis"], until: null, why: "rebuild" })
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(show(yield* ops.alerts), [])
          const decision = yield* Fiber.join(told)
          assert.include(Option.getOrThrow(decision).why, "rebuild")
          yield* alerting.unsilence(id)
          assert.deepStrictEqual((yield* alerting.state).quiets, [])
          yield* TestClock.adjust("10 seconds")
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
        })
      )
    })
  )

  it.scoped("hears within seconds what another process asks for", () =>
    Effect.gen(function* () {
      yield* begin
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        { checks: [redis], channels: [ops.layer], requestsEvery: "5 seconds" },
        Effect.gen(function* () {
          const alerting = yield* Alerting
          const { request } = yield* Journal.Journal
          yield* TestClock.adjust("5 minutes")
          // As it is written, in the past by when it is read: that is no clock that was set back.
          yield* request({ _tag: "Acknowledged", at: 1000, service: "redis", by: "ann" })
          yield* request({
            _tag: "Silenced",
            at: 2000,
            id: "a",
            services: null,
            until: null,
            why: "w"
          })
          yield* TestClock.adjust("5 seconds")
          const { incidents, offset, quiets } = yield* alerting.state
          assert.strictEqual(incidents["redis"]?.acknowledgedBy, "ann")
          assert.deepStrictEqual(
            quiets.map(({ id }) => id),
            ["a"]
          )
          assert.strictEqual(offset, 0)
        })
      )
    })
  )

  it.scoped("decides nothing aloud while all is as before", () =>
    Effect.gen(function* () {
      yield* begin
      const redis = yield* ScriptedCheck.make([up], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      const heard: Array<string> = []
      yield* during(
        { checks: [redis], channels: [ops.layer] },
        Effect.gen(function* () {
          const { decisions } = yield* Alerting
          const listen = Stream.runForEach(decisions, ({ why }) =>
            Effect.sync(() => heard.push(why))
          )
          yield* Effect.fork(listen)
          yield* TestClock.adjust("1 hour")
          assert.deepStrictEqual(heard, ["Holter was started"])
          yield* redis.rescript(down)
          yield* TestClock.adjust("30 seconds")
          assert.lengthOf(heard, 2)
        })
      )
    })
  )

  it.scoped("a channel that fails for good: its fallback gets what it did not take", () =>
    Effect.gen(function* () {
      yield* begin
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* FaultyChannel.make([FaultyChannel.fail("Permanent")], { name: "ops" })
      const hook = yield* RecordingChannel.make("hook")
      const routes = [{ severity: "unhealthy", to: ["ops"], fallback: "hook" }] as const
      yield* during(
        { checks: [redis], channels: [ops.layer, hook.layer], policy: { routes } },
        Effect.gen(function* () {
          const alerting = yield* Alerting
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(show(yield* hook.alerts), ["opened redis"])
          assert.deepStrictEqual(Object.keys((yield* alerting.state).disabled), ["ops"])
          assert.deepStrictEqual(yield* alerting.flush("1 second"), [])
          yield* ops.rescript(FaultyChannel.take)
          yield* alerting.enable("ops")
          yield* redis.rescript(up)
          yield* TestClock.adjust("5 minutes")
          // Who is back is told of what is open, and both of the end.
          assert.deepStrictEqual(show(yield* hook.alerts), ["opened redis", "resolved redis"])
          assert.deepStrictEqual(show(yield* ops.taken), ["opened redis", "resolved redis"])
        })
      )
    })
  )

  describe("maintenance windows", () => {
    const nightly = window({
      name: "nightly",
      from: "2026-01-01T00:10:00Z",
      until: "2026-01-01T00:20:00Z"
    })

    it.scoped("open and close at their times", () =>
      Effect.gen(function* () {
        // Down from minute 12 on.
        yield* begin
        const ups = Array.from({ length: 23 }, () => up)
        const redis = yield* ScriptedCheck.make([up, ...ups, down], { name: "redis" })
        const ops = yield* RecordingChannel.make("ops")
        yield* during(
          { checks: [redis], channels: [ops.layer], maintenance: [nightly] },
          Effect.gen(function* () {
            const { state } = yield* Alerting
            const quiet = Effect.map(state, ({ quiets }) => quiets.length)
            yield* TestClock.adjust(Duration.subtract("10 minutes", "1 millis"))
            assert.strictEqual(yield* quiet, 0)
            yield* TestClock.adjust("1 millis")
            assert.strictEqual(yield* quiet, 1)
            yield* TestClock.adjust(Duration.subtract("10 minutes", "1 millis"))
            assert.strictEqual(yield* quiet, 1)
            assert.deepStrictEqual(show(yield* ops.alerts), [])
            yield* TestClock.adjust("1 millis")
            assert.strictEqual(yield* quiet, 0)
            yield* TestClock.adjust("10 seconds")
            assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
          })
        )
      })
    )

    it.scoped("hold when Holter starts inside one, and not when it was down at its end", () =>
      Effect.gen(function* () {
        yield* begin
        const redis = yield* ScriptedCheck.make([down], { name: "redis" })
        const ops = yield* RecordingChannel.make("ops")
        const journal = yield* sharedJournal
        const options = { checks: [redis], channels: [ops.layer], maintenance: [nightly], journal }
        yield* TestClock.adjust("15 minutes")
        yield* during(
          options,
          Effect.gen(function* () {
            yield* TestClock.adjust("3 minutes")
            const { quiets } = yield* (yield* Alerting).state
            assert.deepStrictEqual(
              quiets.map(({ id }) => id),
              ["window:nightly"]
            )
            assert.deepStrictEqual(show(yield* ops.alerts), [])
          })
        )
        yield* TestClock.adjust("5 minutes")
        yield* during(
          options,
          Effect.gen(function* () {
            const { quiets } = yield* (yield* Alerting).state
            assert.deepStrictEqual(quiets, [])
            yield* TestClock.adjust("2 minutes")
            assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
          })
        )
      })
    )

    it.scoped("are as the configuration has them now, also one that is open", () =>
      Effect.gen(function* () {
        yield* begin
        const redis = yield* ScriptedCheck.make([up], { name: "redis" })
        const ops = yield* RecordingChannel.make("ops")
        const journal = yield* sharedJournal
        yield* TestClock.adjust("15 minutes")
        const quiets = (maintenance: ReadonlyArray<Maintenance.Window>) =>
          during(
            { checks: [redis], channels: [ops.layer], maintenance, journal },
            Effect.gen(function* () {
              const { state } = yield* Alerting
              return (yield* state).quiets.map(({ services, until }) => ({ services, until }))
            })
          )
        const until = start + minutes(20)
        assert.deepStrictEqual(yield* quiets([nightly]), [{ services: null, until }])
        const changed = window({
          name: "nightly",
          services: ["redis"],
          from: "2026-01-01T00:10:00Z",
          until: "2026-01-01T00:30:00Z"
        })
        assert.deepStrictEqual(yield* quiets([changed]), [
          { services: ["redis"], until: start + minutes(30) }
        ])
        assert.deepStrictEqual(yield* quiets([]), [])
      })
    )
  })

  describe("after a restart", () => {
    const runs = (
      journal: Layer.Layer<Journal.Journal | Outbox>,
      options: Omit<Options, "journal">,
      use: Effect.Effect<void> = TestClock.adjust("3 minutes")
    ) => during({ ...options, journal }, use)

    it.scoped("a known outage is not told again, and its end is", () =>
      Effect.gen(function* () {
        yield* begin
        const redis = yield* ScriptedCheck.make([down], { name: "redis" })
        const ops = yield* RecordingChannel.make("ops")
        const journal = yield* sharedJournal
        const options = { checks: [redis], channels: [ops.layer] }
        yield* runs(journal, options)
        yield* runs(journal, options)
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
        yield* redis.rescript(up)
        yield* runs(journal, options)
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis", "resolved redis"])
      })
    )

    it.scoped("a check that is no longer configured ends its incident", () =>
      Effect.gen(function* () {
        yield* begin
        const redis = yield* ScriptedCheck.make([down], { name: "redis" })
        const web = yield* ScriptedCheck.make([up], { name: "web" })
        const ops = yield* RecordingChannel.make("ops")
        const journal = yield* sharedJournal
        yield* runs(journal, { checks: [redis, web], channels: [ops.layer] })
        yield* runs(journal, { checks: [web], channels: [ops.layer] })
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis", "resolved redis"])
        const end = (yield* ops.alerts)[1] ?? assert.fail("no end")
        assert.strictEqual(end.subjects[0]?.status, "unknown")
        assert.match(AlertText.text(end), /^redis is no longer checked; it was unhealthy for/)
        assert.notInclude(AlertText.text(end), "healthy again")
      })
    )

    it.scoped("other thresholds hold from the next result on", () =>
      Effect.gen(function* () {
        const ops = yield* RecordingChannel.make("ops")
        const journal = yield* sharedJournal
        const patient = yield* ScriptedCheck.make([down], { name: "redis", failureThreshold: 100 })
        yield* runs(journal, { checks: [patient], channels: [ops.layer] })
        assert.deepStrictEqual(show(yield* ops.alerts), [])
        const strict = yield* ScriptedCheck.make([down], { name: "redis", failureThreshold: 1 })
        yield* runs(
          journal,
          { checks: [strict], channels: [ops.layer] },
          TestClock.adjust("45 seconds")
        )
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
      })
    )

    it.scoped("what a channel did not take is sent, also after a start without the channel", () =>
      Effect.gen(function* () {
        yield* begin
        const redis = yield* ScriptedCheck.make([down], { name: "redis" })
        const hung = yield* FaultyChannel.make([FaultyChannel.hang], { name: "ops" })
        const journal = yield* sharedJournal
        yield* runs(journal, { checks: [redis], channels: [hung.layer] })
        const routes: Routes.Routes = [{ severity: "unhealthy", to: ["ops"] }]
        const without = runs(journal, { checks: [redis], channels: [], policy: { routes } })
        const refused = yield* Effect.flip(Effect.sandbox(without))
        assert.instanceOf(Cause.squash(refused), AlertingOptionsError.AlertingOptionsError)
        const ops = yield* RecordingChannel.make("ops")
        yield* runs(journal, { checks: [redis], channels: [ops.layer] }, Effect.void)
        const [sent] = yield* ops.awaitAlerts(1)
        const [tried] = yield* hung.attempts
        assert.strictEqual(sent?.key, tried?.key)
      })
    )
  })
})
