import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"
import { EventLoop } from "../../src/plugins/EventLoop.js"
import * as EventLoopMonitor from "../../src/plugins/EventLoop/EventLoopMonitor.js"
import { runOnly, services } from "./run.js"

const calm: EventLoopMonitor.Figures = {
  window: Duration.seconds(30),
  samples: 1400,
  delayP99: Duration.millis(3),
  delayMax: Duration.millis(12),
  busyPercent: 7
}

const judge = (
  figures: Partial<EventLoopMonitor.Figures>,
  config: Parameters<typeof EventLoop.layer>[0] = {}
) =>
  runOnly.pipe(
    Effect.provide(Layer.provideMerge(EventLoop.layer(config), services)),
    Effect.provideService(EventLoopMonitor.EventLoopMonitor, {
      read: Effect.succeed({ ...calm, ...figures })
    })
  )

describe("EventLoop, with given figures", () => {
  it.effect("says how late timers fire and how busy it is", () =>
    Effect.gen(function* () {
      const result = yield* judge({})
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(
        result.message,
        "Event loop keeps up: 3 ms late (p99), busy 7 % of the time"
      )
      assert.deepStrictEqual(result.details, {
        delay_p99_ms: 3,
        delay_max_ms: 12,
        busy_percent: 7,
        samples: 1400,
        window_ms: 30_000
      })
    })
  )

  const late = (millis: number) => ({ delayP99: Duration.millis(millis) })
  for (const [name, figures, config, status, reason] of [
    ["100 ms late", late(100), {}, "healthy", undefined],
    ["101 ms late", late(101), {}, "degraded", undefined],
    ["1 s late", late(1000), {}, "degraded", undefined],
    ["1.001 s late", late(1001), {}, "unhealthy", "Blocked"],
    ["101 ms late where 200 are fine", late(101), { maxDelay: "200 millis" }, "healthy", undefined],
    [
      "31 ms late where 30 are critical",
      late(31),
      { criticalDelay: "30 millis" },
      "unhealthy",
      "Blocked"
    ],
    ["97.9 % busy", { busyPercent: 97.9 }, {}, "healthy", undefined],
    ["98 % busy", { busyPercent: 98 }, {}, "degraded", undefined],
    [
      "60 % busy where 50 are too much",
      { busyPercent: 60 },
      { maxBusyPercent: 50 },
      "degraded",
      undefined
    ],
    ["one long pause in a quiet time", { delayMax: Duration.seconds(2) }, {}, "healthy", undefined]
  ] as const) {
    it.effect(`${name}: ${status}`, () =>
      Effect.gen(function* () {
        const result = yield* judge(figures, config)
        assert.strictEqual(result.status, status)
        assert.strictEqual(result.reason, reason)
        assert.property(result.details, "delay_p99_ms", "a failure keeps its details")
      })
    )
  }

  it.effect("says that it saw too little instead of judging a start", () =>
    Effect.gen(function* () {
      const start = { ...late(900), window: Duration.millis(950), samples: 1, busyPercent: 100 }
      const result = yield* judge(start)
      assert.strictEqual(result.status, "healthy")
      assert.include(result.message, "not watched long enough")
    })
  )

  it("belongs to liveness", () => {
    assert.strictEqual(EventLoop.policy.group, "liveness")
  })
})

/** Lets timers that are due fire. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const block = (millis: number) =>
  Effect.sync(() => {
    const end = performance.now() + millis
    while (performance.now() < end);
  })

/** The histogram counts from its second tick, so it must have ticked before a pause can be seen. */
const ticking = Effect.repeat(Effect.zipRight(block(25), turn), { times: 3 })

describe("EventLoop, of this process", () => {
  const standalone = Layer.provideMerge(EventLoop.layerStandalone({}), services)

  it.live("the first run right after the start does not judge", () =>
    Effect.gen(function* () {
      const result = yield* runOnly
      assert.strictEqual(result.status, "healthy")
    }).pipe(Effect.provide(standalone))
  )

  it.live("a blocked loop is unhealthy, and each run judges only the time since the last", () =>
    Effect.gen(function* () {
      yield* ticking
      yield* block(1200)
      yield* turn
      const blocked = yield* runOnly
      assert.strictEqual(blocked.status, "unhealthy")
      assert.strictEqual(blocked.reason, "Blocked")
      assert.approximately(Number(blocked.details.delay_p99_ms), 1200, 150)
      assert.isAbove(Number(blocked.details.busy_percent), 90)

      const after = yield* runOnly
      assert.strictEqual(after.status, "healthy")
      assert.isBelow(Number(after.details.window_ms), 1000)
      assert.isBelow(Number(after.details.delay_max_ms), 1000)
    }).pipe(Effect.provide(standalone))
  )

  it.scopedLive("takes the period of the measuring timer off the delay", () =>
    Effect.gen(function* () {
      const monitor = yield* EventLoopMonitor.EventLoopMonitor
      const raw = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const histogram = monitorEventLoopDelay({ resolution: 20 })
          histogram.enable()
          return histogram
        }),
        (histogram) => Effect.sync(() => histogram.disable())
      )
      yield* monitor.read
      yield* ticking
      yield* block(300)
      yield* turn
      const figures = yield* monitor.read
      assert.approximately(Duration.toMillis(figures.delayMax), raw.max / 1e6 - 20, 5)
    }).pipe(Effect.provide(EventLoopMonitor.layer))
  )
})
