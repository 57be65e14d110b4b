/** A program whose one check blocks the event loop, in the way and for the time that it is told. */
import { Effect, Layer, Schedule } from "effect"
import { openSync } from "node:fs"
import * as Check from "../../../src/Check/Check.js"
import * as CheckRegistry from "../../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../../src/Check/CheckRunner.js"
import * as Outcome from "../../../src/Check/Outcome.js"
import { runMain } from "../../../src/Lifecycle/runMain.js"
import * as Watchdog from "../../../src/Lifecycle/Watchdog.js"
import { ScriptedError } from "../../Check/scripted.js"

/** `loop`, `none`, or the path of a pipe that has no writer. */
const [how = "loop", limit = "0"] = process.argv.slice(2)

const blockTheLoop = () => {
  if (how === "loop") for (;;) Math.sqrt(2)
  if (how !== "none") openSync(how, "r")
}

const check = (name: string, probe: Effect.Effect<void>) =>
  Check.make(name, {
    description: "for the watchdog",
    config: {},
    error: ScriptedError,
    services: () => Layer.empty,
    probe: () => Effect.as(probe, Outcome.healthy("passed"))
  }).layer({})

const program = Effect.gen(function* () {
  const runner = yield* CheckRunner.CheckRunner
  const checks = yield* (yield* CheckRegistry.CheckRegistry).all
  yield* Effect.forEach(checks, runner.run, { concurrency: "unbounded", discard: true })
  console.log("turning")
  // As long as it is not ended it shows that it is there.
  yield* Effect.repeat(
    Effect.sync(() => console.log("turn")),
    Schedule.spaced("20 millis")
  )
  return 0
})

const Checks = Layer.merge(
  check("before", Effect.void),
  check("hanging", Effect.sync(blockTheLoop))
)

const Watched = Layer.merge(Checks, CheckRunner.layer()).pipe(
  Layer.provideMerge(CheckRegistry.layer),
  Layer.provide(Watchdog.layer({ limit: Number(limit), name: "bot", advice: "Tell its author." }))
)

runMain(Effect.provide(program, Watched), { name: "bot" })
