/** The bot's own HTTP server: its data, what a platform asks to know how it is, and its backups. */
import { HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { SqlClient } from "@effect/sql"
import { Config, Effect, Layer } from "effect"
import { Backup, HttpDrain, Lifecycle } from "holter"
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
  HttpRouter.get("/livez", Effect.succeed(status(true))),
  HttpRouter.post(
    "/backups",
    Effect.gen(function* () {
      const backup = yield* Backup.Backup
      const { name } = yield* backup.create()
      return yield* HttpServerResponse.json({ name })
    })
  ),
  // Everything in this program that uses the database waits meanwhile, the journal too.
  HttpRouter.post(
    "/restore",
    Effect.gen(function* () {
      const backup = yield* Backup.Backup
      const sql = yield* SqlClient.SqlClient
      const restored = yield* backup.restore(
        { _tag: "Latest" },
        { quiesce: Effect.orDie(sql.reserve) }
      )
      return yield* HttpServerResponse.json({ name: restored?.name, saved: restored?.preRestore })
    })
  )
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
