import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import { hours, minutes, start } from "../Alert/trace.js"
import { bentClock, Log } from "../Check/beating.js"
import { alerted, planned, show, within } from "./alerted.js"

const beats = Effect.flatMap(HealthMonitor.HealthMonitor, ({ heartbeat }) =>
  Effect.map(Effect.flatten(heartbeat), (report) => report.beats.get("redis"))
)

describe("a clock that is set", () => {
  for (const [how, by] of [
    ["forward a day", hours(24)],
    ["back an hour", -hours(1)]
  ] as const) {
    it.effect(`${how}: no beat, and no message but those that are true`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const { clock, setTimeOfDayBy } = yield* bentClock
        const log = new Log()
        // Down from the 41st beat on, long after the clock was set; and `web` all the time.
        const redis = planned(log, "redis", within([41, 60]))
        const web = planned(log, "web", within([2, 1000]))
        const ops = yield* RecordingChannel.make("ops")
        yield* Effect.gen(function* () {
          yield* TestClock.adjust("10 minutes")
          assert.deepStrictEqual(show(yield* ops.alerts), ["opened web"])
          yield* setTimeOfDayBy(by)
          yield* TestClock.adjust("4 minutes")
          assert.lengthOf(log.entries.get("redis") ?? [], 29)
          const told = show(yield* ops.alerts)
          // A day later the reminder is due; an hour earlier nothing is.
          assert.deepStrictEqual(told, by > 0 ? ["opened web", "reminder web"] : ["opened web"])
          yield* TestClock.adjust("20 minutes")
          const redisOnly = show(yield* ops.alerts).filter((line) => line.endsWith("redis"))
          assert.deepStrictEqual(redisOnly, ["opened redis", "resolved redis"])
          assert.strictEqual((yield* beats)?.skipped, 0)
        }).pipe(
          Effect.provide(alerted({ checks: [redis, web], channels: [ops.layer] })),
          Effect.withClock(clock)
        )
      })
    )
  }

  it.effect("back an hour: reminders come after the time that really passed", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { clock, setTimeOfDayBy } = yield* bentClock
      const web = planned(new Log(), "web", within([2, 1000]))
      const ops = yield* RecordingChannel.make("ops")
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("5 minutes")
        yield* setTimeOfDayBy(-hours(1))
        // Told after 100 seconds; the clock of the policy may have stood still for one beat.
        yield* TestClock.adjust("11 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened web"])
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened web", "reminder web"])
      }).pipe(
        Effect.provide(alerted({ checks: [web], channels: [ops.layer] })),
        Effect.withClock(clock)
      )
    })
  )
})

describe("a machine that sleeps for an hour", () => {
  it.effect("wakes up with one late beat, and nothing to tell", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { clock, sleepFor } = yield* bentClock
      const log = new Log()
      const checks = Array.from({ length: 20 }, (_, index) =>
        planned(log, `check${index}`, () => false)
      )
      const ops = yield* RecordingChannel.make("ops")
      yield* Effect.gen(function* () {
        yield* TestClock.adjust(minutes(10) + 1000)
        yield* sleepFor(hours(1))
        yield* TestClock.adjust("30 seconds")
        for (const { check } of checks) {
          const seconds = (log.entries.get(check.name) ?? []).map((at) => at - start / 1000)
          const awake = seconds.filter((at) => at > 600)
          // The beat that was due at 630 came when the machine woke, at 4230, for all that it missed.
          assert.isAtMost(awake.length, 2, awake.join())
          assert.isAtLeast(awake.length, 1)
        }
        yield* TestClock.adjust("20 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), [])
      }).pipe(Effect.provide(alerted({ checks, channels: [ops.layer] })), Effect.withClock(clock))
    })
  )

  it.effect("what is down before and after is not told again, and what is back is told", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { clock, sleepFor } = yield* bentClock
      const log = new Log()
      const redis = planned(log, "redis", within([2, 24]))
      const web = planned(log, "web", within([2, 1000]))
      const ops = yield* RecordingChannel.make("ops")
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened web+redis"])
        yield* sleepFor(hours(1))
        yield* TestClock.adjust("8 minutes")
        // Nobody was reminded while nobody knew; then once of both.
        assert.deepStrictEqual(show(yield* ops.alerts), [
          "opened web+redis",
          "reminder web+redis",
          "resolved redis"
        ])
      }).pipe(
        Effect.provide(alerted({ checks: [redis, web], channels: [ops.layer] })),
        Effect.withClock(clock)
      )
    })
  )
})
