/** The bot's own HTTP server: its data, and what a platform asks to know how it is. */
import { HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Config, Effect, Layer } from "effect"
import { HttpDrain, Lifecycle } from "holter"
import { createServer } from "node:http"
import { Prices } from "./Prices.js"

const status = (isGood: boolean) => HttpServerResponse.empty({ status: isGood ? 204 : 503 })

const router = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/prices/count",
    Effect.gen(function* () {
      const prices = yield* Prices
      return yield* HttpServerResponse.json({ count: yield* prices.count })
    })
  ),
  // Gone at the signal, so that balancers send no more; the server answers on.
  HttpRouter.get(
    "/readyz",
    Effect.map(Lifecycle.Lifecycle, ({ isAccepting }) => status(isAccepting()))
  ),
  HttpRouter.get("/livez", Effect.succeed(status(true)))
)

export const Api = Layer.unwrapScoped(
  Effect.gen(function* () {
    const server = createServer()
    yield* HttpDrain.register(server, { name: "api" })
    const port = yield* Config.withDefault(Config.integer("BOT_PORT"), 3000)
    return HttpServer.serve(router).pipe(
      HttpServer.withLogAddress,
      Layer.provide(NodeHttpServer.layer(() => server, { port, host: "127.0.0.1" }))
    )
  })
)
