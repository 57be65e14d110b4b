/**
 * A bot with an orderly end. At SIGTERM it says in its log, in this order: stop accepting requests,
 * stop health monitoring, save application state, wait for pending tasks, cancel what remains, stop
 * the bot, close API connections, close the database.
 */
import { NodeContext } from "@effect/platform-node"
import { Config, Effect, Layer, Logger } from "effect"
import { launch, runMain } from "holter"
import { Api } from "./Api.js"
import { Backups, Watch } from "./Health.js"
import { Connections, Poller } from "./Poller.js"
import * as Prices from "./Prices.js"

const Bot = Layer.mergeAll(Api, Poller, Watch).pipe(
  Layer.provide([Backups, Prices.layer]),
  Layer.provide([Prices.Database, Connections, NodeContext.layer])
)

const main = Effect.gen(function* () {
  // What the platform waits: 30 seconds with Kubernetes, 10 with Docker.
  const grace = yield* Config.withDefault(Config.duration("BOT_GRACE"), "30 seconds")
  const lameDuck = yield* Config.withDefault(Config.duration("BOT_LAME_DUCK"), "0 seconds")
  return yield* launch(Bot, { grace, lameDuck })
})

runMain(main.pipe(Effect.provide(Logger.logFmt)), { name: "price-bot" })
