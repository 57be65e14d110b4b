import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "esbuild"
import * as path from "node:path"
import * as ManagedProcess from "../support/ManagedProcess.js"
import * as TempDir from "../support/TempDir.js"

const interval = 20
/** An hour of beats every 30 seconds, for which two seconds stand. */
const missed = 120

const launch = (cwd: string) =>
  ManagedProcess.start({
    name: "beating program",
    command: process.execPath,
    args: [path.join(cwd, "beating.mjs")],
    cwd
  })

/** When the results of a check came, in order. */
const results = (output: string, name: string) =>
  output
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([check, , at]) => check === name && at !== undefined)
    .map(([, , at]) => Number(at))

const count = (program: ManagedProcess.ManagedProcess) => results(program.stdout(), "a").length

it.scopedLive(
  "a process that was stopped for a hundred intervals has one late beat of each check, no storm",
  () =>
    Effect.gen(function* () {
      const cwd = yield* TempDir.make("beating")
      yield* Effect.promise(() =>
        build({
          entryPoints: [path.join(import.meta.dirname, "beatingProgram.ts")],
          outfile: path.join(cwd, "beating.mjs"),
          bundle: true,
          platform: "node",
          format: "esm",
          banner: {
            js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)'
          },
          logLevel: "error"
        })
      )
      const sleeper = yield* launch(cwd)
      // It beats on meanwhile, and so tells when the time is over.
      const awake = yield* launch(cwd)
      yield* sleeper.awaitOutput(/^b 20 /m)
      yield* sleeper.pause
      yield* awake.awaitOutput(new RegExp(`^a ${count(awake) + missed + 1} `, "m"))
      const before = count(sleeper)
      yield* sleeper.resume
      yield* sleeper.awaitOutput(new RegExp(`^b ${before + 21} `, "m"))

      for (const name of ["a", "b"]) {
        const at = results(sleeper.stdout(), name)
        const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0))
        const asleep = gaps.indexOf(Math.max(...gaps))
        assert.isAtLeast(gaps[asleep] ?? 0, (missed - 10) * interval)
        const after = at.slice(asleep + 1)
        // The late beat, the one that may follow it soon, and then no more than one an interval.
        const slots = ((after.at(-1) ?? 0) - (after[0] ?? 0)) / interval
        assert.isAtMost(after.length, slots + 2, gaps.join(" "))
        assert.isAtLeast(after.length, 15)
      }
    }),
  30_000
)
