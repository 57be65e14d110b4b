/**
 * Beats: runs every registered check again and again, each by its own policy.
 *
 * The rate is fixed and the beats of one check never overlap. A beat whose time comes while the one
 * before it is still running, or while the machine sleeps, is skipped, counted and not made up for.
 * The rhythm is kept by a clock that only goes on: setting the system's time moves no beat.
 */
import { Duration, Effect, Scheduler, Stream } from "effect"
import { CheckRegistry, type RegisteredCheck } from "./CheckRegistry.js"
import type { CheckResult } from "./CheckResult.js"
import { CheckRunner } from "./CheckRunner.js"
import * as Deadlines from "./Deadlines.js"
import { Dispatcher } from "./Heartbeat/Dispatcher.js"
import type { Pulse } from "./Heartbeat/Pulse.js"

export interface Options {
  /**
   * Over how much time the first beats are spread, by a hash of each check's name, so that not all
   * checks beat at once; over a check's interval where that is shorter. Ten seconds by default: an
   * operator who restarts a program with a check every five minutes does not wait that long for it.
   */
  readonly spread?: Duration.DurationInput | undefined
}

/** What became of the beats of one check since the heartbeat was started. */
export interface Beats {
  readonly beats: number
  /** Beats that were due while the check could not be started. */
  readonly skipped: number
  /** By how much the latest of all beats started after its time. */
  readonly latestBy: Duration.Duration
}

export interface Heartbeat {
  /** Beats until it is interrupted, which interrupts the beats under way: they leave no result. */
  readonly run: Effect.Effect<never>
  /** By the name of the check; nothing while it is not running. */
  readonly beats: Effect.Effect<ReadonlyMap<string, Beats>>
}

/**
 * A heartbeat of all registered checks, those included that come while it is running. `onResult` is
 * called with each result and must be quick.
 *
 * How many checks run at once is the runner's `concurrency`.
 */
export const make = (
  onResult: (check: RegisteredCheck, result: CheckResult) => void,
  options: Options = {}
): Effect.Effect<Heartbeat, never, CheckRegistry | CheckRunner> =>
  Effect.gen(function* () {
    const registry = yield* CheckRegistry
    const runner = yield* CheckRunner
    const spread = Duration.decode(options.spread ?? defaultSpread)
    let beating: Dispatcher | undefined

    const run = Effect.gen(function* () {
      const alarm = yield* Deadlines.make
      const clock = yield* Effect.clock
      const dispatcher = new Dispatcher({ alarm, clock, runner, spread, onResult })
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          beating = dispatcher
        }),
        () => {
          beating = undefined
          return dispatcher.follow([])
        }
      )
      yield* Effect.forkScoped(
        Stream.runForEach(registry.changes, (checks) => dispatcher.follow(checks))
      )
      return yield* dispatcher.run
    })

    return {
      run: Effect.withScheduler(Effect.scoped(run), oneQueue),
      beats: Effect.sync(() => {
        const pulses = beating?.pulses ?? []
        return new Map(pulses.map((pulse) => [pulse.check.name, beatsOf(pulse)]))
      })
    }
  })

const defaultSpread: Duration.DurationInput = "10 seconds"

/**
 * The default scheduler keeps a queue for each fiber, in a weak map that holds every ended fiber until
 * the next full garbage collection. A beat is a fiber.
 */
const oneQueue: Scheduler.Scheduler = {
  // Asked before each step of a fiber, and the default one looks up what it compares with: no limit
  // below the usual one is looked up here.
  shouldYield: (fiber) =>
    fiber.currentOpCount > usualOps && Scheduler.defaultScheduler.shouldYield(fiber),
  scheduleTask: (task, priority) => Scheduler.defaultScheduler.scheduleTask(task, priority)
}

/** After so many steps a fiber lets others go on, unless it was told another number. */
const usualOps = 2048

const beatsOf = ({ beats, latestBy, skipped }: Pulse): Beats => ({
  beats,
  skipped,
  latestBy: Duration.millis(latestBy)
})
