/**
 * Telegram's Bot API: a check (is the token good, and do updates reach the bot) and a channel that
 * sends alerts to a chat.
 */
import { Clock, Duration, Effect, Schedule, Schema } from "effect"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import { apiUrl } from "./shared/ApiUrl.js"
import { layerCheck } from "./shared/HttpExchange.js"
import { proxy } from "./shared/ProxyField.js"
import * as Fields from "./Telegram/fields.js"
import * as TelegramApi from "./Telegram/TelegramApi.js"
import * as Channel from "./Telegram/TelegramChannel.js"

export { HttpExchange, layerClientHttpClient, layerClientUndici } from "./shared/HttpExchange.js"
export * as TelegramApi from "./Telegram/TelegramApi.js"

/** A bot's token, as @BotFather hands it out. */
export const token = Fields.token

/**
 * Alerts as messages to a chat: the title in bold, cut to what Telegram takes. A group that became a
 * supergroup is followed there, and the log says its new id.
 */
export const TelegramChannel = Channel.TelegramChannel

/**
 * Asks who the bot is, and then how its updates fare.
 *
 * The two questions go one after the other: they share one kept connection, where at the same time
 * they would need two, and a token that was refused once is not tried again.
 */
export const Telegram = Check.make("telegram", {
  name: "telegram_api",
  label: "Telegram API",
  description: "Telegram's Bot API: the token, pending updates and errors of the webhook",
  config: {
    token,
    apiUrl: ConfigField.withDefault(apiUrl, TelegramApi.defaultApiUrl),
    maxPendingUpdates: ConfigField.withDefault(
      Schema.NonNegativeInt.annotations({
        description:
          "degraded when more updates wait: the bot does not keep up, or does not run; a whole number"
      }),
      1000
    ),
    webhookErrorAge: ConfigField.withDefault(
      ConfigField.durationOrZero.annotations({
        description: "degraded for as long after an error of the webhook; 0 seconds: never"
      }),
      "10 minutes"
    ),
    slow: Schema.optional(
      ConfigField.duration.annotations({ description: "degraded when both answers take longer" })
    ),
    proxy
  },
  error: TelegramApi.TelegramApiError,
  statuses: { RateLimited: "degraded" },
  retry: {
    schedule: Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(1)),
    while: (error) => error.isRetryable
  },
  probe: (config) =>
    Effect.gen(function* () {
      const api = yield* TelegramApi.make(config)
      const startedAt = yield* Clock.currentTimeNanos
      const bot = yield* api.getMe
      const webhook = yield* api.getWebhookInfo
      const took = Duration.nanos((yield* Clock.currentTimeNanos) - startedAt)
      const name = bot.username === undefined ? undefined : `@${bot.username}`
      const details = {
        bot_username: bot.username ?? null,
        pending_updates: webhook.pending_update_count
      }
      const concern = concernOf(webhook, config, yield* Clock.currentTimeMillis, took)
      return concern === undefined
        ? Outcome.healthy("Telegram API accessible", { details, note: name })
        : Outcome.degraded(`Telegram API accessible, but ${concern}`, { details })
    }),
  services: layerCheck
})

interface Limits {
  readonly maxPendingUpdates: number
  readonly webhookErrorAge: Duration.DurationInput
  readonly slow?: Duration.DurationInput | undefined
}

/** What keeps a reachable API from being healthy. */
const concernOf = (
  webhook: TelegramApi.WebhookInfo,
  limits: Limits,
  nowMillis: number,
  took: Duration.Duration
): string | undefined => {
  const { last_error_date, last_error_message, pending_update_count } = webhook
  const age = last_error_date === undefined ? undefined : nowMillis - last_error_date * 1000
  const most = Duration.toMillis(limits.webhookErrorAge)
  if (age !== undefined && most > 0 && age <= most) {
    const ago = Duration.format(Duration.seconds(Math.max(0, Math.round(age / 1000))))
    const what = last_error_message === undefined ? "" : `: ${last_error_message}`
    return `its webhook failed ${ago} ago${what}`
  }
  if (pending_update_count > limits.maxPendingUpdates) {
    return `${pending_update_count} updates wait for the bot (limit ${limits.maxPendingUpdates})`
  }
  if (limits.slow !== undefined && Duration.greaterThan(took, limits.slow)) {
    const millis = Math.round(Duration.toMillis(took))
    return `it took ${millis} ms, longer than ${Duration.format(limits.slow)}`
  }
  return undefined
}
