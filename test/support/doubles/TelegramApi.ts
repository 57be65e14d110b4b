/**
 * The part of Telegram's Bot API that Holter uses, with the answers and the errors of the real
 * one: getMe, getWebhookInfo and sendMessage.
 */
import { type Behaviour, json } from "./Behaviour.js"
import * as Faults from "./Faults.js"
import type { Api, RecordedRequest } from "./HttpCore.js"
import { parse } from "./TelegramHtml.js"

export interface WebhookInfo {
  readonly url: string
  readonly has_custom_certificate: boolean
  readonly pending_update_count: number
  readonly last_error_date?: number
  readonly last_error_message?: string
  readonly max_connections?: number
}

export interface SentMessage {
  readonly chat_id: string
  readonly message_id: number
  readonly text: string
  readonly parse_mode: string | undefined
  /** What the reader sees: the text without its markup. */
  readonly plain: string
  /** Every parameter as it was sent. */
  readonly params: Readonly<Record<string, string>>
}

export interface TelegramState {
  /** Updates that wait for the bot. */
  readonly pendingUpdates: number
  readonly webhook: Partial<WebhookInfo>
  /** The token is no longer valid. */
  readonly revoked: boolean
  /** Chats whose user has blocked the bot. */
  readonly blockedBy: ReadonlyArray<string>
  /** Groups that became supergroups: old id to new id. */
  readonly migrated: Readonly<Record<string, string>>
}

export interface TelegramOptions extends Partial<TelegramState> {
  readonly token: string
  readonly username: string
  readonly chats: ReadonlyArray<string>
}

/** Longest message, in UTF-16 units, after its entities were parsed. */
const longest = 4096

export const make = (options: TelegramOptions): Api => {
  const faults = Faults.make()
  const messages: Array<SentMessage> = []
  let state: TelegramState = {
    pendingUpdates: 0,
    webhook: {},
    revoked: false,
    blockedBy: [],
    migrated: {},
    ...options
  }
  const bot = {
    id: Number(options.token.split(":")[0]),
    is_bot: true,
    first_name: options.username,
    username: options.username,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false
  }

  const sendMessage = (params: Readonly<Record<string, string>>): Behaviour => {
    const chat = params.chat_id ?? ""
    if (chat === "") return failure(400, "Bad Request: chat_id is empty")
    const mode = params.parse_mode ?? ""
    if (!["", "html", "markdown", "markdownv2"].includes(mode.toLowerCase())) {
      return failure(400, "Bad Request: unsupported parse_mode")
    }
    const source = params.text ?? ""
    if (/\p{Surrogate}/u.test(source)) {
      return failure(400, "Bad Request: strings must be encoded in UTF-8")
    }
    const parsed =
      mode.toLowerCase() === "html"
        ? parse(source)
        : { ok: true as const, text: source, entities: [] }
    if (!parsed.ok) return failure(400, `Bad Request: can't parse entities: ${parsed.problem}`)
    const plain = parsed.text.trim()
    if (plain === "") return failure(400, "Bad Request: message text is empty")
    if (plain.length > longest) return failure(400, "Bad Request: message is too long")
    const supergroup = state.migrated[chat]
    if (supergroup !== undefined) {
      return failure(400, "Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: Number(supergroup)
      })
    }
    const known = [...options.chats, ...Object.values(state.migrated)]
    if (!known.includes(chat)) return failure(400, "Bad Request: chat not found")
    if (state.blockedBy.includes(chat)) {
      return failure(403, "Forbidden: bot was blocked by the user")
    }
    const message: SentMessage = {
      chat_id: chat,
      message_id: messages.length + 1,
      text: source,
      parse_mode: mode === "" ? undefined : mode,
      plain,
      params
    }
    messages.push(message)
    return success({
      message_id: message.message_id,
      from: bot,
      chat: chat.startsWith("@")
        ? { id: -1001, type: "channel", username: chat.slice(1) }
        : { id: Number(chat), type: chat.startsWith("-") ? "supergroup" : "private" },
      date: Math.floor(Date.now() / 1000),
      text: plain,
      ...(parsed.entities.length === 0 ? {} : { entities: parsed.entities })
    })
  }

  return {
    handle: (request) => {
      const match = /^\/bot([^/?]*)\/([^/?]*)/.exec(request.url)
      const token = decodeURIComponent(match?.[1] ?? "")
      if (!/^[1-9]\d*:[\w-]{10,}$/.test(token)) return failure(404, "Not Found")
      const method = (match?.[2] ?? "").toLowerCase()
      const fault = faults.next(method)
      if (fault !== undefined) return fault
      if (token !== options.token || state.revoked) return failure(401, "Unauthorized")
      switch (method) {
        case "getme":
          return success(bot)
        case "getwebhookinfo":
          return success({
            url: "",
            has_custom_certificate: false,
            pending_update_count: state.pendingUpdates,
            ...state.webhook
          })
        case "sendmessage":
          return sendMessage(paramsOf(request))
        default:
          return failure(404, "Not Found: method not found")
      }
    },
    command: (name, payload) => {
      switch (name) {
        case "messages":
          return [...messages]
        case "set":
          state = { ...state, ...(payload as Partial<TelegramState>) }
          return undefined
        default:
          return faultCommand(faults, name, payload, (method) => method.toLowerCase())
      }
    }
  }
}

/** The commands that every API double with faults has. */
export const faultCommand = (
  faults: Faults.Faults,
  name: string,
  payload: unknown,
  subjectOf: (subject: string) => string
): undefined => {
  const asked = payload as {
    readonly subject: string
    readonly faults: ReadonlyArray<Behaviour>
  }
  if (name === "heal") faults.heal()
  if (name === "fault") faults.add(subjectOf(asked.subject), asked.faults)
  if (name === "faultAlways") {
    for (const fault of asked.faults) faults.always(subjectOf(asked.subject), fault)
  }
  return undefined
}

const success = (result: unknown): Behaviour => json(200, { ok: true, result })

/** An error as the real server words and frames it. */
export const failure = (
  code: number,
  description: string,
  parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number }
): Behaviour =>
  json(
    code,
    {
      ok: false,
      error_code: code,
      description,
      ...(parameters === undefined ? {} : { parameters })
    },
    parameters?.retry_after === undefined ? {} : { "retry-after": String(parameters.retry_after) }
  )

/** From the query, a form or a JSON body: the Bot API takes all of them. */
const paramsOf = (request: RecordedRequest): Record<string, string> => {
  const query = new URL(request.url, "http://double").searchParams
  const type = request.headers["content-type"] ?? ""
  const body = type.startsWith("application/json")
    ? jsonParams(request.body)
    : Object.fromEntries(new URLSearchParams(request.body))
  return { ...Object.fromEntries(query), ...body }
}

const jsonParams = (body: string): Record<string, string> => {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value).map(([name, field]) => [
            name,
            typeof field === "string" ? field : JSON.stringify(field)
          ])
        )
      : {}
  } catch {
    return {}
  }
}
