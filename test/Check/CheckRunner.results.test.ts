import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, TestClock } from "effect"
import type { CheckFailure } from "../../src/Check/CheckError.js"
import * as CheckPolicy from "../../src/Check/CheckPolicy.js"
import type { RegisteredCheck } from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as Secrets from "../../src/Common/Secrets.js"
import * as scripted from "./scripted.js"

const { ok, runFor, runOnce, ScriptedError } = scripted

/** What a plugin without types can hand to the runner. */
const untyped = (probe: unknown): RegisteredCheck => ({
  name: "untyped",
  type: "untyped",
  label: "untyped",
  policy: CheckPolicy.defaults,
  secrets: Secrets.none,
  probe: probe as Effect.Effect<Outcome.Outcome, CheckFailure>,
  statusOf: (error) => (error.reason === "Down" ? "unhealthy" : "degraded")
})

const runUntyped = (probe: unknown) =>
  Effect.provide(
    Effect.flatMap(CheckRunner.CheckRunner, (runner) => runner.run(untyped(probe))),
    CheckRunner.layer()
  )

describe("every end of a probe becomes a result", () => {
  it.effect("healthy, with message, details, note, time and response time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2025, 11, 11, 23))
      const asked = yield* Deferred.make<void>()
      const answered = yield* Deferred.make<Outcome.Outcome>()
      const probe = Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(answered))
      const fiber = yield* Effect.fork(runOnce(probe))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("15 millis")
      yield* Deferred.succeed(
        answered,
        Outcome.healthy("Database connection OK", { details: { size_bytes: 3 }, note: "sqlite" })
      )
      const result = yield* Fiber.join(fiber)
      assert.strictEqual(result.service, "it")
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(result.message, "Database connection OK")
      assert.strictEqual(result.note, "sqlite")
      assert.deepStrictEqual(result.details, { size_bytes: 3 })
      assert.strictEqual(Duration.toMillis(result.responseTime), 15)
      assert.strictEqual(result.lastCheck.epochMillis, Date.UTC(2025, 11, 11, 23) + 15)
      assert.strictEqual(result.reason, undefined)
    })
  )

  it.effect("degraded", () =>
    Effect.gen(function* () {
      const result = yield* runOnce(Effect.succeed(Outcome.degraded("slow")))
      assert.strictEqual(result.status, "degraded")
      assert.strictEqual(result.message, "slow")
    })
  )

  it.effect("a typed failure: its message, reason and details; unhealthy unless mapped", () =>
    Effect.gen(function* () {
      const statuses = { Busy: "degraded", Absent: "unknown", Denied: "unhealthy" } as const
      const expected = [
        ["Busy", "degraded"],
        ["Absent", "unknown"],
        ["Denied", "unhealthy"],
        ["Down", "unhealthy"]
      ] as const
      for (const [reason, status] of expected) {
        const probe = Effect.fail(new ScriptedError({ reason, text: `it is ${reason}` }))
        const result = yield* runOnce(probe, { statuses })
        assert.strictEqual(result.status, status)
        assert.strictEqual(result.reason, reason)
        assert.strictEqual(result.message, `it is ${reason}`)
      }
    })
  )

  it.effect("a failure that carries details and a time to wait keeps them", () =>
    Effect.gen(function* () {
      const error: CheckFailure = {
        _tag: "Limited",
        reason: "RateLimited",
        message: "429",
        details: { limit_per_minute: 5 },
        retryAfter: Duration.seconds(7)
      }
      const result = yield* runUntyped(Effect.fail(error))
      assert.strictEqual(result.status, "degraded")
      assert.deepStrictEqual(result.details, { limit_per_minute: 5 })
      assert.deepStrictEqual(result.retryAfter, Duration.seconds(7))
    })
  )

  const crashes: ReadonlyArray<readonly [string, () => scripted.Probe, string]> = [
    [
      "throws before it returns an Effect",
      () => {
        throw new Error("thrown early")
      },
      "The probe crashed: thrown early"
    ],
    [
      "throws inside",
      () => Effect.sync((): Outcome.Outcome => JSON.parse("{") as Outcome.Outcome),
      "The probe crashed: "
    ],
    ["dies with an Error", () => Effect.die(new Error("dead")), "The probe crashed: dead"],
    ["dies with a text", () => Effect.die("dead"), "The probe crashed: dead"],
    ["dies with nothing", () => Effect.die(undefined), "The probe crashed: undefined"],
    [
      "dies with an object without a text",
      () => Effect.die(Object.create(null)),
      "The probe crashed: something that has no text"
    ],
    [
      "has a promise that rejects",
      () => Effect.promise(() => Promise.reject(new Error("late"))),
      ""
    ],
    [
      "has a finalizer that dies",
      () =>
        Effect.as(
          Effect.addFinalizer(() => Effect.die("finalizer")),
          ok
        ),
      "The probe crashed: finalizer"
    ]
  ]
  for (const [what, probe, message] of crashes) {
    it.effect(`a probe that ${what} crashed`, () =>
      Effect.gen(function* () {
        const result = yield* runOnce(probe)
        assert.strictEqual(result.status, "unhealthy")
        assert.strictEqual(result.reason, "Crashed")
        assert.isTrue(result.message.startsWith(message), result.message)
      })
    )
  }

  const unreadable: ReadonlyArray<readonly [string, unknown]> = [
    ["answers nothing", Effect.void],
    ["answers a text", Effect.succeed("fine")],
    ["fails with nothing", Effect.fail(undefined)],
    ["fails with a text", Effect.fail("down")],
    [
      "fails with an error whose message throws",
      Effect.fail({
        _tag: "Bad",
        reason: "Down",
        get message(): string {
          throw new Error("no message")
        }
      })
    ]
  ]
  for (const [what, probe] of unreadable) {
    it.effect(`a probe without types that ${what} crashed`, () =>
      Effect.gen(function* () {
        const result = yield* runUntyped(probe)
        assert.strictEqual(result.status, "unhealthy")
        assert.strictEqual(result.reason, "Crashed")
      })
    )
  }

  it.effect("a probe that interrupts itself, or whose fiber is interrupted from within", () =>
    Effect.gen(function* () {
      const child = Effect.flatMap(Effect.fork(Effect.never), (fiber) =>
        Effect.zipRight(Fiber.interrupt(fiber), Fiber.join(fiber))
      )
      for (const probe of [Effect.interrupt, child]) {
        const result = yield* runOnce(probe)
        assert.strictEqual(result.status, "unhealthy")
        assert.strictEqual(result.reason, "Interrupted")
        assert.strictEqual(result.message, "The probe interrupted itself")
      }
    })
  )

  it.effect("the scope of a run closes when the run ends, however it ends", () =>
    Effect.gen(function* () {
      const ends: ReadonlyArray<scripted.Probe> = [
        Effect.succeed(ok),
        Effect.fail(new ScriptedError({ reason: "Down" })),
        Effect.die("dead"),
        Effect.interrupt,
        Effect.never
      ]
      let closed = 0
      for (const end of ends) {
        const probe = Effect.zipRight(
          Effect.addFinalizer(() => Effect.sync(() => closed++)),
          end
        )
        yield* runFor("10 seconds", probe)
      }
      assert.strictEqual(closed, ends.length)
    })
  )
})
