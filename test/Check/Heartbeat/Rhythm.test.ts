import { assert, describe, it } from "@effect/vitest"
import { Duration, FastCheck as fc } from "effect"
import * as Rhythm from "../../../src/Check/Heartbeat/Rhythm.js"

interface Run {
  /** How late it starts, how long it takes, and how it ends. */
  readonly late: number
  readonly takes: number
  readonly retryAfter: number
  readonly firstFailure: boolean
  readonly random: number
}

const runs = fc.array(
  fc.record({
    late: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat({ max: 200_000 })),
    takes: fc.nat({ max: 9_999 }),
    retryAfter: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat({ max: 100_000 })),
    firstFailure: fc.boolean(),
    random: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
  }),
  { minLength: 1, maxLength: 60 }
)

const policy = fc
  .record({
    interval: fc.integer({ min: 10_000, max: 60_000 }),
    jitter: fc.option(fc.integer({ min: 1, max: 5_000 }), { nil: undefined }),
    confirm: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined })
  })
  .map(({ confirm, interval, jitter }) => ({
    interval: Duration.millis(interval),
    timeout: Duration.millis(10_000),
    jitter: jitter === undefined ? undefined : Duration.millis(jitter),
    confirm: confirm === undefined ? undefined : Duration.millis(confirm)
  }))

interface Beaten {
  readonly beat: Rhythm.Beat
  readonly startedAt: number
  readonly endedAt: number
  readonly skipped: number
  readonly run: Run
}

const play = (rhythm: Rhythm.Rhythm, script: ReadonlyArray<Run>): ReadonlyArray<Beaten> => {
  let beat = Rhythm.firstBeat(rhythm, 0)
  let clock = 0
  return script.map((run) => {
    const startedAt = Math.max(clock, beat.at) + run.late
    const endedAt = startedAt + run.takes
    const next = Rhythm.next(rhythm, beat, {
      startedAt,
      at: endedAt,
      retryAfter: run.retryAfter,
      firstFailure: run.firstFailure,
      random: run.random
    })
    const beaten = { beat, startedAt, endedAt, skipped: next.skipped, run }
    beat = next.beat
    clock = endedAt
    return beaten
  })
}

const holds = (law: (rhythm: Rhythm.Rhythm, beaten: ReadonlyArray<Beaten>) => void) =>
  fc.assert(
    fc.property(policy, runs, (own, script) => {
      const rhythm = Rhythm.make("it", own, 0, Duration.seconds(10))
      law(rhythm, play(rhythm, script))
    }),
    { numRuns: 500 }
  )

/** A beat with the one after it. */
const pairs = (beaten: ReadonlyArray<Beaten>) =>
  beaten.slice(1).map((next, index) => [beaten[index] as Beaten, next] as const)

describe("Rhythm", () => {
  it("never has a beat due before the one before it has ended", () => {
    holds((_, beaten) => {
      for (const [before, next] of pairs(beaten)) assert.isAtLeast(next.beat.at, before.endedAt)
    })
  })

  it("has every beat in a slot, late by no more than the jitter, but those that confirm", () => {
    holds((rhythm, beaten) => {
      for (const { beat } of beaten) {
        const delay = beat.at - (rhythm.first + beat.slot * rhythm.interval)
        assert.isAtLeast(delay, 0)
        if (rhythm.confirm === undefined) assert.isAtMost(delay, rhythm.jitter)
        else assert.isBelow(delay, rhythm.interval + rhythm.jitter)
      }
    })
  })

  it("never goes back, and never has two beats in a slot but to confirm", () => {
    holds((rhythm, beaten) => {
      for (const [before, next] of pairs(beaten)) {
        const confirms = rhythm.confirm !== undefined && before.run.firstFailure
        assert.isAtLeast(next.beat.slot, before.beat.slot + (confirms ? 0 : 1))
      }
    })
  })

  it("counts every slot that went by, and only those", () => {
    holds((_, beaten) => {
      for (const [before, next] of pairs(beaten)) {
        const between = next.beat.slot - before.beat.slot - 1
        if (before.run.retryAfter > 0) assert.isAtLeast(between, before.skipped)
        else if (before.run.firstFailure) assert.isAtMost(Math.abs(between - before.skipped), 1)
        else assert.strictEqual(between, before.skipped)
      }
    })
  })

  it("leaves a service alone for as long as it asks", () => {
    holds((_, beaten) => {
      for (const [before, next] of pairs(beaten)) {
        assert.isAtLeast(next.beat.at, before.endedAt + before.run.retryAfter)
      }
    })
  })

  it("skips nothing where every run is in time", () => {
    holds((rhythm, beaten) => {
      if (beaten.some(({ run }) => run.late > 0) || rhythm.jitter > 0) return
      for (const { skipped } of beaten) assert.strictEqual(skipped, 0)
    })
  })

  it("starts on a grid, by the name", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 100_000 }), (name, interval) => {
        const own = {
          interval: Duration.millis(interval),
          timeout: Duration.millis(interval),
          jitter: undefined,
          confirm: undefined
        }
        const { first } = Rhythm.make(name, own, 5, Duration.seconds(10))
        assert.strictEqual((first - 5) % Rhythm.grid, 0)
        assert.isTrue(first >= 5 && first - 5 < Math.max(1, Math.min(interval, 10_000)))
        assert.strictEqual(Rhythm.make(name, own, 5, Duration.seconds(10)).first, first)
      })
    )
  })
})
