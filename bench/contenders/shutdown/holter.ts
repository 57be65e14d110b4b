/** The server behind `launch` and `runMain`. */
import { Effect, Layer, Logger, LogLevel } from "effect"
import { HttpDrain, launch, runMain } from "holter"
import { createServer } from "node:http"
import { handler, lameDuck, listen } from "./work.mjs"

const Server = Layer.scopedDiscard(
  Effect.gen(function* () {
    const server = createServer(handler)
    yield* HttpDrain.register(server)
    listen(server)
  })
)

runMain(
  launch(Server, { lameDuck: `${lameDuck} millis` }).pipe(
    Logger.withMinimumLogLevel(LogLevel.Warning)
  )
)
