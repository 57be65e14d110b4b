/**
 * A program of its own whose heartbeat prints each result: its check, its number and when it came,
 * in milliseconds. Run by Heartbeat.sleep.test.ts.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Heartbeat from "../../src/Check/Heartbeat.js"
import { check, ok } from "./scripted.js"

const counts = new Map<string, number>()

const program = Effect.gen(function* () {
  const heartbeat = yield* Heartbeat.make(
    ({ name }) => {
      const count = (counts.get(name) ?? 0) + 1
      counts.set(name, count)
      process.stdout.write(`${name} ${count} ${performance.now()}\n`)
    },
    { spread: "0 seconds" }
  )
  return yield* heartbeat.run
})

const policy = { set: { interval: "20 millis", timeout: "20 millis" } } as const
const checks = Layer.merge(
  check("a", Effect.succeed(ok), policy),
  check("b", Effect.succeed(ok), policy)
)

NodeRuntime.runMain(
  Effect.provide(
    program,
    checks.pipe(Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer())))
  )
)
