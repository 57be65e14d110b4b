import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, TestClock } from "effect"
import * as AlertDocument from "../../src/Alert/AlertDocument.js"
import { Outbox } from "../../src/Alert/Outbox.js"
import { Alerting } from "../../src/Monitor/Alerting.js"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as PatientJournal from "../../src/Monitor/PatientJournal.js"
import * as FaultyChannel from "../../src/testing/FaultyChannel.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { start } from "../Alert/trace.js"
import { alerted, type Options, show } from "./alerted.js"

const down = ScriptedCheck.fail("Down")
const up = ScriptedCheck.healthy()

const unavailable = (reason: Journal.JournalError["reason"]) =>
  new Journal.JournalError({
    reason,
    expected: "an answer of its database",
    found: "connection refused",
    advice: "Start it"
  })

/** A journal that several runs share and that can be away. */
const sharedJournal = Effect.gen(function* () {
  const kept = yield* Layer.build(Journal.layerMemory)
  let isAway = false
  return {
    layer: PatientJournal.layer(
      Layer.scopedContext(
        Effect.suspend(() => (isAway ? unavailable("Unavailable") : Effect.succeed(kept)))
      )
    ),
    journal: Context.get(kept, Journal.Journal),
    outbox: Context.get(kept, Outbox),
    away: Effect.sync(() => void (isAway = true)),
    back: Effect.sync(() => void (isAway = false))
  }
})

const during = <A, E, R>(options: Options, use: Effect.Effect<A, E, R>) =>
  Effect.provide(use, alerted({ requestsEvery: "5 seconds", ...options }))

describe("a journal that is down at the start", { timeout: 120_000 }, () => {
  it.scoped("alerts go out from memory, and are recorded when it is there", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const shared = yield* sharedJournal
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* shared.away
      yield* during(
        { checks: [redis], channels: [ops.layer], journal: shared.layer },
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
          const { health, results } = yield* Journal.Journal
          assert.include((yield* health).down, "connection refused")
          assert.strictEqual((yield* Effect.flip(results({}))).reason, "Unavailable")
          assert.deepStrictEqual(yield* shared.journal.results({}), [])
          yield* shared.back
          yield* TestClock.adjust("1 minute")
          assert.lengthOf(yield* shared.journal.results({}), 13)
          const decisions = yield* shared.journal.decisions({})
          assert.lengthOf(
            decisions.filter(({ _tag }) => _tag === "Opened"),
            1
          )
          assert.lengthOf(yield* shared.journal.incidents({}), 1)
          assert.deepStrictEqual(yield* shared.outbox.pending, [])
          assert.isUndefined((yield* health).down)
        })
      )
    })
  )

  it.scoped("who was told by an earlier run is told of the end, once", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const shared = yield* sharedJournal
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const web = yield* ScriptedCheck.make([up, down], { name: "web" })
      const gone = yield* ScriptedCheck.make([up, down], { name: "gone" })
      const ops = yield* RecordingChannel.make("ops")
      const journal = shared.layer
      const channels = [ops.layer]
      yield* during(
        { checks: [redis, web, gone], channels, journal },
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          yield* (yield* Alerting).acknowledge("web", "ann")
        })
      )
      assert.deepStrictEqual(show(yield* ops.alerts), ["opened gone+web+redis"])
      yield* redis.rescript(up)
      yield* shared.away
      yield* during(
        { checks: [redis, web], channels, journal },
        Effect.gen(function* () {
          const alerting = yield* Alerting
          yield* TestClock.adjust("5 minutes")
          // Nothing is known of the earlier run: what is down is news.
          assert.deepStrictEqual(show(yield* ops.alerts).slice(1), ["opened web"])
          yield* shared.back
          yield* TestClock.adjust("2 minutes")
          assert.sameMembers(show(yield* ops.alerts).slice(2), ["resolved gone", "resolved redis"])
          assert.strictEqual((yield* alerting.state).incidents["web"]?.acknowledgedBy, "ann")
          yield* web.rescript(up)
          yield* TestClock.adjust("2 minutes")
          const alerts = yield* ops.alerts
          assert.deepStrictEqual(show(alerts).slice(4), ["resolved web"])
          // A program that pairs by ids finds the end of both.
          const ids = alerts.flatMap(({ kind, subjects }) =>
            subjects.flatMap(({ incident, service }) =>
              kind === "opened" && service === "web" ? [incident] : []
            )
          )
          const last = alerts.at(-1)
          if (last === undefined) return assert.fail("no alert")
          assert.deepStrictEqual(
            AlertDocument.make(last).services.map(({ incident, over }) => [incident, over]),
            ids.map((id) => [id, true])
          )
          assert.strictEqual(new Set(ids).size, 2)
        })
      )
      const incidents = yield* shared.journal.incidents({})
      assert.isTrue(incidents.every(({ ended_at }) => ended_at !== null))
    })
  )

  it.scoped("what an earlier run still owed is sent", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const shared = yield* sharedJournal
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const hung = yield* FaultyChannel.make([FaultyChannel.hang], { name: "ops" })
      const ops = yield* RecordingChannel.make("ops")
      const journal = shared.layer
      yield* during(
        { checks: [redis], channels: [hung.layer], journal },
        TestClock.adjust("5 minutes")
      )
      const [owed] = yield* hung.attempts
      yield* redis.rescript(up)
      yield* shared.away
      yield* during(
        { checks: [redis], channels: [ops.layer], journal },
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(yield* ops.alerts, [])
          yield* shared.back
          yield* TestClock.adjust("2 minutes")
          const [first] = yield* ops.alerts
          assert.strictEqual(first?.key, owed?.key)
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis", "resolved redis"])
        })
      )
      assert.deepStrictEqual(yield* shared.outbox.pending, [])
    })
  )

  it.scoped("a kill before the policy took up what was earlier leaves that as it was", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const shared = yield* sharedJournal
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      const options = { checks: [redis], channels: [ops.layer], journal: shared.layer }
      yield* during(options, TestClock.adjust("5 minutes"))
      const before = yield* shared.journal.state
      yield* redis.rescript(up)
      yield* shared.away
      yield* during(
        { ...options, requestsEvery: "1 hour" },
        Effect.gen(function* () {
          yield* TestClock.adjust("1 minute")
          yield* shared.back
          yield* TestClock.adjust("2 minutes")
        })
      )
      assert.deepStrictEqual(yield* shared.journal.state, before)
    })
  )

  it.scoped("one that is damaged or newer is refused", () =>
    Effect.gen(function* () {
      for (const reason of ["Corrupt", "NewerVersion"] as const) {
        const refused = Layer.fail(unavailable(reason))
        const layer = PatientJournal.layer(refused)
        const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
        assert.strictEqual(error.reason, reason)
      }
    })
  )
})

describe("a journal that goes down", { timeout: 120_000 }, () => {
  it.scoped("and does not answer holds up no beat, and alerts go out", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const kept = yield* Layer.build(Journal.layerMemory)
      const inner = Context.get(kept, Journal.Journal)
      let isHanging = false
      const journal = Layer.succeedContext(
        Context.add(kept, Journal.Journal, {
          ...inner,
          // As long as a commit waits for a database that does not answer.
          commit: (commit) =>
            Effect.zipRight(
              Effect.suspend(() => (isHanging ? Effect.sleep("2 seconds") : Effect.void)),
              inner.commit(commit)
            )
        })
      )
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        { checks: [redis], channels: [ops.layer], journal, requestsEvery: "1 hour" },
        Effect.gen(function* () {
          isHanging = true
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
          assert.lengthOf(yield* inner.results({}), 5)
          const { heartbeat } = yield* HealthMonitor
          const beats = (yield* Effect.flatten(heartbeat)).beats.get("redis")
          assert.deepStrictEqual([beats?.beats, beats?.skipped], [5, 0])
        })
      )
    })
  )
})
