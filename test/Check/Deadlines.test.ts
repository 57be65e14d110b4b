import { assert, describe, it } from "@effect/vitest"
import { Cause, Chunk, Duration, Effect, Exit, FastCheck, Logger, Scope, TestClock } from "effect"
import * as Deadlines from "../../src/Check/Deadlines.js"

/** Something that happens `after` the step before it. */
type Step =
  | { readonly _tag: "Add"; readonly after: number; readonly timeout: number }
  | { readonly _tag: "Cancel"; readonly after: number; readonly index: number }

const millis = FastCheck.integer({ min: 0, max: 300 })
const steps: FastCheck.Arbitrary<ReadonlyArray<Step>> = FastCheck.array(
  FastCheck.oneof(
    {
      weight: 3,
      arbitrary: FastCheck.record({
        _tag: FastCheck.constant("Add" as const),
        after: FastCheck.oneof(FastCheck.constant(0), millis),
        timeout: FastCheck.oneof(FastCheck.constantFrom(100, 101, 250), millis)
      })
    },
    {
      weight: 1,
      arbitrary: FastCheck.record({
        _tag: FastCheck.constant("Cancel" as const),
        after: FastCheck.oneof(FastCheck.constant(0), millis),
        index: FastCheck.nat({ max: 15 })
      })
    }
  ),
  { maxLength: 16 }
)

interface Added {
  readonly due: number
  readonly cancel: () => void
  cancelledAt: number
  readonly firedAt: Array<number>
}

const add = (deadlines: Deadlines.Deadlines, after: Duration.Duration, expire: () => void) =>
  Effect.clockWith((clock) => {
    const now = Deadlines.monotonicMillis(clock)
    const cancel = deadlines.insert(now, after, expire)
    return Effect.as(deadlines.ensureAwake(now), cancel)
  })

/** A clock that tells who slept, and for how long. */
const countingClock = Effect.map(TestClock.testClock(), (test) => {
  const sleeps: Array<number> = []
  const fibers = new Set<number>()
  const counting = Object.assign(Object.create(test) as TestClock.TestClock, {
    sleep: (duration: Duration.Duration) =>
      Effect.flatMap(Effect.fiberId, (id) => {
        sleeps.push(Duration.toMillis(duration))
        if (id._tag === "Runtime") fibers.add(id.id)
        return test.sleep(duration)
      })
  })
  return { counting, fibers, sleeps }
})

describe("Deadlines", () => {
  it.scoped.prop(
    "each fires once, at its time; one that was cancelled before never does",
    [steps],
    ([script]) =>
      Effect.gen(function* () {
        const deadlines = yield* Deadlines.make
        const clock = yield* Effect.clock
        const added: Array<Added> = []
        let now = clock.unsafeCurrentTimeMillis()
        for (const step of script) {
          yield* TestClock.adjust(Duration.millis(step.after))
          now += step.after
          if (step._tag === "Cancel") {
            const entry = added[step.index]
            if (entry === undefined) continue
            entry.cancel()
            entry.cancelledAt = Math.min(entry.cancelledAt, now)
          } else {
            const firedAt: Array<number> = []
            const expire = () => firedAt.push(clock.unsafeCurrentTimeMillis())
            const cancel = yield* add(deadlines, Duration.millis(step.timeout), expire)
            const due = now + step.timeout
            added.push({ due, cancel, cancelledAt: Number.POSITIVE_INFINITY, firedAt })
          }
        }
        yield* TestClock.adjust("1 second")
        for (const { cancelledAt, due, firedAt } of added) {
          // Cancelled at the very moment when it is due, either may come first.
          if (cancelledAt === due) assert.include([0, 1], firedAt.length)
          else assert.deepStrictEqual(firedAt, cancelledAt < due ? [] : [due])
        }
      }),
    { fastCheck: { numRuns: 40 } }
  )

  it.scoped("one sleeper for each wake: many deadlines of few times sleep few times", () =>
    Effect.gen(function* () {
      const { counting, sleeps } = yield* countingClock
      yield* Effect.gen(function* () {
        const deadlines = yield* Deadlines.make
        for (let beat = 0; beat < 10; beat++) {
          for (let index = 0; index < 100; index++) {
            yield* add(deadlines, Duration.seconds(10), () => {})
            const cancel = yield* add(deadlines, Duration.seconds(1), () => {})
            if (beat % 2 === 0) cancel()
          }
          yield* TestClock.adjust("500 millis")
        }
        yield* TestClock.adjust("20 seconds")
      }).pipe(Effect.withClock(counting))
      // Ten beats, each with two times to wake for; not one for each of the 2000 deadlines.
      assert.isAtMost(sleeps.length, 20 + 10, sleeps.join())
    })
  )

  it.scoped("who woke sleeps again in the same fiber: forks of forks inherit more and more", () =>
    Effect.gen(function* () {
      const { counting, fibers, sleeps } = yield* countingClock
      yield* Effect.gen(function* () {
        const deadlines = yield* Deadlines.make
        for (let second = 1; second <= 50; second++) {
          yield* add(deadlines, Duration.seconds(second), () => {})
        }
        yield* TestClock.adjust("1 minute")
      }).pipe(Effect.withClock(counting))
      assert.lengthOf(sleeps, 50)
      assert.strictEqual(fibers.size, 1)
    })
  )

  it.scoped("sleeps in parts where a timer cannot be set for so long", () =>
    Effect.gen(function* () {
      const { counting, sleeps } = yield* countingClock
      let fired = 0
      yield* Effect.gen(function* () {
        const deadlines = yield* Deadlines.make
        yield* add(deadlines, Duration.days(30), () => (fired += 1))
        yield* TestClock.adjust("31 days")
      }).pipe(Effect.withClock(counting))
      assert.strictEqual(fired, 1)
      // What `setTimeout` takes; more it fires at once, or, through Effect's clock, never.
      for (const sleep of sleeps) assert.isAtMost(sleep, 2 ** 31 - 1)
    })
  )

  it.effect("closing the scope ends the sleeper, however the deadline was added", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const deadlines = yield* Scope.extend(Deadlines.make, scope)
      let fired = 0
      yield* Effect.uninterruptible(add(deadlines, Duration.hours(1), () => (fired += 1)))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, Exit.void) // the clock stands still
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(fired, 0)
    })
  )

  it.scoped("an endless deadline wakes nobody and never fires", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      let fired = 0
      yield* add(deadlines, Duration.infinity, () => (fired += 1))
      yield* TestClock.adjust("1000 days")
      assert.strictEqual(fired, 0)
      assert.strictEqual(Chunk.size(yield* TestClock.sleeps()), 0)
    })
  )

  it.effect("one that throws is told, and keeps none of the others from their time", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ cause }) => {
      lines.push(Cause.pretty(cause))
    })
    return Effect.scoped(
      Effect.gen(function* () {
        const deadlines = yield* Deadlines.make
        const fired: Array<string> = []
        yield* add(deadlines, Duration.seconds(1), () => {
          throw new Error("at the end of its time")
        })
        yield* add(deadlines, Duration.seconds(1), () => fired.push("at the same time"))
        yield* add(deadlines, Duration.seconds(2), () => fired.push("later"))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(fired, ["at the same time"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(fired, ["at the same time", "later"])
        assert.lengthOf(lines, 1)
        assert.include(lines[0], "at the end of its time")
      })
    ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  })
})
