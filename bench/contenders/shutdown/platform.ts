/** @effect/platform's own server under its own main. */
import { HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { createServer } from "node:http"

const app = Effect.gen(function* () {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  const { searchParams } = new URL(url, "http://bench")
  yield* Effect.sleep(`${Number(searchParams.get("ms"))} millis`)
  return HttpServerResponse.text("done")
})

const Announced = Layer.effectDiscard(
  Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
    Effect.sync(() => console.log(`port ${address._tag === "TcpAddress" ? address.port : ""}`))
  )
)

NodeRuntime.runMain(
  Layer.launch(
    Layer.merge(HttpServer.serve(app), Announced).pipe(
      Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
    )
  )
)
