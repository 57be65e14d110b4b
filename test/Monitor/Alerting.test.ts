import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import { alerted } from "./alerted.js"

const show = (alerts: ReadonlyArray<Alert>) =>
  alerts.map(({ kind, subjects }) => `${kind} ${subjects.map(({ service }) => service).join("+")}`)

const down = ScriptedCheck.fail("Down")
const up = ScriptedCheck.healthy()

describe("Alerting", () => {
  it.effect("tells of an outage once, and of its end once", () =>
    Effect.gen(function* () {
      const redis = yield* ScriptedCheck.make([up, down], { name: "redis" })
      const ops = yield* RecordingChannel.make("ops")
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis"])
        yield* redis.rescript(up)
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(show(yield* ops.alerts), ["opened redis", "resolved redis"])
      }).pipe(Effect.provide(alerted({ checks: [redis], channels: [ops.layer] })))
    })
  )
})
