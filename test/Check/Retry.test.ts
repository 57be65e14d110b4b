import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Ref, Schedule, Schema, TestClock } from "effect"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as CheckPolicy from "../../src/Check/CheckPolicy.js"
import * as Check from "../../src/Check/Check.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as scripted from "./scripted.js"

const { check, ok, program, runCheck, ScriptedError } = scripted

const down = new ScriptedError({ reason: "Down" })
const denied = new ScriptedError({ reason: "Denied" })

/** When each attempt started, and what came out, when the clock goes on for a minute. */
const attemptsOf = (answers: ReadonlyArray<scripted.Probe>, script: scripted.Script) =>
  Effect.gen(function* () {
    const starts = yield* Ref.make<ReadonlyArray<number>>([])
    const clock = yield* Effect.clock
    const began = clock.unsafeCurrentTimeMillis()
    const probe = Effect.flatMap(
      Ref.getAndUpdate(starts, (all) => [...all, clock.unsafeCurrentTimeMillis() - began]),
      (before) => answers[Math.min(before.length, answers.length - 1)] ?? Effect.die("no answer")
    )
    const run = Effect.provide(runCheck("it"), program(check("it", probe, script)))
    const fiber = yield* Effect.fork(run)
    yield* TestClock.adjust("1 minute")
    return { result: yield* Fiber.join(fiber), at: yield* Ref.get(starts) }
  })

const fixed: CheckPolicy.Retry<scripted.ScriptedError> = {
  schedule: Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(3)),
  while: (error) => error.isRetryable
}

describe("retries", () => {
  it.effect("what is retryable is asked again, by the schedule", () =>
    Effect.gen(function* () {
      const { at, result } = yield* attemptsOf(
        [Effect.fail(down), Effect.fail(down), Effect.succeed(ok)],
        {
          retry: fixed
        }
      )
      assert.deepStrictEqual(at, [0, 100, 200])
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(Duration.toMillis(result.responseTime), 200)
    })
  )

  it.effect("when the schedule ends, the last failure stands", () =>
    Effect.gen(function* () {
      const last = new ScriptedError({ reason: "Busy" })
      const { at, result } = yield* attemptsOf(
        [Effect.fail(down), Effect.fail(down), Effect.fail(down), Effect.fail(last)],
        { retry: fixed }
      )
      assert.deepStrictEqual(at, [0, 100, 200, 300])
      assert.strictEqual(result.reason, "Busy")
    })
  )

  const final: ReadonlyArray<readonly [string, scripted.Probe, string]> = [
    ["a failure that is not retryable", Effect.fail(denied), "Denied"],
    ["a crash", Effect.die("dead"), "Crashed"],
    ["an interruption of the probe by itself", Effect.interrupt, "Interrupted"]
  ]
  for (const [what, probe, reason] of final) {
    it.effect(`${what} is not asked again`, () =>
      Effect.gen(function* () {
        const first = yield* attemptsOf([probe, Effect.succeed(ok)], { retry: fixed })
        assert.deepStrictEqual(first.at, [0])
        assert.strictEqual(first.result.reason, reason)
        const second = yield* attemptsOf([Effect.fail(down), probe, Effect.succeed(ok)], {
          retry: fixed
        })
        assert.deepStrictEqual(second.at, [0, 100])
        assert.strictEqual(second.result.reason, reason)
      })
    )
  }

  it.effect("a degraded answer is an answer", () =>
    Effect.gen(function* () {
      const { at, result } = yield* attemptsOf([Effect.succeed(Outcome.degraded("slow"))], {
        retry: fixed
      })
      assert.deepStrictEqual(at, [0])
      assert.strictEqual(result.status, "degraded")
    })
  )

  it.effect("without a retry a failure stands", () =>
    Effect.gen(function* () {
      const { at } = yield* attemptsOf([Effect.fail(down), Effect.succeed(ok)], {})
      assert.deepStrictEqual(at, [0])
    })
  )

  it.effect("no attempt starts after the run's limit", () =>
    Effect.gen(function* () {
      const { at, result } = yield* attemptsOf([Effect.fail(down)], {
        retry: { schedule: Schedule.spaced("400 millis"), while: () => true },
        timeout: "1 second"
      })
      assert.deepStrictEqual(at, [0, 400, 800])
      assert.strictEqual(result.reason, "Timeout")
      assert.strictEqual(Duration.toMillis(result.responseTime), 1000)
    })
  )

  it.effect("a configuration's retry: doubled from base, what the check calls retryable", () =>
    Effect.gen(function* () {
      const set = { retry: { times: 3, base: "500 millis" } } as const
      const some = yield* attemptsOf([Effect.fail(down)], { set })
      assert.deepStrictEqual(some.at, [0, 500, 1500, 3500])
      assert.strictEqual(some.result.reason, "Down")
      const none = yield* attemptsOf([Effect.fail(denied)], { set })
      assert.deepStrictEqual(none.at, [0])
    })
  )

  it.effect("a configuration's retry goes by the check's own judgement where it has one", () =>
    Effect.gen(function* () {
      const retry = {
        ...fixed,
        while: (error: scripted.ScriptedError) => error.reason === "Denied"
      }
      const set = { retry: { times: 1, base: "1 second" } } as const
      assert.deepStrictEqual(
        (yield* attemptsOf([Effect.fail(denied)], { retry, set })).at,
        [0, 1000]
      )
      assert.deepStrictEqual((yield* attemptsOf([Effect.fail(down)], { retry, set })).at, [0])
    })
  )

  it.effect("a configuration turns retries off with 0 times", () =>
    Effect.gen(function* () {
      const { at } = yield* attemptsOf([Effect.fail(down)], {
        retry: fixed,
        set: { retry: { times: 0, base: "1 second" } }
      })
      assert.deepStrictEqual(at, [0])
    })
  )

  it("a configuration file writes retry: { times, base }, base 500 millis by default", () => {
    const decode = Schema.decodeUnknownSync(CheckPolicy.Settings)
    assert.deepStrictEqual(decode({ retry: { times: 2 } }).retry, { times: 2, base: "500 millis" })
    const { retry } = decode({ retry: { times: 2, base: "1 second" } })
    assert.strictEqual(Duration.toMillis(retry?.base ?? 0), 1000)
    for (const wrong of [
      { times: -1 },
      { times: 1.5 },
      { base: "1 second" },
      { times: 1, base: 5 }
    ]) {
      assert.throws(() => decode({ retry: wrong }))
    }
  })
})

describe("attemptTimeout", () => {
  for (const [what, hanging] of [
    ["hangs", Effect.never],
    ["hangs and ignores interruption", Effect.uninterruptible(Effect.never)]
  ] as const) {
    it.effect(`an attempt that ${what} is given up and asked again`, () =>
      Effect.gen(function* () {
        const { at, result } = yield* attemptsOf([hanging, Effect.succeed(ok)], {
          attemptTimeout: "2 seconds",
          retry: fixed
        })
        assert.deepStrictEqual(at, [0, 2100])
        assert.strictEqual(result.status, "healthy")
      })
    )
  }

  it.effect("an attempt that is given up fails with the attempt's limit", () =>
    Effect.gen(function* () {
      const { at, result } = yield* attemptsOf([Effect.never], { attemptTimeout: "2 seconds" })
      assert.deepStrictEqual(at, [0])
      assert.strictEqual(result.reason, "Timeout")
      assert.strictEqual(result.message, "No answer within 2s")
    })
  )

  it.effect("each attempt closes its scope before the next begins", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const probe = Effect.zipRight(
        Effect.acquireRelease(
          Effect.sync(() => events.push("open")),
          () => Effect.sync(() => events.push("close"))
        ),
        Effect.suspend(() => (events.length < 4 ? Effect.fail(down) : Effect.succeed(ok)))
      )
      const run = Effect.provide(runCheck("it"), program(check("it", probe, { retry: fixed })))
      const fiber = yield* Effect.fork(run)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(events, ["open", "close", "open", "close", "open", "close"])
    })
  )

  it.effect("a check's own judgement is asked about its own errors only", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const Picky = Check.make("picky", {
        description: "Retries everything it is asked about",
        config: { note: ConfigField.withDefault(Schema.String, "") },
        error: ScriptedError,
        attemptTimeout: "1 second",
        retry: {
          schedule: Schedule.recurs(1),
          while: (error) => {
            seen.push(error)
            return true
          }
        },
        probe: () => Effect.never,
        services: () => Layer.empty
      })
      const layer = program(
        Layer.merge(Picky.layer({}), Picky.layerNotConfigured({ name: "absent" }))
      )
      const fiber = yield* Effect.fork(
        Effect.provide(Effect.zip(runCheck("picky"), runCheck("absent")), layer)
      )
      yield* TestClock.adjust("5 seconds")
      const [hanging, absent] = yield* Fiber.join(fiber)
      assert.strictEqual(hanging.reason, "Timeout")
      assert.strictEqual(absent.status, "unknown")
      assert.isEmpty(seen)
    })
  )
})
