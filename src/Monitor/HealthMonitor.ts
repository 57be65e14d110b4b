/**
 * The service that bots talk to: runs the registered checks and remembers what came out.
 *
 * @since 0.1.0
 */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { UnknownCheckError } from "../Check/CheckError.js"
import type { Group } from "../Check/CheckPolicy.js"
import { CheckRegistry, type RegisteredCheck } from "../Check/CheckRegistry.js"
import type { CheckResult, Status } from "../Check/CheckResult.js"
import { CheckRunner } from "../Check/CheckRunner.js"
import * as HealthState from "./HealthState.js"
import * as StatusSummary from "./StatusSummary.js"

/**
 * @since 0.1.0
 * @category tags
 */
export class HealthMonitor extends Context.Tag("holter/Monitor/HealthMonitor")<
  HealthMonitor,
  {
    /** Runs every check at the same time; the results by name, in the order of registration. */
    readonly runAllChecks: Effect.Effect<ReadonlyMap<string, CheckResult>>
    readonly runCheck: (name: string) => Effect.Effect<CheckResult, UnknownCheckError>
    /** From the last results; nothing is run. */
    readonly overallStatus: Effect.Effect<Status>
    /** The same for the checks of one group. */
    readonly groupStatus: (group: Group) => Effect.Effect<Status>
    /** Whether every check of readiness has had a result that is not unhealthy. */
    readonly started: Effect.Effect<boolean>
    readonly statusSummary: Effect.Effect<StatusSummary.StatusSummary>
  }
>() {}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<HealthMonitor, never, CheckRegistry | CheckRunner> = Layer.effect(
  HealthMonitor,
  Effect.gen(function* () {
    const registry = yield* CheckRegistry
    const runner = yield* CheckRunner
    // By the registration and not by the name: a check that left and came back starts afresh.
    const states = new WeakMap<RegisteredCheck, HealthState.HealthState>()
    const stateOf = (check: RegisteredCheck) => states.get(check) ?? HealthState.initial

    const run = (check: RegisteredCheck) =>
      Effect.tap(runner.run(check), (result) =>
        Effect.sync(() => states.set(check, HealthState.next(stateOf(check), result)))
      )

    const entries = Effect.map(registry.all, (checks) =>
      checks.map((check) => ({ check, state: stateOf(check) }))
    )

    return {
      runAllChecks: Effect.gen(function* () {
        const checks = yield* registry.all
        const results = yield* Effect.forEach(checks, run, { concurrency: "unbounded" })
        return new Map(results.map((result) => [result.service, result]))
      }),
      runCheck: Effect.fn("HealthMonitor.runCheck")(function* (name: string) {
        const check = yield* registry.find(name)
        if (Option.isSome(check)) return yield* run(check.value)
        const known = yield* registry.all
        return yield* new UnknownCheckError({ name, known: known.map((other) => other.name) })
      }),
      overallStatus: Effect.map(entries, StatusSummary.overall),
      groupStatus: (group) =>
        Effect.map(entries, (all) =>
          StatusSummary.overall(all.filter(({ check }) => check.policy.group === group))
        ),
      started: Effect.map(entries, StatusSummary.started),
      statusSummary: Effect.zipWith(entries, DateTime.now, StatusSummary.make)
    }
  })
)
