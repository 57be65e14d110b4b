import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Program from "../support/Program.js"

let program: Program.Bundle

beforeAll(async () => {
  program = await Program.bundle("test/support/alerting/beating.ts")
})
afterAll(() => program.dispose())

interface Line {
  readonly beats: number
  readonly skipped: number
}

const lines = (service: string, stdout: string): ReadonlyArray<Line> =>
  stdout.split("\n").flatMap((line) => {
    const [name, beats, skipped] = line.split(" ")
    return name === service ? [{ beats: Number(beats), skipped: Number(skipped) }] : []
  })

const beat = (count: number) => new RegExp(`^up ${count} `, "m")

/** So many beats of another process go by meanwhile. */
const slept = 9

describe("a process that is stopped for a while, as by a machine that sleeps", () => {
  it.scopedLive("goes on with one late beat, and tells nothing", () =>
    Effect.gen(function* () {
      const sleeper = yield* Program.start(program.file)
      yield* sleeper.awaitOutput(beat(4))
      yield* sleeper.pause
      const before = sleeper.stdout()
      const clock = yield* Program.start(program.file)
      yield* clock.awaitOutput(beat(slept))
      yield* sleeper.resume
      yield* sleeper.awaitOutput(beat(9))
      const after = sleeper.stdout()
      for (const service of ["up", "down"]) {
        const last = lines(service, before).at(-1)
        const first = lines(service, after.slice(before.length)).at(0)
        assert.isDefined(last)
        assert.isDefined(first)
        // It beat once for all that it missed: the rest is skipped, and not made up for.
        assert.isAtMost(first.beats, last.beats + 2)
        const skipped = (lines(service, after).at(-1)?.skipped ?? 0) - last.skipped
        assert.isAtLeast(skipped, slept - 3)
      }
      const alerts = after.split("\n").filter((line) => line.startsWith("alert"))
      assert.deepStrictEqual(alerts, ["alert opened down"])
    })
  )
})
