import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Effect, TestClock } from "effect"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import { start } from "../Alert/trace.js"
import { Log } from "../Check/beating.js"
import { alerted, planned, within } from "./alerted.js"

/** Beats every five minutes in a day, with the one at its beginning and the one at its end. */
const beats = 289
const count = 20

describe("a virtual day of 20 checks at 5 minutes", () => {
  it.effect("each beat at its time, each outage told once and its end once", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const log = new Log()
      // Each is down for an hour at a time of its own; the last ten together, in the evening.
      const checks = Arr.makeBy(count, (index) => {
        const from = index < 10 ? 10 + index * 15 : 220
        return planned(log, `check${index}`, within([from, from + 11]), { interval: "5 minutes" })
      })
      const ops = yield* RecordingChannel.make("ops")
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("1 day")
        const { heartbeat, overallStatus } = yield* HealthMonitor
        const { lostEvents, stale } = yield* Effect.flatten(heartbeat)
        assert.strictEqual(lostEvents, 0)
        assert.deepStrictEqual(stale, [])
        assert.strictEqual(yield* overallStatus, "healthy")
        const journal = yield* Journal.Journal
        assert.lengthOf(yield* journal.results({ limit: 10_000 }), count * beats)
        const incidents = yield* journal.incidents({})
        assert.lengthOf(incidents, count)
        assert.isTrue(incidents.every(({ ended_at }) => ended_at !== null))
      }).pipe(Effect.provide(alerted({ checks, channels: [ops.layer] })))
      const due = Arr.makeBy(beats, (beat) => start / 1000 + beat * 300)
      for (const { check } of checks) assert.deepStrictEqual(log.entries.get(check.name), due)
      const alerts = yield* ops.alerts
      const of = (kind: string) => alerts.filter((alert) => alert.kind === kind)
      // Ten outages alone, and one message for the ten that began together.
      assert.lengthOf(of("opened"), 11)
      assert.lengthOf(of("resolved"), 11)
      // Known after ten minutes of an hour and five: one after a quarter of an hour.
      assert.lengthOf(of("reminder"), 11)
      assert.lengthOf(alerts, 33)
    })
  )
})
