/** What Holter does for the bot: it watches what the bot needs, alerts a chat, and backs the database up. */
import { Config, Duration, Effect, Layer } from "effect"
import { Holter, Journal } from "holter"
import { Database } from "holter/plugins/Database"
import { Http } from "holter/plugins/Http"
import { Redis } from "holter/plugins/Redis"
import { TelegramChannel } from "holter/plugins/Telegram"
import { databaseFile } from "./Prices.js"

export const Watch = Layer.unwrapEffect(
  Effect.gen(function* () {
    const interval = yield* Config.withDefault(Config.duration("BOT_INTERVAL"), "30 seconds")
    const pace = { interval, timeout: Duration.min(interval, "10 seconds") }
    const api = yield* Config.string("BOT_API_URL")
    const url = yield* Config.redacted("REDIS_URL")
    const telegram = yield* Config.all({
      token: Config.redacted("TELEGRAM_BOT_TOKEN"),
      chatId: Config.string("TELEGRAM_CHAT_ID"),
      apiUrl: Config.withDefault(Config.string("TELEGRAM_API_URL"), "https://api.telegram.org")
    })
    return Holter.layer({
      checks: Layer.mergeAll(
        Database.layerSqlClient({}, pace),
        Redis.layerStandalone({ url }, pace),
        Http.layerStandalone({ url: api }, { name: "price api", critical: false, ...pace })
      ),
      channels: TelegramChannel.layerStandalone(telegram),
      journal: Journal.layer(),
      onChange: ({ service, status }) => Effect.log(`${service} is ${status}`)
    })
  })
)

export const Backups = Layer.unwrapEffect(
  Effect.gen(function* () {
    const url = yield* databaseFile
    const directory = yield* Config.withDefault(Config.string("BOT_BACKUPS"), "backups")
    return Holter.layerBackups({ app: "price bot", url, directory, schedule: "0 3 * * *" })
  })
)
