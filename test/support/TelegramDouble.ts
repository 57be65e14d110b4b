/**
 * A local server that speaks Telegram's Bot API: it checks the token, the chat, the HTML and the
 * length of a message as the real one does, and can be told to fail.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Double from "./Double.js"
import type { DoubleOptions } from "./doubles/apis.js"
import type { Behaviour } from "./doubles/Behaviour.js"
import {
  failure,
  type SentMessage,
  type TelegramState,
  type WebhookInfo
} from "./doubles/TelegramApi.js"
import type { ServerError } from "./ServerError.js"

export type { SentMessage, TelegramState, WebhookInfo }

export interface TelegramDoubleOptions extends Partial<TelegramState> {
  readonly token?: string
  readonly username?: string
  readonly chats?: ReadonlyArray<string | number>
}

export interface TelegramDouble
  extends Double.Double,
    Double.Faulty<"getMe" | "getWebhookInfo" | "sendMessage"> {
  readonly token: string
  readonly username: string
  /** The first of the chats. */
  readonly chatId: string
  readonly messages: Effect.Effect<ReadonlyArray<SentMessage>>
  /** Waits for so many accepted messages, counted since the start. */
  readonly awaitMessages: (count: number) => Effect.Effect<ReadonlyArray<SentMessage>>
  readonly set: (state: Partial<TelegramState>) => Effect.Effect<void>
}

export interface TelegramDoubleProcess extends TelegramDouble, Double.Child {}

export const make = (
  options: TelegramDoubleOptions = {}
): Effect.Effect<TelegramDouble, ServerError, Scope.Scope> => {
  const full = defaults(options)
  return Effect.map(Double.inProcess(optionsOf(full)), ({ ask, port }) => of(full, port, ask))
}

export const makeProcess = (
  options: TelegramDoubleOptions = {}
): Effect.Effect<TelegramDoubleProcess, ServerError, Scope.Scope> => {
  const full = defaults(options)
  return Effect.map(Double.inChild(optionsOf(full)), ({ ask, child, port, start }) => ({
    ...of(full, port, ask),
    ...child,
    start
  }))
}

/** 429 with `parameters.retry_after`, and a Retry-After header as the real server sends. */
export const tooManyRequests = (seconds: number): Behaviour =>
  failure(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds })

export const internalError: Behaviour = failure(500, "Internal Server Error: restart")
export const badGateway: Behaviour = failure(502, "Bad Gateway")
export const unauthorized: Behaviour = failure(401, "Unauthorized")
export const blocked: Behaviour = failure(403, "Forbidden: bot was blocked by the user")
export const kicked: Behaviour = failure(403, "Forbidden: bot was kicked from the supergroup chat")
export const chatNotFound: Behaviour = failure(400, "Bad Request: chat not found")
export const error = failure

type Full = TelegramDoubleOptions & {
  readonly token: string
  readonly username: string
  readonly chats: ReadonlyArray<string>
}

const defaults = (options: TelegramDoubleOptions): Full => ({
  ...options,
  token: options.token ?? "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
  username: options.username ?? "dmarket_bot",
  chats: (options.chats ?? ["424242"]).map(String)
})

const optionsOf = (options: Full): DoubleOptions => ({
  server: { port: 0 },
  api: { _tag: "Telegram", options }
})

const of = (options: Full, port: number, ask: Double.Ask): TelegramDouble => ({
  ...Double.make(port, ask),
  ...Double.faulty(ask),
  token: options.token,
  username: options.username,
  chatId: options.chats[0] ?? "",
  messages: ask({ _tag: "Api", name: "messages", payload: undefined }),
  awaitMessages: (count) => ask({ _tag: "AwaitApi", name: "messages", count }),
  set: (state) => ask({ _tag: "Api", name: "set", payload: state })
})
