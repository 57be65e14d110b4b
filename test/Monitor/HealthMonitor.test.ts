import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Queue, Ref, Schema, TestClock } from "effect"
import { CheckRegistry } from "../../src/Check/CheckRegistry.js"
import * as CheckRegistryModule from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import type { Status } from "../../src/Check/CheckResult.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import * as StatusSummary from "../../src/Monitor/StatusSummary.js"
import * as scripted from "../Check/scripted.js"

const { check, ok, program, ScriptedError } = scripted

const answering = (status: Status): scripted.Probe => {
  switch (status) {
    case "healthy":
      return Effect.succeed(ok)
    case "degraded":
      return Effect.succeed(Outcome.degraded("slow"))
    case "unhealthy":
      return Effect.fail(new ScriptedError({ reason: "Down" }))
    case "unknown":
      return Effect.fail(new ScriptedError({ reason: "Absent" }))
  }
}

const statuses = { Absent: "unknown" } as const

/** Checks that answer so, by name; a name with `?` is not critical. */
const checks = (all: Record<string, Status | scripted.Probe>) =>
  Object.entries(all)
    .map(([name, answer]) =>
      check(name, typeof answer === "string" ? answering(answer) : answer, {
        statuses,
        critical: !name.endsWith("?")
      })
    )
    .reduce((before, next) => Layer.provideMerge(next, before))

const monitored = (all: Record<string, Status | scripted.Probe>) =>
  Effect.provide(program(checks(all)))

describe("overallStatus", () => {
  const cases: ReadonlyArray<readonly [Record<string, Status>, Status]> = [
    [{ a: "healthy", b: "healthy" }, "healthy"],
    [{ a: "healthy", b: "degraded" }, "degraded"],
    [{ a: "degraded", b: "unhealthy" }, "unhealthy"],
    [{ a: "healthy", b: "unknown" }, "healthy"],
    [{ a: "unknown", b: "unknown" }, "unknown"],
    [{ a: "healthy", "b?": "unhealthy" }, "degraded"],
    [{ a: "healthy", "b?": "degraded" }, "degraded"],
    [{ a: "unhealthy", "b?": "unhealthy" }, "unhealthy"]
  ]
  for (const [all, expected] of cases) {
    it.effect(`${JSON.stringify(all)} is ${expected}`, () =>
      Effect.gen(function* () {
        const monitor = yield* HealthMonitor.HealthMonitor
        assert.strictEqual(yield* monitor.overallStatus, "unknown")
        yield* monitor.runAllChecks
        assert.strictEqual(yield* monitor.overallStatus, expected)
        assert.strictEqual((yield* monitor.statusSummary).overall_status, expected)
      }).pipe(monitored(all))
    )
  }

  it.effect("is read from the last results and runs nothing", () =>
    Effect.gen(function* () {
      const runs = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        const monitor = yield* HealthMonitor.HealthMonitor
        yield* monitor.runAllChecks
        yield* Effect.all([monitor.overallStatus, monitor.statusSummary])
        assert.strictEqual(yield* Ref.get(runs), 1)
      }).pipe(
        monitored({
          a: Effect.as(
            Ref.update(runs, (count) => count + 1),
            ok
          )
        })
      )
    })
  )

  it.effect("of no checks at all is unknown", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      assert.strictEqual((yield* monitor.runAllChecks).size, 0)
      assert.strictEqual(yield* monitor.overallStatus, "unknown")
    }).pipe(Effect.provide(program(Layer.empty)))
  )
})

describe("runAllChecks", () => {
  it.effect("runs all at the same time; results by name, in the order of registration", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const fiber = yield* Effect.fork(monitor.runAllChecks)
      yield* TestClock.adjust("3 seconds")
      const results = yield* Fiber.join(fiber)
      assert.deepStrictEqual([...results.keys()], ["slow", "slower", "fast"])
      for (const [name, result] of results) assert.strictEqual(result.service, name)
    }).pipe(
      monitored({
        slow: Effect.as(Effect.sleep("2 seconds"), ok),
        slower: Effect.as(Effect.sleep("3 seconds"), ok),
        fast: Effect.succeed(ok)
      })
    )
  )

  it.effect("a check that fails, dies or throws does not touch the others", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const results = yield* monitor.runAllChecks
      assert.deepStrictEqual(
        [...results.values()].map(({ status }) => status),
        ["unhealthy", "unhealthy", "healthy"]
      )
    }).pipe(monitored({ failing: "unhealthy", dying: Effect.die("dead"), sound: "healthy" }))
  )
})

describe("statusSummary", () => {
  it.effect("as JSON has exactly the names of the contract", () =>
    Effect.gen(function* () {
      const asked = yield* Queue.unbounded<Deferred.Deferred<Outcome.Outcome>>()
      const answer = Outcome.healthy("Database connection OK", {
        details: { kind: "sqlite" },
        note: "x"
      })
      const database = Effect.gen(function* () {
        const answered = yield* Deferred.make<Outcome.Outcome>()
        yield* Queue.offer(asked, answered)
        return yield* Deferred.await(answered)
      })
      yield* Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2025, 11, 11, 23))
        const monitor = yield* HealthMonitor.HealthMonitor
        for (let beat = 0; beat < 5; beat++) {
          const fiber = yield* Effect.fork(monitor.runAllChecks)
          const answered = yield* Queue.take(asked)
          yield* TestClock.adjust("15 millis")
          yield* Deferred.succeed(answered, answer)
          yield* Fiber.join(fiber)
        }
        const summary = yield* monitor.statusSummary
        const json: unknown = JSON.parse(
          JSON.stringify(Schema.encodeSync(StatusSummary.StatusSummary)(summary))
        )
        assert.deepStrictEqual(json, {
          overall_status: "unhealthy",
          timestamp: "2025-12-11T23:00:00.075Z",
          services: {
            database: {
              status: "healthy",
              response_time_ms: 15,
              message: "Database connection OK",
              last_check: "2025-12-11T23:00:00.075Z",
              details: { kind: "sqlite" }
            },
            redis: {
              status: "unhealthy",
              response_time_ms: 0,
              message: "scripted failure",
              last_check: "2025-12-11T23:00:00.060Z",
              details: {}
            }
          },
          failure_counts: { database: 0, redis: 5 },
          success_counts: { database: 5, redis: 0 }
        })
        assert.deepStrictEqual(Schema.decodeUnknownSync(StatusSummary.StatusSummary)(json), summary)
      }).pipe(monitored({ database, redis: "unhealthy" }))
    })
  )

  it.effect("before the first run every check is there, as unknown", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      const summary = yield* monitor.statusSummary
      assert.deepStrictEqual(JSON.parse(JSON.stringify(summary)), {
        overall_status: "unknown",
        timestamp: "1970-01-01T00:00:00.000Z",
        services: {
          a: {
            status: "unknown",
            response_time_ms: null,
            message: "Not checked yet",
            last_check: null,
            details: {}
          }
        },
        failure_counts: { a: 0 },
        success_counts: { a: 0 }
      })
      assert.deepStrictEqual(
        Schema.decodeUnknownSync(StatusSummary.StatusSummary)(summary),
        summary
      )
    }).pipe(monitored({ a: "healthy" }))
  )

  it.effect("a service of any name is an entry", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      yield* monitor.runAllChecks
      const json = JSON.stringify(yield* monitor.statusSummary)
      for (const name of ["__proto__", "constructor", "a b"]) {
        assert.include(json, `${JSON.stringify(name)}:{"status":"healthy"`)
        assert.include(json, `${JSON.stringify(name)}:1`)
      }
    }).pipe(
      monitored(
        Object.fromEntries(["__proto__", "constructor", "a b"].map((name) => [name, "healthy"]))
      )
    )
  )
})

it.effect("a check that left and came back under its name starts afresh", () =>
  Effect.gen(function* () {
    const monitor = yield* HealthMonitor.HealthMonitor
    const registry = yield* CheckRegistry
    const beat = Effect.scoped(
      Effect.gen(function* () {
        yield* Layer.build(
          Layer.provide(checks({ a: "unhealthy" }), Layer.succeed(CheckRegistry, registry))
        )
        yield* monitor.runCheck("a")
        return (yield* monitor.statusSummary).failure_counts
      })
    )
    assert.deepStrictEqual(yield* beat, { a: 1 })
    assert.deepStrictEqual((yield* monitor.statusSummary).services, {})
    assert.deepStrictEqual(yield* beat, { a: 1 })
  }).pipe(
    Effect.provide(
      HealthMonitor.layer.pipe(
        Layer.provideMerge(Layer.merge(CheckRegistryModule.layer, CheckRunner.layer()))
      )
    )
  )
)

it.effect("a response time counts from the start of the probe to its end", () =>
  Effect.gen(function* () {
    const monitor = yield* HealthMonitor.HealthMonitor
    const fiber = yield* Effect.fork(monitor.runCheck("a"))
    yield* TestClock.adjust("7 seconds")
    assert.strictEqual(Duration.toMillis((yield* Fiber.join(fiber)).responseTime), 7000)
  }).pipe(monitored({ a: Effect.as(Effect.sleep("7 seconds"), ok) }))
)
