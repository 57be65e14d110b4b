import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, TestClock } from "effect"
import { type Vital, Vitals } from "../../src/Alert/Vitals.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import { check, ok, type Probe, ScriptedError } from "../Check/scripted.js"

const vitals = (probe: Probe, options: CheckRunner.Options = {}) =>
  Effect.provide(
    HealthMonitor.layerVitals.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          HealthMonitor.layerWith({ spread: "0 seconds" }),
          Layer.orDie(check("a", probe, { statuses: { Absent: "unknown" } }))
        )
      ),
      Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer(options)))
    )
  )

const now: Effect.Effect<Vital, never, Vitals> = Effect.flatMap(Vitals, (one) => one.now)

describe("Vitals", () => {
  it.scoped("are quiet until there are results, and when the heartbeat is stopped", () =>
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      yield* monitor.runAllChecks
      assert.strictEqual((yield* now)._tag, "Quiet")
      yield* monitor.startHeartbeat
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* now, { _tag: "Alive", overall: "healthy" })
      yield* monitor.stopHeartbeat
      assert.strictEqual((yield* now)._tag, "Quiet")
    }).pipe(vitals(Effect.succeed(ok)))
  )

  it.scoped("are quiet while nothing is known", () =>
    Effect.gen(function* () {
      yield* (yield* HealthMonitor.HealthMonitor).startHeartbeat
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* now)._tag, "Quiet")
    }).pipe(vitals(new ScriptedError({ reason: "Absent" })))
  )

  it.scoped("are stuck when no check has had a result for three intervals", () =>
    Effect.gen(function* () {
      const runner = yield* CheckRunner.CheckRunner
      const registry = yield* CheckRegistry.CheckRegistry
      const [only] = yield* registry.all
      assert.isDefined(only)
      if (only === undefined) return
      // Somebody else takes the only turn that there is.
      const policy = { ...only.policy, timeout: Duration.days(1) }
      yield* Effect.forkScoped(runner.run({ ...only, policy, probe: Effect.never }))
      yield* Effect.yieldNow()
      yield* (yield* HealthMonitor.HealthMonitor).startHeartbeat
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* now)._tag, "Stuck")
    }).pipe(vitals(Effect.succeed(ok), { concurrency: 1 }))
  )
})
