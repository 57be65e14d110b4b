/** A heartbeat under the virtual clock, and when its checks were started. */
import { Clock, Effect, Fiber, Layer, type Scope, TestClock } from "effect"
import type { DuplicateCheckError, CheckConfigError } from "../../src/Check/CheckError.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import type { CheckResult } from "../../src/Check/CheckResult.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Heartbeat from "../../src/Check/Heartbeat.js"
import type * as Outcome from "../../src/Check/Outcome.js"
import { check, ok, type Probe, type ScriptedError, type Script } from "./scripted.js"

export interface Beating {
  readonly heartbeat: Heartbeat.Heartbeat
  /** Of each check, the seconds at which it was started. */
  readonly starts: (name: string) => ReadonlyArray<number>
  readonly results: ReadonlyArray<CheckResult>
  readonly counts: (name: string) => Effect.Effect<Heartbeat.Beats>
  readonly stop: Effect.Effect<void>
}

type Checks = Layer.Layer<
  never,
  DuplicateCheckError | CheckConfigError,
  CheckRegistry.CheckRegistry
>

const seconds = Effect.map(
  Clock.currentTimeNanos,
  (nanos) => Math.round(Number(nanos / 1000n) / 1000) / 1000
)

/** What the checks note their starts in. */
export class Log {
  readonly entries = new Map<string, Array<number>>()

  /** A check whose probe does as it is told, by the number of its run. */
  readonly check = (
    name: string,
    probe: (run: number) => Effect.Effect<Outcome.Outcome, ScriptedError, Scope.Scope> = () =>
      Effect.succeed(ok),
    script: Script = {}
  ): Checks => {
    const runs: Array<number> = []
    this.entries.set(name, runs)
    const noted: Probe = Effect.flatMap(seconds, (at) => {
      runs.push(at)
      return probe(runs.length)
    })
    return check(name, noted, script)
  }
}

export const start = (
  log: Log,
  checks: Checks,
  options: Heartbeat.Options & CheckRunner.Options & { readonly onResult?: () => void } = {}
): Effect.Effect<Beating, DuplicateCheckError | CheckConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const services = yield* Layer.build(
      checks.pipe(Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer(options))))
    )
    const results: Array<CheckResult> = []
    const heartbeat = yield* Effect.provide(
      Heartbeat.make((_, result) => {
        results.push(result)
        options.onResult?.()
      }, options),
      services
    )
    const fiber = yield* Effect.forkScoped(heartbeat.run)
    yield* TestClock.adjust(0)
    return {
      heartbeat,
      starts: (name) => log.entries.get(name) ?? [],
      results,
      counts: (name) =>
        Effect.flatMap(heartbeat.beats, (beats) => Effect.fromNullable(beats.get(name))).pipe(
          Effect.orDie
        ),
      stop: Effect.asVoid(Fiber.interrupt(fiber))
    }
  })

/**
 * The virtual clock, with a time of day that can be set, and a machine that can sleep: its timers
 * stand still meanwhile, as those of a stopped process do.
 */
export const bentClock = Effect.map(TestClock.testClock(), (test) => {
  let setBy = 0
  let asleep = 0
  const clock = Object.assign(Object.create(test) as Clock.Clock, {
    unsafeCurrentTimeMillis: () => test.unsafeCurrentTimeMillis() + asleep + setBy,
    unsafeCurrentTimeNanos: () => test.unsafeCurrentTimeNanos() + BigInt(asleep * 1_000_000),
    currentTimeMillis: Effect.sync(() => test.unsafeCurrentTimeMillis() + asleep + setBy),
    currentTimeNanos: Effect.sync(() => test.unsafeCurrentTimeNanos() + BigInt(asleep * 1_000_000))
  })
  return {
    clock,
    setTimeOfDayBy: (millis: number) => Effect.sync(() => void (setBy += millis)),
    sleepFor: (millis: number) => Effect.sync(() => void (asleep += millis))
  }
})
