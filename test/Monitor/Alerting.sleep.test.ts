import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Program from "../support/Program.js"

let program: Program.Bundle

beforeAll(async () => {
  program = await Program.bundle("test/support/alerting/beating.ts")
})
afterAll(() => program.dispose())

interface Line {
  /** The number of the result. Several may come before the beats are counted: each number comes once. */
  readonly count: number
  readonly beats: number
  readonly skipped: number
  /** By the clock of the program, in milliseconds. */
  readonly at: number
}

const lines = (service: string, stdout: string): ReadonlyArray<Line> =>
  stdout.split("\n").flatMap((line) => {
    const [name, count, beats, skipped, at] = line.split(" ")
    return name === service && at !== undefined
      ? [{ count: Number(count), beats: Number(beats), skipped: Number(skipped), at: Number(at) }]
      : []
  })

const beat = (count: number) => new RegExp(`^up ${count} `, "m")

const countOf = (program: Program.Program): number =>
  lines("up", program.stdout()).at(-1)?.count ?? 0

const minute = 60_000

/** Beats within an hour of their clock; some of them may be skipped by a busy machine. */
const missed = 60

describe("a process that is stopped for an hour of its clock, as by a machine that sleeps", {
  timeout: 120_000
}, () => {
  it.scopedLive(
    "goes on with one late beat of each check, and tells nothing but what is true",
    () =>
      Effect.gen(function* () {
        const sleeper = yield* Program.start(program.file)
        // It beats on meanwhile, and so tells when the time is over.
        const awake = yield* Program.start(program.file)
        yield* awake.awaitOutput(beat(1))
        yield* sleeper.awaitOutput(/^alert opened down$/m)
        yield* sleeper.pause
        const before = sleeper.stdout()
        yield* awake.awaitOutput(beat(countOf(awake) + missed + 1))
        yield* sleeper.resume
        yield* sleeper.awaitOutput(beat((lines("up", before).at(-1)?.count ?? 0) + 15))
        const stdout = sleeper.stdout()
        for (const service of ["up", "down"]) {
          const all = lines(service, stdout)
          const gaps = all.slice(1).map(({ at }, index) => at - (all[index]?.at ?? 0))
          const asleep = gaps.indexOf(Math.max(...gaps))
          // An hour went by for it: long enough for every rule that goes by time.
          assert.isAtLeast(gaps[asleep] ?? 0, (missed - 1) * minute)
          const [last, ...after] = all.slice(asleep)
          const [first] = after
          assert.isDefined(last)
          assert.isDefined(first)
          // It beat once for all that it missed: the rest is skipped, and not made up for. A beat that was
          // under way when it was stopped is on time, and the next one is late.
          assert.isAtMost(first.beats, last.beats + 2)
          const { skipped } = after[1] ?? first
          assert.isAtLeast(skipped - last.skipped, missed - 3)
          // The late beat, the one that may follow it soon, and then no more than one an interval.
          const slots = ((after.at(-1)?.at ?? 0) - first.at) / minute
          assert.isAtMost(after.length, slots + 2, gaps.join(" "))
        }
        const alerts = stdout.split("\n").filter((line) => line.startsWith("alert"))
        // What was down before and still is, is reminded of once; nothing is stale, and nothing comes back.
        assert.deepStrictEqual(alerts, ["alert opened down", "alert reminder down"])
      })
  )
})
