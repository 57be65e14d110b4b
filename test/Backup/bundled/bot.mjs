/**
 * A little bot that backs up its database, as a user writes it. It prints, as JSON, what became of that, and of
 * how many backups a thread has told.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { Backup, BackupStore, BackupStrategy } from "holter"

const [url, directory] = process.argv.slice(2)
let told = 0
process.on("worker", (worker) => worker.on("message", (some) => (told += some.length)))

const backups = Backup.layer({ app: "bot" }).pipe(
  Layer.provide(BackupStore.layerDirectory({ path: directory })),
  Layer.provide(BackupStrategy.layerUrl(url)),
  Layer.provide(NodeContext.layer)
)

const program = Effect.gen(function* () {
  const backup = yield* Backup.Backup
  const { manifest, name } = yield* backup.create()
  const verified = yield* backup.verify()
  yield* Console.log(
    JSON.stringify({
      name,
      tables: manifest.dump.tables,
      verified: verified.map((one) => [one.name, one.problem?.message ?? "sound"]),
      told
    })
  )
})

NodeRuntime.runMain(Effect.provide(program, backups))
