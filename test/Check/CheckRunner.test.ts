import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  type Scope,
  TestClock
} from "effect"
import type { CheckFailure } from "../../src/Check/CheckError.js"
import type { RegisteredCheck } from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as CheckPolicy from "../../src/Check/CheckPolicy.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as Secrets from "../../src/Common/Secrets.js"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as scripted from "./scripted.js"

const { check, ok, orphansOf, program, runCheck, runOnce, ScriptedError } = scripted

/** Runs under the virtual clock, which goes on by `by` as soon as the run waits. */
const runFor = (
  by: Duration.DurationInput,
  probe: scripted.Probe | (() => scripted.Probe),
  script: scripted.Script = {}
) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(runOnce(probe, script))
    yield* TestClock.adjust(by)
    return yield* Fiber.join(fiber)
  })

const timedOut = {
  status: "unhealthy",
  reason: "Timeout",
  message: "No answer within 10s"
} as const

/** What a plugin without types can hand to the runner. */
const untyped = (probe: unknown): RegisteredCheck => ({
  name: "untyped",
  type: "untyped",
  label: "untyped",
  policy: CheckPolicy.defaults,
  secrets: Secrets.none,
  probe: probe as Effect.Effect<Outcome.Outcome, CheckFailure, Scope.Scope>,
  statusOf: (error) => (error.reason === "Down" ? "unhealthy" : "degraded")
})

const runUntyped = (probe: unknown) =>
  Effect.provide(
    Effect.flatMap(CheckRunner.CheckRunner, (runner) => runner.run(untyped(probe))),
    CheckRunner.layer()
  )

/** Blocks the event loop, as a synchronous driver does. */
const block = (millis: number) => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

describe("every end of a probe becomes a result", () => {
  it.effect("healthy, with message, details, note, time and response time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2025, 11, 11, 23))
      const probe = Effect.as(
        Effect.sleep("15 millis"),
        Outcome.healthy("Database connection OK", { details: { size_bytes: 3 }, note: "sqlite" })
      )
      const result = yield* runFor("15 millis", probe)
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

describe("the deadline is hard", () => {
  const never: Record<string, scripted.Probe> = {
    "never ends": Effect.never,
    "ignores interruption": Effect.uninterruptible(Effect.never),
    "has a promise that ignores its AbortSignal": Effect.promise(
      () => new Promise<never>(() => {})
    ),
    "has a promise that ignores its AbortSignal, uninterruptibly": Effect.uninterruptible(
      Effect.promise((_signal) => new Promise<never>(() => {}))
    ),
    "answers after its deadline": Effect.as(Effect.sleep("11 seconds"), ok),
    "answers after its deadline and ignores interruption": Effect.uninterruptible(
      Effect.as(Effect.sleep("11 seconds"), ok)
    ),
    "fails after its deadline": Effect.delay(
      Effect.fail(new ScriptedError({ reason: "Denied" })),
      "11 seconds"
    ),
    "answers, but a finalizer hangs": Effect.as(
      Effect.addFinalizer(() => Effect.never),
      ok
    ),
    "hangs in the finalizer of its interruption": Effect.onInterrupt(
      Effect.never,
      () => Effect.never
    )
  }
  for (const [what, probe] of Object.entries(never)) {
    it.effect(`a probe that ${what} is timed out, at its time and not before`, () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(runOnce(probe))
        yield* TestClock.adjust("9999 millis")
        assert.isNull(fiber.unsafePoll())
        yield* TestClock.adjust("1 millis")
        const result = yield* Fiber.join(fiber)
        assert.include(result, timedOut)
        assert.strictEqual(Duration.toMillis(result.responseTime), 10_000)
      })
    )
  }

  it.live("on the wall clock: within 250 ms of the limit, uninterruptible or not", () =>
    Effect.forEach(
      [Effect.never, Effect.uninterruptible(Effect.never)],
      (probe) =>
        Effect.gen(function* () {
          const [took, result] = yield* Effect.timed(runOnce(probe, { timeout: "50 millis" }))
          assert.strictEqual(result.reason, "Timeout")
          assert.isAtLeast(Duration.toMillis(result.responseTime), 49)
          assert.isBelow(Duration.toMillis(took), 300)
        }),
      { concurrency: 2 }
    )
  )

  it.live("a probe that blocks the CPU past its limit: its value comes too late", () =>
    Effect.gen(function* () {
      const probe = Effect.sync(() => {
        block(120)
        return ok
      })
      const [took, result] = yield* Effect.timed(runOnce(probe, { timeout: "40 millis" }))
      assert.strictEqual(result.reason, "Timeout")
      assert.isAtLeast(Duration.toMillis(result.responseTime), 119)
      assert.isBelow(Duration.toMillis(took), 120 + 250)
    })
  )

  it.effect("what answers at the last moment has answered", () =>
    Effect.gen(function* () {
      const result = yield* runFor("10 seconds", Effect.as(Effect.sleep("9999 millis"), ok))
      assert.strictEqual(result.status, "healthy")
    })
  )

  it.effect("the limit holds for the run, retries included", () =>
    Effect.gen(function* () {
      const probe = Effect.delay(Effect.fail(new ScriptedError({ reason: "Down" })), "3 seconds")
      const result = yield* runFor("10 seconds", probe, {
        set: { retry: { times: 9, base: "1 second" } }
      })
      assert.include(result, timedOut)
    })
  )

  it.effect("closing the runner does not wait for a sleeper", () =>
    Effect.gen(function* () {
      // The clock does not move: a sleeper that cannot be interrupted would hang this test.
      yield* runOnce(Effect.succeed(ok))
      yield* runOnce(Effect.succeed(ok), { timeout: "1 minute" })
    })
  )
})

describe("an interruption from outside passes through", () => {
  const probes: ReadonlyArray<readonly [string, scripted.Probe]> = [
    ["interruptible", Effect.never],
    ["uninterruptible", Effect.uninterruptible(Effect.never)],
    ["with a hanging finalizer", Effect.onInterrupt(Effect.never, () => Effect.never)]
  ]
  for (const [what, probe] of probes) {
    it.effect(`at once, from an ${what} probe`, () =>
      Effect.gen(function* () {
        const began = yield* Deferred.make<void>()
        const run = runOnce(Effect.zipRight(Deferred.succeed(began, undefined), probe))
        const fiber = yield* Effect.fork(run)
        yield* Deferred.await(began)
        // The clock stands still: nothing but the interruption can end this.
        const exit = yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
      })
    )
  }

  it.effect("and interrupts the probe", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const probe = Effect.zipRight(Deferred.succeed(began, undefined), Effect.never)
      const watched = Effect.onInterrupt(probe, () => Deferred.succeed(interrupted, undefined))
      const fiber = yield* Effect.fork(runOnce(watched))
      yield* Deferred.await(began)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(interrupted)
    })
  )

  it.effect("at every point of a run: no probe is left running, none is counted for good", () => {
    let open = 0
    const probe = Effect.acquireUseRelease(
      Effect.sync(() => {
        open += 1
      }),
      () => Effect.never,
      () =>
        Effect.sync(() => {
          open -= 1
        })
    )
    return Effect.gen(function* () {
      let met = 0
      for (let steps = 0; steps < 150; steps++) {
        // Yields after every few operations, so that the interruption meets each of them.
        const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(runCheck("it"), 16))
        yield* Effect.repeatN(Effect.yieldNow(), steps)
        if (open > 0) met += 1
        yield* Fiber.interrupt(fiber)
        yield* Effect.repeatN(Effect.yieldNow(), 300)
        assert.strictEqual(open, 0, `probes left when interrupted after ${steps} steps`)
        assert.strictEqual(yield* orphansOf("it"), 0, `counted after ${steps} steps`)
      }
      assert.isTrue(met > 0 && met < 150, `${met} interruptions came while the probe ran`)
    }).pipe(Effect.provide(program(check("it", probe))))
  })

  it.effect("when the whole of runAllChecks is interrupted", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      yield* Effect.yieldNow()
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause))
    }).pipe(
      Effect.provide(
        program(
          Layer.merge(check("a", Effect.never), check("b", Effect.uninterruptible(Effect.never)))
        )
      )
    )
  )
})

describe("fibers that outlive their deadline", () => {
  const leaking = (gate: Deferred.Deferred<void>) =>
    Effect.uninterruptible(Effect.as(Deferred.await(gate), ok))

  it.effect("are counted; after three the check is not started until one ends", () =>
    Effect.gen(function* () {
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let starts = 0
      const probe = () => leaking(gates[starts++ === 0 ? 0 : 1] ?? assert.fail("no gate"))
      const other = check("other", Effect.succeed(ok))
      yield* Effect.gen(function* () {
        const run = Effect.gen(function* () {
          const fiber = yield* Effect.fork(runCheck("it"))
          yield* TestClock.adjust("10 seconds")
          return yield* Fiber.join(fiber)
        })
        for (const leaked of [1, 2, 3]) {
          assert.strictEqual((yield* run).reason, "Timeout")
          assert.strictEqual(yield* orphansOf("it"), leaked)
        }
        const refused = yield* runCheck("it") // the clock stands still: this is at once
        assert.strictEqual(refused.status, "unhealthy")
        assert.strictEqual(refused.reason, "StillRunning")
        assert.strictEqual(
          refused.message,
          "Not started: 3 earlier runs are past their deadline and cannot be stopped"
        )
        assert.strictEqual(starts, 3)
        assert.strictEqual((yield* runCheck("other")).status, "healthy")

        yield* Deferred.succeed(gates[0] ?? assert.fail("no gate"), undefined)
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 2)
        assert.strictEqual((yield* run).reason, "Timeout")
        assert.strictEqual(starts, 4)
        assert.strictEqual((yield* runCheck("it")).reason, "StillRunning")

        yield* Deferred.succeed(gates[1] ?? assert.fail("no gate"), undefined)
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 0)
        assert.strictEqual((yield* runCheck("it")).status, "healthy")
      }).pipe(Effect.provide(program(Layer.merge(check("it", probe), other))))
    })
  )

  it.effect("are not counted when they end on being interrupted", () =>
    Effect.gen(function* () {
      for (let beat = 0; beat < 5; beat++) {
        const fiber = yield* Effect.fork(runCheck("it"))
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).reason, "Timeout")
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 0)
      }
    }).pipe(Effect.provide(program(check("it", Effect.never))))
  )

  it.effect("are counted once, when the deadline and an interruption come together", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(runCheck("it"))
      yield* Effect.repeatN(Effect.yieldNow(), 60)
      // Wakes in the same turn as the deadline, before who waits for the result can go on.
      yield* Effect.fork(Effect.delay(Fiber.interruptFork(fiber), "10 seconds"))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.await(fiber)
      assert.strictEqual(yield* orphansOf("it"), 1)
    }).pipe(Effect.provide(program(check("it", Effect.uninterruptible(Effect.never)))))
  )

  it.effect("are counted after an attempt too", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let starts = 0
      const probe = () => (starts++ < 2 ? leaking(gate) : Effect.succeed(ok))
      const script = {
        attemptTimeout: "1 second",
        set: { retry: { times: 3, base: "100 millis" } }
      } as const
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(runCheck("it"))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).status, "healthy")
        assert.strictEqual(yield* orphansOf("it"), 2)
        yield* Deferred.succeed(gate, undefined)
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        assert.strictEqual(yield* orphansOf("it"), 0)
      }).pipe(Effect.provide(program(check("it", probe, script))))
    })
  )
})

describe("many checks at once", () => {
  const hanging = Effect.uninterruptible(Effect.never)
  const crowd = (timeout: Duration.DurationInput) =>
    Layer.mergeAll(
      check("first", Effect.succeed(ok), { timeout }),
      ...Array.from({ length: 199 }, (_, index) =>
        index % 2 === 0
          ? check(`hanging-${index}`, hanging, { timeout })
          : check(`sound-${index}`, Effect.as(Effect.sleep("10 millis"), ok), { timeout })
      )
    )

  it.effect("200 of which 100 hang: the others are there on time", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      yield* TestClock.adjust("10 millis")
      const early = yield* monitor.statusSummary
      const healthy = Object.values(early.services).filter(({ status }) => status === "healthy")
      assert.strictEqual(healthy.length, 100)
      yield* TestClock.adjust("10 seconds")
      const results = [...(yield* Fiber.join(fiber)).values()]
      assert.strictEqual(results.filter(({ reason }) => reason === "Timeout").length, 100)
      assert.strictEqual(results.filter(({ status }) => status === "healthy").length, 100)
    }).pipe(Effect.provide(program(crowd("10 seconds"))))
  )

  it.live("200 of which 100 hang, on the wall clock", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const [took, results] = yield* Effect.timed(monitor.runAllChecks)
      const reports = [...results.values()]
      const healthy = reports.filter(({ status }) => status === "healthy")
      assert.strictEqual(healthy.length, 100)
      assert.strictEqual(reports.filter(({ reason }) => reason === "Timeout").length, 100)
      assert.isBelow(Duration.toMillis(took), 500 + 250)
      for (const { responseTime } of healthy) assert.isBelow(Duration.toMillis(responseTime), 500)
    }).pipe(Effect.provide(program(crowd("500 millis"))))
  )

  it.effect("with a bound on how many run at once, queueing is not on the clock", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      for (const finished of [2, 4, 5]) {
        yield* TestClock.adjust("9 seconds")
        const { success_counts } = yield* monitor.statusSummary
        assert.strictEqual(
          Object.values(success_counts).reduce((sum, count) => sum + count, 0),
          finished
        )
      }
      const results = [...(yield* Fiber.join(fiber)).values()]
      assert.deepStrictEqual(
        results.map(({ status }) => status),
        ["healthy", "healthy", "healthy", "healthy", "healthy"]
      )
      for (const { responseTime } of results)
        assert.deepStrictEqual(Duration.toMillis(responseTime), 9000)
    }).pipe(
      Effect.provide(
        program(
          Layer.mergeAll(
            check("a", Effect.as(Effect.sleep("9 seconds"), ok)),
            check("b", Effect.as(Effect.sleep("9 seconds"), ok)),
            check("c", Effect.as(Effect.sleep("9 seconds"), ok)),
            check("d", Effect.as(Effect.sleep("9 seconds"), ok)),
            check("e", Effect.as(Effect.sleep("9 seconds"), ok))
          ),
          { concurrency: 2 }
        )
      )
    )
  )

  it.effect("a hanging check gives its turn back at its deadline", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      yield* TestClock.adjust("10 seconds")
      const results = yield* Fiber.join(fiber)
      assert.strictEqual(results.get("hanging")?.reason, "Timeout")
      assert.strictEqual(results.get("sound")?.status, "healthy")
    }).pipe(
      Effect.provide(
        program(Layer.mergeAll(check("hanging", hanging), check("sound", Effect.succeed(ok))), {
          concurrency: 1
        })
      )
    )
  )
})
