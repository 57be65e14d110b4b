/**
 * Alerts as messages to a Telegram chat.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import * as AlertChannel from "../../Alert/AlertChannel.js"
import { AlertChannelError } from "../../Alert/AlertChannelError.js"
import * as AlertText from "../../Alert/AlertText.js"
import * as ConfigField from "../../Plugin/ConfigField.js"
import { apiUrl } from "../shared/ApiUrl.js"
import { layerChannel } from "../shared/HttpExchange.js"
import { proxy } from "../shared/ProxyField.js"
import { chatId, token } from "./fields.js"
import * as TelegramApi from "./TelegramApi.js"

export const TelegramChannel = AlertChannel.make("telegram", {
  description: "Messages to a Telegram chat, a group or a channel",
  config: {
    token,
    chatId,
    apiUrl: ConfigField.withDefault(apiUrl, TelegramApi.defaultApiUrl),
    thread: Schema.optional(
      ConfigField.count.annotations({
        description: "the topic of a group with topics: the number in its link; 1 is General"
      })
    ),
    silent: ConfigField.withDefault(
      Schema.Boolean.annotations({ description: "true: messages come without a sound" }),
      false
    ),
    proxy
  },
  variables: {
    token: "TELEGRAM_BOT_TOKEN",
    chatId: "ADMIN_TELEGRAM_CHAT_ID",
    apiUrl: "TELEGRAM_API_URL"
  },
  // One API for all alerts: it remembers where a group went.
  open: (config, name, installation) =>
    Effect.map(
      TelegramApi.make(config),
      (api) => (alert: Alert) =>
        Effect.mapError(
          api.sendMessage({
            chatId: config.chatId,
            html: htmlOf(alert, installation),
            silent: config.silent,
            thread: config.thread
          }),
          (error) => fromApi(error, name)
        )
    ),
  services: (config) => layerChannel(config.apiUrl, config)
})

/** The title in bold; what does not fit is cut off at the end. */
const htmlOf = (alert: Alert, installation: string | undefined): string => {
  const { escapeHtml } = TelegramApi
  const title = AlertText.title(alert)
  const headline = installation === undefined ? title : `${installation}: ${title}`
  const markup: AlertText.Markup = {
    text: escapeHtml,
    link: (words, url) => `<a href="${escapeHtml(url)}">${escapeHtml(words)}</a>`
  }
  return [`<b>${escapeHtml(headline)}</b>`, ...AlertText.lines(alert, markup)].join("\n")
}

const reasons: Readonly<
  Record<TelegramApi.TelegramApiError["reason"], AlertChannelError["reason"]>
> = {
  Unauthorized: "Misconfigured",
  Forbidden: "Permanent",
  ChatNotFound: "Permanent",
  // Followed further than a group can have gone: another attempt follows from there.
  ChatMigrated: "Transient",
  RateLimited: "Transient",
  // It is sent again without the topic: only a strange server says so of that too.
  ThreadNotFound: "Permanent",
  Unacceptable: "Refused",
  // It is not the message, so it is the chat: no right to write.
  Rejected: "Permanent",
  ServerError: "Transient",
  Network: "Transient",
  // A proxy's page in the place of an answer goes away; a wrong `apiUrl` stands in the log.
  Malformed: "Transient"
}

const fromApi = (error: TelegramApi.TelegramApiError, channel: string): AlertChannelError =>
  new AlertChannelError({
    reason: reasons[error.reason],
    channel,
    problem: error.message,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    ...(error.unclear === true ? { unclear: true } : {}),
    cause: error
  })
