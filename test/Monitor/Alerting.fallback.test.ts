/**
 * Channels that take nothing for a while, or not this alert: their fallback is told in their place, and
 * the end goes to whoever was told of the beginning.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import { Alerting } from "../../src/Monitor/Alerting.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as FaultyChannel from "../../src/testing/FaultyChannel.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { start } from "../Alert/trace.js"
import { alerted, type Options, show } from "./alerted.js"

const up = ScriptedCheck.healthy()
const down = ScriptedCheck.fail("Down")
const refused = FaultyChannel.fail("Transient")

const during = <A, E, R>(options: Options, use: Effect.Effect<A, E, R>) =>
  Effect.provide(use, alerted(options))

const setting = (step: FaultyChannel.Step, ...more: ReadonlyArray<FaultyChannel.Step>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(start)
    const redis = yield* ScriptedCheck.make([down], { name: "redis" })
    const ops = yield* FaultyChannel.make([step, ...more], { name: "ops" })
    const hook = yield* RecordingChannel.make("hook")
    const watching = {
      checks: [redis],
      channels: [ops.layer, hook.layer],
      policy: {
        reminders: [],
        routes: [{ severity: "unhealthy", to: ["ops"], fallback: "hook" } as const]
      }
    }
    return { redis, ops, hook, watching }
  })

const told = (all: ReadonlyArray<Alert>) =>
  all.map((one) => `${show([one])[0]}${one.insteadOf === null ? "" : ` for ${one.insteadOf}`}`)

describe("a channel that takes nothing", { timeout: 60_000 }, () => {
  for (const [how, step] of [
    ["refuses", refused],
    ["does not answer", FaultyChannel.hang]
  ] as const) {
    it.scoped(`has its fallback told after five minutes in which it ${how}`, () =>
      Effect.gen(function* () {
        const { hook, watching } = yield* setting(step)
        yield* during(
          watching,
          Effect.gen(function* () {
            // The outage is told at about 1m20s.
            yield* TestClock.adjust("6 minutes")
            assert.deepStrictEqual(yield* hook.alerts, [])
            yield* TestClock.adjust("2 minutes")
            assert.deepStrictEqual(told(yield* hook.alerts), ["opened redis for ops"])
          })
        )
      })
    )
  }

  it.scoped("gets neither beginning nor end of what its fallback was told of", () =>
    Effect.gen(function* () {
      const { hook, ops, redis, watching } = yield* setting(refused)
      yield* during(
        watching,
        Effect.gen(function* () {
          yield* TestClock.adjust("10 minutes")
          yield* redis.rescript(up)
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(told(yield* hook.alerts), [
            "opened redis for ops",
            "resolved redis for ops"
          ])
          yield* ops.rescript(FaultyChannel.take)
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(yield* ops.taken, [])
          const journal = yield* Journal.Journal
          const outcomes = yield* journal.deliveries(yield* ops.attempts)
          assert.deepStrictEqual(
            new Set([...outcomes.values()].map(({ outcome }) => outcome)),
            new Set(["handed on"])
          )
          // It is tried with what is new.
          yield* redis.rescript(down)
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(told(yield* ops.taken), ["opened redis"])
          assert.lengthOf(yield* hook.alerts, 2)
        })
      )
    })
  )

  it.scoped("gets the end of what it may have, with the same beginning first", () =>
    Effect.gen(function* () {
      const { hook, ops, redis, watching } = yield* setting(FaultyChannel.hang, refused)
      yield* during(
        watching,
        Effect.gen(function* () {
          yield* TestClock.adjust("10 minutes")
          yield* redis.rescript(up)
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(told(yield* hook.alerts), [
            "opened redis for ops",
            "resolved redis for ops"
          ])
          yield* ops.rescript(FaultyChannel.take)
          yield* TestClock.adjust("10 minutes")
          const [first, last, ...more] = yield* ops.taken
          assert.deepStrictEqual(first, (yield* ops.attempts)[0])
          assert.strictEqual(last?.kind, "resolved")
          assert.deepStrictEqual(more, [])
        })
      )
    })
  )

  it.scoped("is told of what is still open when it is back, and both of its end", () =>
    Effect.gen(function* () {
      const { hook, ops, redis, watching } = yield* setting(refused)
      yield* during(
        watching,
        Effect.gen(function* () {
          yield* TestClock.adjust("10 minutes")
          yield* ops.rescript(FaultyChannel.take)
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(told(yield* ops.taken), ["opened redis"])
          const { state } = yield* Alerting
          assert.deepStrictEqual((yield* state).unreachable, {})
          yield* redis.rescript(up)
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(told(yield* ops.taken), ["opened redis", "resolved redis"])
          assert.deepStrictEqual(told(yield* hook.alerts), [
            "opened redis for ops",
            "resolved redis for ops"
          ])
        })
      )
    })
  )

  it.scoped("that took the beginning gets the end, and its fallback does not", () =>
    Effect.gen(function* () {
      const { hook, ops, redis, watching } = yield* setting(FaultyChannel.take, refused)
      yield* during(
        watching,
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          yield* redis.rescript(up)
          yield* TestClock.adjust("20 minutes")
          yield* ops.rescript(FaultyChannel.take)
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(told(yield* ops.taken), ["opened redis", "resolved redis"])
          assert.deepStrictEqual(yield* hook.alerts, [])
        })
      )
    })
  )

  it.scoped("counts as away by its own numbers, where it has some", () =>
    Effect.gen(function* () {
      const { hook, watching } = yield* setting(refused)
      yield* during(
        {
          ...watching,
          notifier: {
            patienceOf: (channel) =>
              channel === "ops" ? { attempts: 2, after: "10 seconds" } : undefined
          }
        },
        Effect.gen(function* () {
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(told(yield* hook.alerts), ["opened redis for ops"])
        })
      )
    })
  )
})

describe("a channel that does not take this alert", { timeout: 60_000 }, () => {
  it.scoped("is not disabled: its fallback gets this one, and it gets the next", () =>
    Effect.gen(function* () {
      const never = FaultyChannel.fail("Refused")
      const { hook, ops, redis, watching } = yield* setting(never, FaultyChannel.take)
      yield* during(
        watching,
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(told(yield* hook.alerts), ["opened redis for ops"])
          assert.lengthOf(yield* ops.attempts, 1)
          yield* redis.rescript(up)
          yield* TestClock.adjust("2 minutes")
          assert.deepStrictEqual(told(yield* ops.taken), ["resolved redis"])
          assert.deepStrictEqual(told(yield* hook.alerts), [
            "opened redis for ops",
            "resolved redis for ops"
          ])
          const { state } = yield* Alerting
          assert.deepStrictEqual((yield* state).disabled, {})
        })
      )
    })
  )

  it.scoped("has it given up where there is no fallback, with a word in the journal", () =>
    Effect.gen(function* () {
      const { ops, watching } = yield* setting(FaultyChannel.fail("Refused"))
      const routes = [{ severity: "unhealthy", to: ["ops"] } as const]
      yield* during(
        { ...watching, policy: { ...watching.policy, routes } },
        Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          assert.lengthOf(yield* ops.attempts, 1)
          const journal = yield* Journal.Journal
          const given = (yield* journal.decisions({ service: "redis" })).filter(
            (one) => one._tag === "Nothing" && one.reason === "GivenUp"
          )
          assert.lengthOf(given, 1)
        })
      )
    })
  )
})
