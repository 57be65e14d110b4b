/**
 * The part of Telegram's Bot API that Holter uses, for the check and for messages: getMe,
 * getWebhookInfo, sendMessage. The token is part of every URL there, so no URL is ever shown.
 */
import { Clock, Context, Duration, Effect, Either, Layer, Redacted, Schema } from "effect"
import { reported } from "../shared/ErrorFields.js"
import {
  HttpExchange,
  type HttpFault,
  layerClientUndici,
  type Reply,
  retryAfter
} from "../shared/HttpExchange.js"
import * as TelegramHtml from "./TelegramHtml.js"

export { escape as escapeHtml, longest as longestMessage } from "./TelegramHtml.js"

export class TelegramApiError extends Schema.TaggedError<TelegramApiError>(
  "holter/plugins/Telegram/TelegramApiError"
)("TelegramApiError", {
  reason: Schema.Literal(
    "Unauthorized",
    "Forbidden",
    "ChatNotFound",
    "ChatMigrated",
    "RateLimited",
    "ThreadNotFound",
    "Unacceptable",
    "Rejected",
    "ServerError",
    "Network",
    "Malformed"
  ),
  problem: Schema.String,
  isRetryable: Schema.Boolean,
  /** Whether a message may have arrived, though there is no word that it has. */
  unclear: Schema.optional(Schema.Boolean),
  /** Where the chat is now. */
  migrateToChatId: Schema.optional(Schema.String),
  ...reported,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `Telegram API: ${this.problem}`
  }
}

export interface Options {
  readonly token: Redacted.Redacted<string>
  readonly apiUrl?: string | undefined
}

export interface Message {
  readonly chatId: string
  /** In Telegram's HTML; what does not fit into one message is cut off. */
  readonly html: string
  /** Delivered without a sound. */
  readonly silent?: boolean | undefined
  /**
   * The topic, in a group that has topics; 1 is General. Where it was deleted or closed the message
   * goes to the group without it, and says so.
   */
  readonly thread?: number | undefined
}

export const defaultApiUrl = "https://api.telegram.org"

export class TelegramApi extends Context.Tag("holter/plugins/Telegram/TelegramApi")<
  TelegramApi,
  {
    /** Who the token belongs to. */
    readonly getMe: Effect.Effect<Bot, TelegramApiError>
    readonly getWebhookInfo: Effect.Effect<WebhookInfo, TelegramApiError>
    /**
     * Sends a message and gives its id. A group that has become a supergroup is followed to its new
     * id, which is remembered and told to the log, both once. So is a topic that is not there.
     */
    readonly sendMessage: (message: Message) => Effect.Effect<number, TelegramApiError>
  }
>() {}

const Bot = Schema.Struct({ id: Schema.Number, username: Schema.optional(Schema.String) })

export type Bot = typeof Bot.Type

const WebhookInfo = Schema.Struct({
  pending_update_count: Schema.Number,
  /** In seconds since 1970. */
  last_error_date: Schema.optional(Schema.Number),
  last_error_message: Schema.optional(Schema.String)
})

export type WebhookInfo = typeof WebhookInfo.Type

const Sent = Schema.Struct({ message_id: Schema.Number })

export const make = (options: Options): Effect.Effect<TelegramApi["Type"], never, HttpExchange> =>
  Effect.map(HttpExchange, (http) => {
    const base = (options.apiUrl ?? defaultApiUrl).replace(/\/+$/, "")
    const call = <A, I>(method: string, result: Schema.Schema<A, I>, params?: object) =>
      http
        .exchange({
          method: params === undefined ? "GET" : "POST",
          url: `${base}/bot${Redacted.value(options.token)}/${method}`,
          ...(params === undefined
            ? {}
            : { headers: { "content-type": "application/json" }, body: JSON.stringify(params) })
        })
        .pipe(
          Effect.mapError((fault) => fromFault(fault, params === undefined)),
          Effect.flatMap((reply) => resultOf(reply, result))
        )
    const send = ({ chatId, html, silent, thread }: Message) =>
      Effect.map(
        call("sendMessage", Sent, {
          chat_id: chatId,
          text: TelegramHtml.clip(html),
          parse_mode: "HTML",
          link_preview_options: { is_disabled: true },
          ...(silent === true ? { disable_notification: true } : {}),
          ...(thread === undefined || thread === general ? {} : { message_thread_id: thread })
        }),
        (sent) => sent.message_id
      )
    return {
      getMe: call("getMe", Bot),
      getWebhookInfo: call("getWebhookInfo", WebhookInfo),
      sendMessage: anywhere(following(send))
    }
  })

type Send = (message: Message) => Effect.Effect<number, TelegramApiError>

/** The topic that every group with topics has. A message to it names none; its number is refused. */
const general = 1

/** To the group itself where the topic is not there. Each message asks for its topic first. */
const anywhere = (send: Send): Send => {
  const told = new Set<number>()
  return (message) =>
    Effect.catchAll(send(message), (error) => {
      const { html, thread } = message
      if (error.reason !== "ThreadNotFound" || thread === undefined) return Effect.fail(error)
      const isNews = !told.has(thread)
      told.add(thread)
      const said = `The topic ${thread} of this group is not there or is closed`
      const log = `${said}: messages go to the group without it. Set \`thread\` to another topic, or leave it out`
      return Effect.zipRight(
        isNews ? Effect.logWarning(`Telegram: ${log}`) : Effect.void,
        send({ ...message, thread: undefined, html: `${html}\n\n${TelegramHtml.escape(said)}.` })
      )
    })
}

/** To where groups went, as long as this lives; it is asked for anew at the next start. */
const following = (send: Send): Send => {
  const places = new Map<string, string>()
  const follow = (message: Message, hops: number): ReturnType<Send> =>
    Effect.suspend(() =>
      send({ ...message, chatId: places.get(message.chatId) ?? message.chatId })
    ).pipe(
      Effect.catchAll((error) => {
        const { chatId } = message
        // What it was followed to is gone: the next attempt asks where it is.
        if (error.reason === "ChatNotFound") places.delete(chatId)
        const place = error.migrateToChatId
        if (place === undefined) return Effect.fail(error)
        places.set(chatId, place)
        const again = hops === 0 ? Effect.fail(error) : follow(message, hops - 1)
        return Effect.zipRight(Effect.logWarning(moved(chatId, place)), again)
      })
    )
  return (message) => follow(message, longestWay)
}

/** A group becomes a supergroup once. */
const longestWay = 3

const moved = (from: string, to: string): string =>
  `The Telegram group ${from} is a supergroup now. Messages go to its new chat id, ${to}, for as long as this runs: put that into the configuration, before Telegram forgets the old one`

export const layer = (options: Options): Layer.Layer<TelegramApi, never, HttpExchange> =>
  Layer.effect(TelegramApi, make(options))

/** `layer` with connections of its own. */
export const layerStandalone = (options: Options): Layer.Layer<TelegramApi> =>
  Layer.provide(layer(options), layerClientUndici)

const Envelope = Schema.parseJson(
  Schema.Struct({
    ok: Schema.Boolean,
    result: Schema.optional(Schema.Unknown),
    error_code: Schema.optional(Schema.Number),
    description: Schema.optional(Schema.String),
    parameters: Schema.optional(
      Schema.Struct({
        retry_after: Schema.optional(Schema.Number),
        migrate_to_chat_id: Schema.optional(Schema.Union(Schema.Number, Schema.String))
      })
    )
  })
)

type Envelope = typeof Envelope.Type

const decodeEnvelope = Schema.decodeUnknownEither(Envelope)

const resultOf = <A, I>(
  reply: Reply,
  result: Schema.Schema<A, I>
): Effect.Effect<A, TelegramApiError> => {
  const envelope = Either.getOrUndefined(decodeEnvelope(reply.text))
  if (envelope?.ok === true) {
    return Effect.mapError(Schema.decodeUnknown(result)(envelope.result), () => malformed(reply))
  }
  return Effect.flatMap(Clock.currentTimeMillis, (now) => refusal(reply, envelope, now))
}

const refusal = (
  reply: Reply,
  envelope: Envelope | undefined,
  nowMillis: number
): TelegramApiError => {
  // Somebody in between may answer with a status of its own.
  const status = envelope?.error_code ?? reply.status
  const said = envelope?.description === undefined ? "" : `: ${envelope.description}`
  const fail = (
    reason: TelegramApiError["reason"],
    problem: string,
    more: {
      readonly migrateToChatId?: string
      readonly retryAfter?: Duration.Duration | undefined
      readonly unclear?: boolean
    } = {}
  ) => new TelegramApiError({ reason, problem, isRetryable: false, details: { status }, ...more })

  if (status === 429) {
    const asked = envelope?.parameters?.retry_after
    const rest =
      asked === undefined
        ? retryAfter(reply.header("retry-after"), nowMillis)
        : retryAfter(String(Math.ceil(asked)), nowMillis)
    const hint = rest === undefined ? "" : `, asks to wait ${Duration.format(rest)}`
    return fail("RateLimited", `rate limited (HTTP 429)${hint}`, { retryAfter: rest })
  }
  if (status >= 500) {
    const unclear = reply.isUnclear
    return fail("ServerError", `the server failed (HTTP ${status}${said})`, { unclear })
  }
  // Behind a wrong address, anything may answer with these statuses; Telegram says so in JSON.
  if (envelope === undefined || status < 400) return malformed(reply)
  if (status === 401 || status === 404) {
    return fail(
      "Unauthorized",
      `the token is not valid or was revoked (HTTP ${status}${said}); get a new one from @BotFather`
    )
  }
  if (status === 403) return fail("Forbidden", `the bot may not do this (HTTP 403${said})`)
  const migrated = envelope.parameters?.migrate_to_chat_id
  if (migrated !== undefined) {
    return fail("ChatMigrated", `the group is a supergroup now, with the chat id ${migrated}`, {
      migrateToChatId: String(migrated)
    })
  }
  const description = envelope.description ?? ""
  if (/chat not found/i.test(description)) {
    return fail(
      "ChatNotFound",
      "the chat is not known; check the chat id, and that the chat has started the bot"
    )
  }
  if (/thread not found|topic[ _](?:was )?(?:deleted|closed|not[ _]found)/i.test(description)) {
    return fail("ThreadNotFound", `the topic is not there or is closed (HTTP ${status}${said})`)
  }
  if (status === 413 || unacceptable.test(description)) {
    return fail("Unacceptable", `this message is not taken (HTTP ${status}${said})`)
  }
  return fail("Rejected", `the request was rejected (HTTP ${status}${said})`)
}

/** What Telegram says of the message itself, and not of the chat. */
const unacceptable =
  /can't parse (?:entities|message text)|message is too long|message text is empty|(?:text|strings) must be (?:non-empty|encoded)|message_too_long|entit(?:y|ies)_|wrong string length/i

const malformed = (reply: Reply): TelegramApiError =>
  new TelegramApiError({
    reason: "Malformed",
    problem: `expected an answer of the Bot API, found something else (HTTP ${reply.status}); is the address of the API right?`,
    isRetryable: false,
    // Who answers a refusal in the place of Telegram has not passed it on.
    unclear: reply.status < 400 || reply.isUnclear,
    details: { status: reply.status }
  })

/** A message whose answer was lost may have arrived: it is not sent again without asking. */
const fromFault = (fault: HttpFault, isRead: boolean): TelegramApiError =>
  new TelegramApiError({
    reason: "Network",
    problem: fault.message,
    isRetryable: fault.isRetryable && (isRead || fault.reason === "Refused"),
    unclear: fault.isUnclear,
    cause: fault
  })
