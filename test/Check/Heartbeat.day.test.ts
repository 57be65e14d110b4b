import { assert, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { Log, start } from "./beating.js"
import { ok, ScriptedError } from "./scripted.js"

// All in one moment: the virtual clock takes milliseconds of real time for each moment at which
// something wakes, and spread over their slots they would take minutes.
it.scoped(
  "a day of 20 checks at 5 minutes: every beat, in its place",
  () =>
    Effect.gen(function* () {
      const log = new Log()
      const names = Array.from({ length: 20 }, (_, index) => `check_${index}`)
      const [first = Layer.empty, ...rest] = names.map((name, index) =>
        log.check(
          name,
          (run) =>
            run % (index + 2) === 0
              ? Effect.fail(new ScriptedError({ reason: "Down" }))
              : Effect.succeed(ok),
          { set: { interval: "5 minutes" } }
        )
      )
      const { counts, results, starts } = yield* start(log, Layer.mergeAll(first, ...rest), {
        spread: "0 seconds"
      })
      yield* TestClock.adjust("86399 seconds")
      const beats = Array.from({ length: 288 }, (_, beat) => beat * 300)
      for (const name of names) {
        assert.deepStrictEqual(starts(name), beats)
        assert.deepInclude(yield* counts(name), { beats: 288, skipped: 0 })
      }
      assert.lengthOf(results, 20 * 288)
    }),
  30_000
)
