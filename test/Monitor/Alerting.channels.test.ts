import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Layer, Option, Stream, TestClock } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import { AlertChannelError } from "../../src/Alert/AlertChannelError.js"
import { ChannelRegistry, type RegisteredChannel } from "../../src/Alert/ChannelRegistry.js"
import { Outbox } from "../../src/Alert/Outbox.js"
import { Alerting } from "../../src/Monitor/Alerting.js"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as RecordingChannel from "../../src/testing/RecordingChannel.js"
import { minutes, start } from "../Alert/trace.js"
import { Log } from "../Check/beating.js"
import { alerted, planned, show, within } from "./alerted.js"

/** A channel that does as it is told with each attempt, and what it has taken. */
const channel = (
  name: string,
  attempt: (take: Effect.Effect<void>, count: number) => Effect.Effect<void, AlertChannelError>
) => {
  const taken: Array<Alert> = []
  let count = 0
  const registered: RegisteredChannel = {
    name,
    type: "test",
    timeout: Duration.seconds(10),
    collapses: true,
    send: (alert) =>
      Effect.suspend(() =>
        attempt(
          Effect.sync(() => void taken.push(alert)),
          ++count
        )
      )
  }
  const layer = Layer.scopedDiscard(
    Effect.flatMap(ChannelRegistry, ({ register }) => register(registered))
  )
  return { taken, layer }
}

const refused = Effect.fail(
  new AlertChannelError({ reason: "Transient", channel: "ops", problem: "it answered 500" })
)

const troubles = {
  "hangs for an hour": (take: Effect.Effect<void>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now < start + minutes(60) ? Effect.never : take
    ),
  "hangs for an hour and does not heed an interruption": (take: Effect.Effect<void>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now < start + minutes(60) ? Effect.uninterruptible(Effect.never) : take
    ),
  "refuses for an hour": (take: Effect.Effect<void>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => (now < start + minutes(60) ? refused : take)),
  "answers 500 every second time": (take: Effect.Effect<void>, count: number) =>
    count % 2 === 1 ? refused : take,
  "takes what it answers 500 to, every second time": (take: Effect.Effect<void>, count: number) =>
    count % 2 === 1 ? Effect.zipRight(take, refused) : take,
  "is slow": (take: Effect.Effect<void>) => Effect.delay(take, "9 seconds")
}

const minutely = { interval: "1 minute" } as const

/** The last word on each incident. */
const lastWords = (alerts: ReadonlyArray<Alert>): ReadonlyMap<string, boolean> =>
  new Map(
    alerts.flatMap(({ subjects }) =>
      subjects.map(({ incident, over }) => [incident, over] as const)
    )
  )

describe("a channel in trouble delays no beat and no other channel, and gets all that is owed", {
  timeout: 120_000
}, () => {
  for (const [trouble, attempt] of Object.entries(troubles)) {
    it.effect(trouble, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(start)
        const log = new Log()
        const redis = planned(log, "redis", within([3, 8], [35, 45], [100, 110]), minutely)
        const web = planned(log, "web", within([40, 60]), minutely)
        const ops = channel("ops", attempt)
        const other = yield* RecordingChannel.make("other")
        const routes = [{ severity: "unhealthy", to: ["ops", "other"] }] as const
        yield* Effect.gen(function* () {
          yield* TestClock.adjust("5 minutes")
          // The first outage was told to the other channel at its time.
          assert.deepStrictEqual(show(yield* other.alerts), ["opened redis"])
          yield* TestClock.adjust("2 hours")
          const { heartbeat } = yield* HealthMonitor
          const beats = [...(yield* Effect.flatten(heartbeat)).beats.values()]
          assert.deepStrictEqual(
            beats.map(({ skipped }) => skipped),
            [0, 0]
          )
        }).pipe(
          Effect.provide(
            alerted({
              checks: [redis, web],
              channels: [ops.layer, other.layer],
              policy: { routes }
            })
          )
        )
        const due = Array.from({ length: 126 }, (_, beat) => start / 1000 + beat * 60)
        assert.deepStrictEqual(log.entries.get("redis"), due)
        assert.deepStrictEqual(log.entries.get("web"), due)
        const told = lastWords(yield* other.alerts)
        assert.strictEqual(told.size, 4)
        assert.isTrue([...told.values()].every((over) => over))
        assert.deepStrictEqual(lastWords(ops.taken), told)
      })
    )
  }

  it.effect("decisions of the start are told to who listens first, and no old ones", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const redis = planned(new Log(), "redis", within([2, 1000]))
      const ops = channel("ops", () => Effect.void)
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("5 minutes")
        const { decisions } = yield* Alerting
        const heard: Array<string> = []
        const listen = Stream.runForEach(decisions, ({ rule }) =>
          Effect.sync(() => heard.push(rule))
        )
        yield* Effect.fork(listen)
        // redis went down minutes ago: that is no news to who asks only now.
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(heard, ["start"])
        const second = yield* Effect.fork(Stream.runHead(decisions))
        yield* TestClock.adjust("1 minute")
        assert.isTrue(Option.isNone(yield* Fiber.poll(second)))
      }).pipe(Effect.provide(alerted({ checks: [redis], channels: [ops.layer] })))
    })
  )

  it.effect("and what it did not take by the end is told to whoever shuts down, and kept", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const redis = planned(new Log(), "redis", within([2, 1000]))
      const ops = channel("ops", () => Effect.never)
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("5 minutes")
        const { flush } = yield* Alerting
        const owed = yield* Effect.fork(flush("5 seconds"))
        yield* TestClock.adjust("5 seconds")
        const left = yield* owed
        assert.deepStrictEqual(show(left), ["opened redis"])
        const { pending } = yield* Outbox
        // It was tried, and may have arrived.
        assert.deepStrictEqual(
          yield* pending,
          left.map((one) => ({ ...one, attempt: one.key }))
        )
      }).pipe(Effect.provide(alerted({ checks: [redis], channels: [ops.layer] })))
    })
  )
})
