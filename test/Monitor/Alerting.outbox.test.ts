/** What becomes of alerts that a channel does not take: who asks finds out, and nobody waits for ever. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, TestClock } from "effect"
import { Outbox } from "../../src/Alert/Outbox.js"
import { Alerting } from "../../src/Monitor/Alerting.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as PatientJournal from "../../src/Monitor/PatientJournal.js"
import * as FaultyChannel from "../../src/testing/FaultyChannel.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { start } from "../Alert/trace.js"
import { alerted, type Options, show } from "./alerted.js"

const up = ScriptedCheck.healthy()
const down = ScriptedCheck.fail("Down")

const during = <A, E, R>(options: Options, use: Effect.Effect<A, E, R>) =>
  Effect.provide(use, alerted({ requestsEvery: "5 seconds", ...options }))

const to = (...channels: ReadonlyArray<string>) => ({
  routes: [{ severity: "unhealthy" as const, to: channels }]
})

/** What became of every alert that was ever decided. */
const became = Effect.gen(function* () {
  const { decisions, deliveries } = yield* Journal.Journal
  const alerts = (yield* decisions({})).flatMap((decision) => decision.alerts)
  const all = yield* deliveries(alerts)
  return alerts.map((alert) => ({ alert, delivery: all.get(alert.key) }))
})

describe("an alert that its channel does not take", () => {
  it.scoped("says why and when it is tried again, and then that it was delivered", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* FaultyChannel.make(
        [FaultyChannel.fail("Transient", { retryAfter: "20 minutes" }), FaultyChannel.take],
        { name: "ops" }
      )
      yield* during(
        { checks: [redis], channels: [ops.layer], policy: { ...to("ops"), reminders: [] } },
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          const [owed] = yield* became
          const { outcome, trouble } = owed?.delivery ?? {}
          assert.strictEqual(outcome, "queued")
          assert.strictEqual(trouble?.failures, 1)
          assert.strictEqual((trouble?.nextAttempt ?? 0) - (trouble?.at ?? 0), 20 * 60_000)
          assert.isAbove((trouble?.error ?? "").length, 3)
          yield* TestClock.adjust("20 minutes")
          const [taken] = yield* became
          assert.deepStrictEqual(taken?.delivery, {
            outcome: "delivered",
            at: trouble?.nextAttempt ?? 0,
            trouble: null
          })
        })
      )
    })
  )

  it.scoped("says that its channel is disabled, or that another one has it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      for (const fallback of [undefined, "log"]) {
        const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
        const ops = yield* FaultyChannel.make([FaultyChannel.fail("Permanent")], { name: "ops" })
        const log = yield* RecordingChannel.make("log")
        const route = { severity: "unhealthy", to: ["ops"] } as const
        yield* during(
          {
            checks: [redis],
            channels: [ops.layer, log.layer],
            policy: { routes: [fallback === undefined ? route : { ...route, fallback }] }
          },
          Effect.gen(function* () {
            yield* TestClock.adjust("5 minutes")
            const of = (channel: string) =>
              Effect.map(became, (all) => all.find(({ alert }) => alert.channel === channel))
            const own = (yield* of("ops"))?.delivery
            if (fallback === undefined) {
              assert.strictEqual(own?.outcome, "queued")
              assert.isNull(own?.trouble?.nextAttempt)
            } else {
              assert.strictEqual(own?.outcome, "handed on")
              assert.strictEqual((yield* of("log"))?.delivery?.outcome, "delivered")
            }
          })
        )
      }
    })
  )
})

/** A journal that several runs share, and that can be away. */
const sharedJournal = Effect.gen(function* () {
  const kept = yield* Layer.build(Journal.layerMemory)
  let isAway = false
  return {
    kept: Layer.succeedContext(kept),
    patient: PatientJournal.layer(
      Layer.scopedContext(Effect.suspend(() => (isAway ? unavailable : Effect.succeed(kept))))
    ),
    pending: Context.get(kept, Outbox).pending,
    away: Effect.sync(() => void (isAway = true)),
    back: Effect.sync(() => void (isAway = false))
  }
})

const unavailable = new Journal.JournalError({
  reason: "Unavailable",
  expected: "an answer",
  found: "none",
  advice: "Wait"
})

describe("a channel that is no longer configured", { timeout: 60_000 }, () => {
  /** An outage of which `old` was told or not, told to `ops` too; then a run without `old`. */
  const removed = (step: FaultyChannel.Step, isLate: boolean) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const shared = yield* sharedJournal
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const old = yield* FaultyChannel.make([step], { name: "old" })
      const ops = yield* RecordingChannel.make("ops")
      yield* during(
        {
          checks: [redis],
          channels: [old.layer, ops.layer],
          policy: to("old", "ops"),
          journal: shared.kept
        },
        TestClock.adjust("5 minutes")
      )
      const warnings: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel._tag !== "Info") warnings.push(String(message))
      })
      if (isLate) yield* shared.away
      yield* during(
        {
          checks: [redis],
          channels: [ops.layer],
          policy: to("ops"),
          journal: isLate ? shared.patient : shared.kept
        },
        Effect.gen(function* () {
          yield* TestClock.adjust("1 minute")
          yield* shared.back
          yield* TestClock.adjust("2 minutes")
          yield* redis.rescript(up)
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(
            (yield* Effect.flatMap(Alerting, ({ state }) => state)).disabled,
            {}
          )
        })
      ).pipe(Effect.provide(Logger.add(logger)))
      const { decisions, outcomes } = yield* Effect.provide(
        Effect.gen(function* () {
          const journal = yield* Journal.Journal
          return {
            decisions: yield* journal.decisions({}),
            outcomes: (yield* became).map(
              ({ alert, delivery }) => `${alert.channel} ${alert.kind} ${delivery?.outcome}`
            )
          }
        }),
        shared.kept
      )
      assert.deepStrictEqual(yield* shared.pending, [])
      const told = warnings.filter((text) => text.includes("Channel old is no longer configured"))
      assert.lengthOf(told, 1, warnings.join("\n"))
      const why = decisions
        .filter((one) => one._tag === "Nothing" && one.reason === "GivenUp")
        .map((one) => `${one.service}: ${one.why}`)
      return { told: told[0] ?? "", why, outcomes, ops: show(yield* ops.alerts) }
    })

  for (const isLate of [false, true]) {
    const when = isLate ? "when the journal comes back" : "at the start"
    it.scoped(`has what it did not take given up ${when}, with a word in the journal`, () =>
      Effect.gen(function* () {
        const { ops, outcomes, told, why } = yield* removed(FaultyChannel.hang, isLate)
        assert.match(told, /1 alert that it had not taken is given up/)
        assert.isTrue(why.some((text) => /^redis: Channel old .*given up \(opened\)$/.test(text)))
        assert.include(outcomes, "old opened given up")
        assert.notInclude(outcomes.join("\n"), "old resolved")
        assert.strictEqual(ops.at(-1), "resolved redis")
      })
    )
  }

  it.scoped("is not owed the end of what it knows any more", () =>
    Effect.gen(function* () {
      const { ops, outcomes, why } = yield* removed(FaultyChannel.take, false)
      assert.deepStrictEqual(why, [
        "redis: Channel old is no longer configured: it will not get the end"
      ])
      assert.deepStrictEqual(outcomes, [
        "old opened delivered",
        "ops opened delivered",
        "ops resolved delivered"
      ])
      assert.deepStrictEqual(ops, ["opened redis", "resolved redis"])
    })
  )
})
