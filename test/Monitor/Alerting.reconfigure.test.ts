/** Another policy, other channels and windows, while results and messages are on their way. */
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, Either, Layer, Stream, TestClock } from "effect"
import type * as AlertPolicy from "../../src/Alert/AlertPolicy.js"
import * as Maintenance from "../../src/Alert/Maintenance.js"
import { Outbox } from "../../src/Alert/Outbox.js"
import { CheckRegistry } from "../../src/Check/CheckRegistry.js"
import { Alerting, type Reconfiguration } from "../../src/Monitor/Alerting.js"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as FaultyChannel from "../../src/testing/FaultyChannel.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { check, minutes, start } from "../Alert/trace.js"
import { alerted, type Options, show } from "./alerted.js"

const down = ScriptedCheck.fail("Down")
const up = ScriptedCheck.healthy()

const during = <A, E, R>(options: Options, use: Effect.Effect<A, E, R>) =>
  Effect.provide(use, alerted(options))

const to = (channel: string): AlertPolicy.Options => ({
  routes: [{ severity: "unhealthy", to: [channel] }]
})

/** Open for the first half an hour. */
const window = (name: string, services?: ReadonlyArray<string>) =>
  Either.getOrThrow(
    Maintenance.make({
      name,
      from: "2026-01-01T00:00:00Z",
      until: "2026-01-01T00:30:00Z",
      ...(services === undefined ? {} : { services })
    })
  )

const reconfigure = (change: Partial<Reconfiguration>) =>
  Effect.flatMap(Alerting, (alerting) =>
    alerting.reconfigure({
      policy: { checks: [check("redis")], ...to("ops") },
      maintenance: [],
      started: [],
      gone: [],
      changedChannels: [],
      removedChannels: [],
      asked: null,
      by: "a test",
      why: "The configuration was read again",
      ...change
    })
  )

describe("Alerting, reconfigured", () => {
  it.scoped("hears nothing more of a check that is gone, though a result comes late", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const redis = yield* ScriptedCheck.make([up], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        { checks: [redis], channels: [ops.layer] },
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          const gone = yield* Effect.flatMap(CheckRegistry, ({ all }) => all)
          yield* redis.rescript(down)
          yield* reconfigure({ policy: { checks: [], ...to("ops") }, gone })
          // Still registered here, as while its layer closes.
          const { runCheck } = yield* HealthMonitor
          yield* Effect.repeatN(Effect.orDie(runCheck("redis")), 5)
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(show(yield* ops.alerts), [])
          const { results } = yield* Journal.Journal
          assert.isTrue((yield* results({})).every(({ status }) => status === "healthy"))
        })
      )
    })
  )

  it.scoped("gives up what a removed channel had not taken, and tries a changed one at once", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const hook = yield* FaultyChannel.make([FaultyChannel.fail("Transient")], { name: "hook" })
      const ops = yield* FaultyChannel.make([FaultyChannel.fail("Permanent")], { name: "ops" })
      const kept = yield* Layer.build(Journal.layerMemory)
      const { pending } = Context.get(kept, Outbox)
      yield* during(
        {
          checks: [redis],
          channels: [ops.layer, hook.layer],
          policy: { routes: [{ severity: "unhealthy", to: ["ops", "hook"] }] },
          journal: Layer.succeedContext(kept)
        },
        Effect.gen(function* () {
          yield* TestClock.adjust("3 minutes")
          const { state } = yield* Alerting
          assert.deepStrictEqual(Object.keys((yield* state).disabled), ["ops"])
          assert.lengthOf(yield* pending, 2)
          yield* ops.rescript(FaultyChannel.take)
          yield* reconfigure({ changedChannels: ["ops"], removedChannels: ["hook"] })
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(show(yield* ops.taken), ["opened redis"])
          assert.deepStrictEqual((yield* state).disabled, {})
          assert.lengthOf(yield* pending, 0)
          yield* redis.rescript(up)
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(show(yield* ops.taken), ["opened redis", "resolved redis"])
          assert.deepStrictEqual(yield* hook.taken, [])
        })
      )
    })
  )

  it.scoped("opens and closes the windows that there are now", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const redis = yield* ScriptedCheck.make([up], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        { checks: [redis], channels: [ops.layer], maintenance: [window("disks")] },
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          const ids = Effect.flatMap(Alerting, ({ state }) =>
            Effect.map(state, ({ quiets }) => quiets.map(({ id }) => id))
          )
          assert.deepStrictEqual(yield* ids, ["window:disks"])
          yield* reconfigure({ maintenance: [window("memory")] })
          assert.deepStrictEqual(yield* ids, ["window:memory"])
          yield* TestClock.adjust("26 minutes")
          assert.deepStrictEqual(yield* ids, [])
        })
      )
    })
  )

  it.scoped("says of a window that is open that it is only where it is another one", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      yield* during(
        { checks: [], channels: [], maintenance: [window("disks")] },
        Effect.gen(function* () {
          const { decisions } = yield* Alerting
          const said: Array<string> = []
          yield* Effect.forkScoped(
            Stream.runForEach(decisions, ({ _tag, rule, why }) =>
              Effect.sync(() => _tag === "Nothing" && rule === "maintenance" && said.push(why))
            )
          )
          yield* TestClock.adjust("5 minutes")
          yield* reconfigure({ policy: {}, maintenance: [window("disks")] })
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(said, ["Maintenance window:disks of everything: disks"])
          yield* reconfigure({ policy: { checks: [] }, maintenance: [window("disks", ["redis"])] })
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(said.slice(1), ["Maintenance window:disks of redis: disks"])
        })
      )
    })
  )

  it.scoped("is asked for by other programs", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const kept = yield* Layer.build(Journal.layerMemory)
      const journal = Context.get(kept, Journal.Journal)
      yield* during(
        {
          checks: [],
          channels: [],
          journal: Layer.succeedContext(kept),
          requestsEvery: "5 seconds",
          reloads: true
        },
        Effect.gen(function* () {
          const { refuse, reloads } = yield* Alerting
          yield* journal.request({ _tag: "ReloadAsked", at: start + minutes(1), id: "1f2e3d4c" })
          yield* TestClock.adjust("6 seconds")
          assert.strictEqual(yield* reloads.take, "1f2e3d4c")
          yield* refuse({ asked: "1f2e3d4c", by: "a test", problems: ["no"] })
          assert.deepStrictEqual((yield* journal.requests).known, [])
        })
      )
    })
  )

  for (const [what, reloads, asks, refused, words] of [
    ["in a program that does not read it", false, 1, 1, "This program does not read its"],
    ["where too many wait", true, 18, 2, "16 others who asked"]
  ] as const) {
    it.scoped(`is refused with words ${what}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const kept = yield* Layer.build(Journal.layerMemory)
        const journal = Context.get(kept, Journal.Journal)
        yield* during(
          {
            checks: [],
            channels: [],
            journal: Layer.succeedContext(kept),
            requestsEvery: "5 seconds",
            reloads
          },
          Effect.gen(function* () {
            const alerting = yield* Alerting
            for (let ask = 1; ask <= asks; ask++) {
              yield* journal.request({ _tag: "ReloadAsked", at: start, id: `ask-${ask}` })
            }
            yield* TestClock.adjust("6 seconds")
            yield* alerting.flush("1 second")
            const answers = Chunk.toReadonlyArray(
              yield* Stream.runCollect(
                Stream.filter(journal.history(0), ({ _tag }) => _tag === "ReconfigurationRefused")
              )
            )
            assert.lengthOf(answers, refused)
            const [answer] = answers
            assert.deepInclude(answer, {
              asked: `ask-${asks - refused + 1}`,
              by: "the program that watches"
            })
            assert.isTrue(
              answer?._tag === "ReconfigurationRefused" && answer.problems[0]?.startsWith(words)
            )
          })
        )
      })
    )
  }
})
