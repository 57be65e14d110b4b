/** Checks whose probe the test writes, registered and run as a program would. */
import { type Duration, Effect, Fiber, Layer, Schema, type Scope, TestClock } from "effect"
import * as Check from "../../src/Check/Check.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import type { Status } from "../../src/Check/CheckResult.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import type * as CheckPolicy from "../../src/Check/CheckPolicy.js"

export class ScriptedError extends Schema.TaggedError<ScriptedError>("test/ScriptedError")(
  "ScriptedError",
  {
    reason: Schema.Literal("Down", "Busy", "Denied", "Absent"),
    text: Schema.optionalWith(Schema.String, { default: () => "scripted failure" })
  }
) {
  override get message(): string {
    return this.text
  }
  get isRetryable(): boolean {
    return this.reason === "Down" || this.reason === "Busy"
  }
}

export const ok = Outcome.healthy("fine")

export type Probe = Effect.Effect<Outcome.Outcome, ScriptedError, Scope.Scope>

export interface Script extends Omit<Check.Options, "retry"> {
  readonly retry?: CheckPolicy.Retry<ScriptedError>
  /** What a configuration sets. */
  readonly set?: Check.Options
  readonly statuses?: { readonly [Reason in ScriptedError["reason"]]?: Status }
}

export const check = (name: string, probe: Probe | (() => Probe), script: Script = {}) => {
  const {
    dependsOn,
    failureThreshold,
    interval,
    recoveryThreshold,
    retry,
    set,
    statuses,
    ...rest
  } = script
  return Check.make("scripted", {
    description: "What the test says",
    config: {},
    error: ScriptedError,
    ...(statuses === undefined ? {} : { statuses }),
    ...(retry === undefined ? {} : { retry }),
    ...definedOnly({
      timeout: rest.timeout,
      attemptTimeout: rest.attemptTimeout,
      critical: rest.critical,
      group: rest.group
    }),
    probe: () => (typeof probe === "function" ? probe() : probe),
    services: () => Layer.empty
  }).layer({}, { name, dependsOn, failureThreshold, interval, recoveryThreshold, ...set })
}

type Defined<A> = { [K in keyof A]?: Exclude<A[K], undefined> }

const definedOnly = <A extends object>(values: A): Defined<A> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined)
  ) as Defined<A>

/** A registry with these checks, a runner and a monitor. */
export const program = <E, R>(
  checks: Layer.Layer<never, E, R>,
  options: CheckRunner.Options = {}
): Layer.Layer<
  HealthMonitor.HealthMonitor | CheckRegistry.CheckRegistry | CheckRunner.CheckRunner,
  E,
  Exclude<R, CheckRegistry.CheckRegistry | CheckRunner.CheckRunner>
> =>
  Layer.mergeAll(HealthMonitor.layer, checks).pipe(
    Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer(options)))
  )

export const runCheck = (name: string) =>
  Effect.flatMap(HealthMonitor.HealthMonitor, (monitor) => monitor.runCheck(name))

/** Registers one check and runs it once. */
export const runOnce = (probe: Probe | (() => Probe), script: Script = {}) =>
  Effect.provide(runCheck("it"), program(check("it", probe, script)))

/** Runs under the virtual clock, which goes on by `by` as soon as the run waits. */
export const runFor = (
  by: Duration.DurationInput,
  probe: Probe | (() => Probe),
  script: Script = {}
) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(runOnce(probe, script))
    yield* TestClock.adjust(by)
    return yield* Fiber.join(fiber)
  })

export const orphansOf = (name: string) =>
  Effect.map(
    Effect.flatMap(CheckRunner.CheckRunner, (runner) => runner.orphans),
    (orphans) => orphans.get(name) ?? 0
  )
