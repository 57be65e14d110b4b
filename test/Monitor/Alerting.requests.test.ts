/** What other programs leave in the journal for the one that watches: nothing of it gets lost. */
import { assert, describe, it } from "@effect/vitest"
import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Either, Layer, Logger, Stream, TestClock } from "effect"
import * as Maintenance from "../../src/Alert/Maintenance.js"
import { Alerting } from "../../src/Monitor/Alerting.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { minutes, start } from "../Alert/trace.js"
import * as TempDir from "../support/TempDir.js"
import { alerted, type Options, show } from "./alerted.js"
import { own, sqliteClient } from "./Journal/clients.js"
import { commits } from "./Journal/steps.js"

const up = ScriptedCheck.healthy()
const down = ScriptedCheck.fail("Down")

const acknowledged = { _tag: "Acknowledged", at: 1000, service: "redis", by: "ann" } as const

const during = <A, E, R>(options: Options, use: Effect.Effect<A, E, R>) =>
  Effect.provide(use, alerted({ requestsEvery: "5 seconds", ...options }))

const acknowledgedBy = Effect.flatMap(Alerting, ({ state }) =>
  Effect.map(state, ({ incidents }) => incidents["redis"]?.acknowledgedBy ?? null)
)

/** How often somebody was heard, from now on. */
const countAcknowledgements = Effect.gen(function* () {
  let count = 0
  const { decisions } = yield* Alerting
  yield* decisions.pipe(
    Stream.filter(({ rule }) => rule === "acknowledged"),
    Stream.runForEach(() => Effect.sync(() => void count++)),
    Effect.forkScoped
  )
  return () => count
})

describe("what another program asks for", () => {
  it.scoped("is heard once, and again by the next run where that step was never written", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const kept = yield* Layer.build(Journal.layerMemory)
      const inner = Context.get(kept, Journal.Journal)
      // As by a kill between the step and its transaction.
      let isKilled = false
      const journal = Layer.succeedContext(
        Context.add(kept, Journal.Journal, {
          ...inner,
          commit: (commit) => Effect.suspend(() => (isKilled ? Effect.void : inner.commit(commit)))
        })
      )
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      const options = { checks: [redis], channels: [ops.layer], journal }
      const left = Effect.map(inner.requests, ({ known }) => known.length)
      yield* during(
        options,
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          const heard = yield* countAcknowledgements
          yield* inner.request(acknowledged)
          isKilled = true
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(yield* acknowledgedBy, "ann")
          assert.strictEqual(heard(), 1)
          assert.strictEqual(yield* left, 1)
        })
      )
      isKilled = false
      yield* during(
        options,
        Effect.gen(function* () {
          yield* TestClock.adjust("10 seconds")
          assert.strictEqual(yield* acknowledgedBy, "ann")
          assert.strictEqual(yield* left, 0)
        })
      )
    })
  )

  it.scoped("is heard beside what nobody can read, which is told once and put aside", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const client = sqliteClient(`${yield* TempDir.make("journal")}/journal.db`)
      const store = yield* Layer.build(Layer.provideMerge(Journal.layer(own), client))
      const sql = Context.get(store, SqlClient)
      const journal = Context.get(store, Journal.Journal)
      const later = '{"_tag":"Snoozed","at":1}'
      yield* sql`INSERT INTO holter_requests (id, at, event) VALUES
        ('1-broken', 1, 'no JSON at all'), ('2-later', 2, ${later})`
      yield* journal.request(acknowledged)

      const warnings: Array<string> = []
      const logger = Logger.make(({ message }) => warnings.push(String(message)))
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        { checks: [redis], channels: [ops.layer], journal: Layer.succeedContext(store) },
        Effect.gen(function* () {
          const heard = yield* countAcknowledgements
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(heard(), 1)
          assert.deepStrictEqual(yield* journal.requests, { known: [], unreadable: [] })
        })
      ).pipe(Effect.provide(Logger.add(logger)))
      const told = warnings.filter((text) => text.includes("was put aside"))
      assert.lengthOf(told, 2)
      assert.include(told[0], "holter_requests_aside, 1-broken")
      assert.include(told[1], "holter_requests_aside, 2-later")
      const aside = yield* sql`SELECT id, event FROM holter_requests_aside ORDER BY id`
      assert.deepStrictEqual(aside, [
        { id: "1-broken", event: "no JSON at all" },
        { id: "2-later", event: later }
      ])
    })
  )

  it.scoped(
    "is a maintenance that decides as a window does, over a restart, and ends by itself",
    () =>
      Effect.gen(function* () {
        const window = Either.getOrThrow(
          Maintenance.make({
            name: "disks",
            from: "2026-01-01T00:05:00Z",
            until: "2026-01-01T00:20:00Z"
          })
        )
        const started = {
          _tag: "MaintenanceStarted",
          at: start,
          id: "1f2e3d4c",
          services: null,
          until: start + minutes(20),
          why: "disks"
        } as const
        /** What was decided of redis, which goes down in the maintenance, and told. */
        const decided = (byHand: boolean) =>
          Effect.gen(function* () {
            yield* TestClock.setTime(start)
            const kept = yield* Layer.build(Journal.layerMemory)
            const redis = yield* ScriptedCheck.make([up], { name: "redis" })
            const ops = yield* RecordingChannel.make("ops")
            const options = {
              checks: [redis],
              channels: [ops.layer],
              journal: Layer.succeedContext(kept),
              maintenance: byHand ? [] : [window]
            }
            yield* during(
              options,
              Effect.gen(function* () {
                yield* TestClock.adjust("5 minutes")
                if (byHand) yield* Context.get(kept, Journal.Journal).request(started)
                yield* TestClock.adjust("1 minute")
                yield* redis.rescript(down)
                yield* TestClock.adjust("4 minutes")
              })
            )
            const quiet = yield* during(
              options,
              Effect.gen(function* () {
                yield* TestClock.adjust("9 minutes")
                const { quiets } = yield* (yield* Alerting).state
                assert.deepStrictEqual(show(yield* ops.alerts), [])
                yield* TestClock.adjust("5 minutes")
                assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
                return quiets.map(({ kind, services, until, why }) => ({
                  kind,
                  services,
                  until,
                  why
                }))
              })
            )
            const decisions = yield* Context.get(kept, Journal.Journal).decisions({})
            return {
              quiet,
              decisions: decisions
                .filter(({ service }) => service === "redis")
                .map(({ _tag, at, rule, why }) => ({ _tag, at, rule, why }))
            }
          })
        const byWindow = yield* decided(false)
        assert.deepStrictEqual(byWindow.quiet, [
          { kind: "Maintenance", services: null, until: start + minutes(20), why: "disks" }
        ])
        assert.isTrue(byWindow.decisions.some(({ _tag }) => _tag === "Suppressed"))
        assert.deepStrictEqual(yield* decided(true), byWindow)
      })
  )

  it.scopedLive("stays where its transaction fails", () =>
    Effect.gen(function* () {
      const client = sqliteClient(`${yield* TempDir.make("journal")}/journal.db`)
      const store = yield* Layer.build(Layer.provideMerge(Journal.layer(own), client))
      const sql = Context.get(store, SqlClient)
      const { commit, flush, request, requests } = Context.get(store, Journal.Journal)
      yield* request(acknowledged)
      const [one] = (yield* requests).known
      if (one === undefined) return assert.fail("nothing is left")
      yield* sql`CREATE TRIGGER full BEFORE INSERT ON holter_events
        BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`
      const [step] = commits([acknowledged])
      if (step === undefined) return assert.fail("no step")
      yield* commit({ ...step, taken: [one.id] })
      assert.deepStrictEqual((yield* requests).known, [one])
      yield* sql`DROP TRIGGER full`
      yield* flush
      assert.deepStrictEqual((yield* requests).known, [])
    })
  )
})
