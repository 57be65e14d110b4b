/**
 * A program that embeds Holter and backs up its database while it goes on: prints, as JSON, how late
 * its event loop was. It takes the built library, as a bot does.
 */
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"

const [url = "", directory = ""] = process.argv.slice(2)
const { Backup, BackupStore, BackupStrategy } = await import("../../dist/index.js")

const layer = Backup.layer({ app: "bench" }).pipe(
  Layer.provide(BackupStore.layerDirectory({ path: directory })),
  Layer.provide(BackupStrategy.layerUrl(url)),
  Layer.provide(NodeContext.layer)
)

const millis = (nanoseconds) => nanoseconds / 1e6

const program = Effect.gen(function* () {
  const backup = yield* Backup.Backup
  // What the first run loads and compiles is the start of a program, not its work.
  yield* backup.list
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  yield* backup.create()
  yield* backup.verify()
  delay.disable()
  console.log(JSON.stringify({ p99: millis(delay.percentile(99)), max: millis(delay.max) }))
})

await Effect.runPromise(Effect.provide(program, layer))
