import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Deferred,
  Duration,
  Effect,
  Exit,
  Layer,
  Logger,
  Random,
  Ref,
  Scope,
  TestClock
} from "effect"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Heartbeat from "../../src/Check/Heartbeat.js"
import { bentClock, Log, start } from "./beating.js"
import { check, ok, ScriptedError } from "./scripted.js"

const together = { spread: "0 seconds" } as const
const every = (interval: Duration.DurationInput, timeout: Duration.DurationInput = "1 second") => ({
  set: { interval, timeout }
})
const down = Effect.fail(new ScriptedError({ reason: "Down" }))
const collecting = (lines: Array<string>) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ cause, message }) => {
      lines.push(`${String(message)} ${Cause.pretty(cause)}`)
    })
  )

describe("the rate", () => {
  it.scoped("is fixed: a slow check starts as often as a quick one", () =>
    Effect.gen(function* () {
      const log = new Log()
      const slow = () => Effect.delay(Effect.succeed(ok), "7 seconds")
      const checks = Layer.merge(
        log.check("quick", undefined, every("10 seconds")),
        log.check("slow", slow, every("10 seconds", "9 seconds"))
      )
      const { counts, starts } = yield* start(log, checks, together)
      yield* TestClock.adjust("45 seconds")
      assert.deepStrictEqual(starts("quick"), [0, 10, 20, 30, 40])
      assert.deepStrictEqual(starts("slow"), [0, 10, 20, 30, 40])
      assert.strictEqual((yield* counts("slow")).skipped, 0)
      assert.strictEqual((yield* counts("quick")).beats, 5)
    })
  )

  it.scoped("is each check's own, 30 seconds by default", () =>
    Effect.gen(function* () {
      const log = new Log()
      const checks = Layer.merge(log.check("a"), log.check("b", undefined, every("1 minute")))
      const { starts } = yield* start(log, checks, together)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(starts("a"), [0, 30, 60, 90, 120])
      assert.deepStrictEqual(starts("b"), [0, 60, 120])
    })
  )

  it.scoped("holds for an interval that is longer than a timer can be", () =>
    Effect.gen(function* () {
      const log = new Log()
      const { starts } = yield* start(log, log.check("a", undefined, every("30 days")), together)
      yield* TestClock.adjust("61 days")
      assert.deepStrictEqual(starts("a"), [0, 30 * 86_400, 60 * 86_400])
    })
  )
})

describe("beats of one check", () => {
  it.scoped("never overlap: those that come too late are skipped, counted, not made up for", () =>
    Effect.gen(function* () {
      const log = new Log()
      const running = yield* Ref.make(0)
      const most = yield* Ref.make(0)
      const slow = (run: number) =>
        Effect.acquireUseRelease(
          Ref.updateAndGet(running, (now) => now + 1),
          (now) =>
            Effect.zipRight(
              Ref.update(most, (before) => Math.max(before, now)),
              run === 2 ? Effect.delay(Effect.succeed(ok), "8 seconds") : Effect.succeed(ok)
            ),
          () => Ref.update(running, (now) => now - 1)
        )
      const hog = () => Effect.delay(Effect.succeed(ok), "25 seconds")
      const checks = Layer.mergeAll(
        log.check("hog", hog, every("1 hour", "30 seconds")),
        log.check("slow", slow, every("10 seconds", "10 seconds"))
      )
      // One at a time: the first beat of `slow` waits 25 s for its turn.
      const { counts, starts } = yield* start(log, checks, { ...together, concurrency: 1 })
      yield* TestClock.adjust("65 seconds")
      assert.deepStrictEqual(starts("slow"), [25, 30, 40, 50, 60])
      assert.deepInclude(yield* counts("slow"), { beats: 5, skipped: 2 })
      assert.strictEqual(Duration.toSeconds((yield* counts("slow")).latestBy), 25)
      assert.strictEqual(yield* Ref.get(most), 1)
    })
  )

  it.scoped("a run that takes as long as its timeout ends before the next", () =>
    Effect.gen(function* () {
      const log = new Log()
      const { counts, starts } = yield* start(
        log,
        log.check("hanging", () => Effect.never, every("10 seconds", "10 seconds")),
        together
      )
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(starts("hanging"), [0, 10, 20, 30])
      assert.strictEqual((yield* counts("hanging")).skipped, 0)
    })
  )
})

describe("start times", () => {
  const names = Array.from({ length: 40 }, (_, index) => `check_${index}`)
  const firstBeats = (options: Heartbeat.Options, interval: Duration.DurationInput) =>
    Effect.scoped(
      Effect.gen(function* () {
        const log = new Log()
        const [first = Layer.empty, ...rest] = names.map((name) =>
          log.check(name, undefined, every(interval, "500 millis"))
        )
        const { starts } = yield* start(log, Layer.mergeAll(first, ...rest), options)
        yield* TestClock.adjust(interval)
        return names.map((name) => starts(name)[0] ?? Number.NaN)
      })
    )

  it.effect("are spread over ten seconds by a hash of the name, the same every time", () =>
    Effect.gen(function* () {
      const beats = yield* firstBeats({}, "30 seconds")
      for (const at of beats) assert.isTrue(at >= 0 && at < 10, String(at))
      // Each quarter has its share.
      for (const quarter of [0, 2.5, 5, 7.5]) {
        const share = beats.filter((at) => at >= quarter && at < quarter + 2.5).length
        assert.isAtLeast(share, 4)
      }
      yield* TestClock.setTime(0)
      assert.deepStrictEqual(yield* firstBeats({}, "30 seconds"), beats)
    })
  )

  it.effect("are spread over no more than the interval", () =>
    Effect.gen(function* () {
      for (const at of yield* firstBeats({}, "1 second")) assert.isBelow(at, 1)
    })
  )
})

it.scoped("jitter delays each beat at random and does not move the rhythm", () =>
  Effect.gen(function* () {
    const log = new Log()
    const { counts, starts } = yield* start(
      log,
      log.check("a", undefined, {
        set: { interval: "10 seconds", timeout: "1 second", jitter: "4 seconds" }
      }),
      together
    )
    yield* TestClock.adjust("995 seconds")
    const delays = starts("a").map((at, index) => at - index * 10)
    assert.lengthOf(delays, 100)
    for (const delay of delays) assert.isTrue(delay >= 0 && delay <= 4, String(delay))
    assert.isAbove(new Set(delays.map(Math.floor)).size, 3)
    assert.strictEqual((yield* counts("a")).skipped, 0)
  }).pipe(Effect.withRandom(Random.make("jitter")))
)

describe("how many run at once", () => {
  it.scoped("has no bound by default: a hundred hanging checks hold up nothing", () =>
    Effect.gen(function* () {
      const log = new Log()
      const hanging = Array.from({ length: 100 }, (_, index) =>
        log.check(`hanging_${index}`, () => Effect.never, every("30 seconds", "30 seconds"))
      )
      const checks = Layer.mergeAll(log.check("a", undefined, every("5 seconds")), ...hanging)
      const { counts, starts } = yield* start(log, checks, together)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(starts("a"), [0, 5, 10, 15, 20, 25, 30])
      assert.strictEqual(Duration.toMillis((yield* counts("a")).latestBy), 0)
    })
  )
})

describe("confirm", () => {
  const script = {
    set: { interval: "30 seconds", timeout: "1 second", confirm: "2 seconds" }
  } as const
  const failingIn = (runs: ReadonlyArray<number>) => (run: number) =>
    runs.includes(run) ? down : Effect.succeed(ok)
  const startsOf = (
    failing: ReadonlyArray<number>,
    for_: Duration.DurationInput,
    options: Parameters<Log["check"]>[2] = script
  ) =>
    Effect.gen(function* () {
      const log = new Log()
      const { starts } = yield* start(log, log.check("a", failingIn(failing), options), together)
      yield* TestClock.adjust(for_)
      return starts("a")
    })

  it.scoped("checks a first failure once more, soon, and keeps the rhythm", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* startsOf([2, 3, 4], "125 seconds"), [0, 30, 32, 60, 90, 120])
    })
  )

  it.scoped("each first failure, also after a blip", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* startsOf([2, 4], "95 seconds"), [0, 30, 32, 60, 62, 90])
    })
  )

  it.scoped("leaves it to the next beat where there is no time for a whole run before it", () =>
    Effect.gen(function* () {
      const set = { interval: "30 seconds", timeout: "20 seconds", confirm: "5 seconds" } as const
      const log = new Log()
      const probe = (run: number) => (run === 1 ? Effect.never : Effect.succeed(ok))
      const { counts, starts } = yield* start(log, log.check("a", probe, { set }), together)
      yield* TestClock.adjust("65 seconds")
      assert.deepStrictEqual(starts("a"), [0, 30, 60])
      assert.strictEqual((yield* counts("a")).skipped, 0)
    })
  )

  it.scoped("is off by default", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* startsOf([1, 2], "65 seconds", every("30 seconds")),
        [0, 30, 60]
      )
    })
  )
})

describe("a service that asks to be left alone", () => {
  const busy = (retryAfter: Duration.DurationInput) =>
    Effect.fail(
      Object.assign(new ScriptedError({ reason: "Busy" }), {
        retryAfter: Duration.decode(retryAfter)
      })
    )
  const startsOf = (
    retryAfter: Duration.DurationInput,
    for_: Duration.DurationInput,
    confirm?: Duration.DurationInput
  ) =>
    Effect.gen(function* () {
      const log = new Log()
      const probe = (run: number) => (run === 1 ? busy(retryAfter) : Effect.succeed(ok))
      const set = { interval: "30 seconds", timeout: "1 second", confirm } as const
      const checks = Layer.merge(log.check("limited", probe, { set }), log.check("other"))
      const { counts, starts } = yield* start(log, checks, together)
      yield* TestClock.adjust(for_)
      assert.strictEqual((yield* counts("limited")).skipped, 0)
      assert.strictEqual(starts("other")[1], 30)
      return starts("limited")
    })

  it.scoped("is checked when that time is over, in its rhythm", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* startsOf("70 seconds", "155 seconds"), [0, 90, 120, 150])
    })
  )

  it.scoped("never sooner than its interval, and not to confirm either", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* startsOf("1 second", "65 seconds", "2 seconds"), [0, 30, 60])
    })
  )

  it.scoped("for an hour at most", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* startsOf("1 day", "3625 seconds"), [0, 3600])
    })
  )
})

describe("time", () => {
  const hour = 3_600_000

  it.scoped("of day that is set forward a day and back an hour moves no beat", () =>
    Effect.gen(function* () {
      const { clock, setTimeOfDayBy } = yield* bentClock
      yield* Effect.gen(function* () {
        const log = new Log()
        const { counts, starts } = yield* start(log, log.check("a"), together)
        yield* TestClock.adjust("45 seconds")
        yield* setTimeOfDayBy(24 * hour)
        yield* TestClock.adjust("45 seconds")
        yield* setTimeOfDayBy(-25 * hour)
        yield* TestClock.adjust("45 seconds")
        assert.deepStrictEqual(starts("a"), [0, 30, 60, 90, 120])
        assert.strictEqual((yield* counts("a")).skipped, 0)
      }).pipe(Effect.withClock(clock))
    })
  )

  it.scoped("a machine that sleeps for an hour has one late beat of each check, no storm", () =>
    Effect.gen(function* () {
      const { clock, sleepFor } = yield* bentClock
      yield* Effect.gen(function* () {
        const log = new Log()
        const checks = Layer.merge(log.check("a"), log.check("b"))
        const { counts, starts } = yield* start(log, checks, together)
        yield* TestClock.adjust("45 seconds")
        yield* sleepFor(hour)
        yield* TestClock.adjust("45 seconds")
        for (const name of ["a", "b"]) {
          // The timer of second 60 fires in second 3660; the next beat is in its place again.
          assert.deepStrictEqual(starts(name), [0, 30, 3660, 3690])
          assert.deepInclude(yield* counts(name), { beats: 4, skipped: 120 })
          assert.strictEqual(Duration.toSeconds((yield* counts(name)).latestBy), 3600)
        }
      }).pipe(Effect.withClock(clock))
    })
  )
})

describe("whatever happens in one check", () => {
  it.scoped("the others beat, and it too", () =>
    Effect.gen(function* () {
      const log = new Log()
      const checks = Layer.mergeAll(
        log.check("failing", () => down),
        log.check("dying", () => Effect.die("dead")),
        log.check("throwing", () => {
          throw new Error("thrown")
        }),
        log.check("leaving", () => Effect.interrupt),
        log.check("sound")
      )
      const { results, starts } = yield* start(log, checks, together)
      yield* TestClock.adjust("60 seconds")
      for (const name of ["failing", "dying", "throwing", "leaving", "sound"]) {
        assert.deepStrictEqual(starts(name), [0, 30, 60])
      }
      assert.lengthOf(results, 15)
    })
  )

  it.scoped("who is told of results and throws is told of in the log, and ends nothing", () => {
    const lines: Array<string> = []
    return Effect.gen(function* () {
      const log = new Log()
      const onResult = () => {
        throw new Error("no room for results")
      }
      const { starts } = yield* start(log, Layer.merge(log.check("a"), log.check("b")), {
        ...together,
        onResult
      })
      yield* TestClock.adjust("60 seconds")
      for (const name of ["a", "b"]) assert.deepStrictEqual(starts(name), [0, 30, 60])
      assert.lengthOf(lines, 6)
      for (const line of lines) assert.include(line, "no room for results")
    }).pipe(Effect.provide(collecting(lines)))
  })

  it.scoped("even a runner that breaks is told of, and ends nothing", () => {
    const lines: Array<string> = []
    return Effect.gen(function* () {
      const sound = yield* Layer.build(
        Layer.merge(
          Layer.provideMerge(check("a", Effect.succeed(ok)), CheckRegistry.layer),
          CheckRunner.layer()
        )
      )
      const starts: Array<number> = []
      const broken = CheckRunner.CheckRunner.of({
        run: () => Effect.die("broken"),
        start: () => {
          starts.push(1)
          return Effect.die("broken")
        },
        orphans: Effect.succeed(new Map())
      })
      const heartbeat = yield* Heartbeat.make(() => {}, together).pipe(
        Effect.provideService(CheckRunner.CheckRunner, broken),
        Effect.provide(sound)
      )
      yield* Effect.forkScoped(heartbeat.run)
      yield* TestClock.adjust("60 seconds")
      assert.lengthOf(starts, 3)
      assert.lengthOf(lines, 3)
      assert.include(lines[0], "A beat of a broke")
    }).pipe(Effect.provide(collecting(lines)))
  })
})

describe("checks that come and go", () => {
  it.scoped("beat from their registration to its end", () =>
    Effect.gen(function* () {
      const log = new Log()
      const scope = yield* Scope.make()
      const registry = yield* Layer.build(CheckRegistry.layer)
      const late = log.check("late").pipe(Layer.provide(Layer.succeedContext(registry)))
      const { heartbeat, starts } = yield* Effect.gen(function* () {
        const runner = yield* Layer.build(CheckRunner.layer())
        const heartbeat = yield* Heartbeat.make(() => {}, together).pipe(Effect.provide(runner))
        yield* Effect.forkScoped(heartbeat.run)
        return { heartbeat, starts: (name: string) => log.entries.get(name) }
      }).pipe(Effect.provide(registry))
      yield* TestClock.adjust("45 seconds")
      yield* Layer.buildWithScope(late, scope)
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(starts("late"), [45, 75, 105])
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(starts("late"), [45, 75, 105])
      assert.strictEqual((yield* heartbeat.beats).size, 0)
    })
  )

  it.scoped("a heartbeat that ends interrupts the beats under way; they leave no result", () =>
    Effect.gen(function* () {
      const log = new Log()
      const interrupted = yield* Deferred.make<void>()
      const hanging = () =>
        Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
      const { results, stop, heartbeat } = yield* start(log, log.check("a", hanging), together)
      yield* TestClock.adjust("1 second")
      yield* stop
      yield* Deferred.await(interrupted)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(log.entries.get("a"), [0])
      assert.lengthOf(results, 0)
      assert.strictEqual((yield* heartbeat.beats).size, 0)
    })
  )
})
