/**
 * Alerts as JSON to a URL, signed as Standard Webhooks describes it, so that the receiver can check
 * with any of its libraries who sent them, and drop what it has seen.
 *
 * | answer | what is done |
 * | --- | --- |
 * | 2xx | taken |
 * | 401, 403 | disabled: a wrong secret or header |
 * | 404, 405, 410 | disabled: nobody takes alerts there |
 * | 3xx | disabled: redirects are not followed, the URL must name the place itself |
 * | 400, 413, 422 | final for this alert: its fallback gets it; the next one is sent again |
 * | anything else, or no answer | tried again, after `Retry-After` at the earliest |
 */
import { Clock, Effect, Predicate, Redacted, Schema } from "effect"
import type { Alert } from "../Alert/Alert.js"
import * as AlertChannel from "../Alert/AlertChannel.js"
import { AlertChannelError } from "../Alert/AlertChannelError.js"
import * as AlertDocument from "../Alert/AlertDocument.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import {
  HttpExchange,
  type HttpFault,
  layerChannel,
  type Reply,
  retryAfter
} from "./shared/HttpExchange.js"
import * as Excerpt from "../Common/Excerpt.js"
import { isHeaderName, namedSecrets } from "./shared/NamedSecrets.js"
import { proxy } from "./shared/ProxyField.js"
import * as Signature from "./Webhook/Signature.js"
import { secretUrl } from "./shared/SecretUrl.js"

export { HttpExchange, layerClientHttpClient, layerClientUndici } from "./shared/HttpExchange.js"

/** What the channel says itself. */
const reserved = /^(?:content-type|content-length|host|idempotency-key|webhook-.*)$/i

const headers = namedSecrets({
  name: "the name of an HTTP header that the channel does not set itself (content-type, content-length, host, idempotency-key, webhook-*)",
  is: (name) => isHeaderName(name) && !reserved.test(name),
  description: "more HTTP headers, such as authorization: values by names"
})

export const WebhookChannel = AlertChannel.make("webhook", {
  description: "JSON to a URL by POST, signed with HMAC-SHA256",
  config: {
    url: secretUrl({
      identifier: "WebhookUrl",
      description: "a URL such as https://example.com/alerts; it may hold a user and a password"
    }),
    secret: Schema.optional(
      ConfigField.secret.annotations({
        description: "signs what is sent (webhook-signature): a text, or whsec_ and a key in base64"
      })
    ),
    headers: Schema.optional(headers),
    timeout: ConfigField.withDefault(
      ConfigField.duration.annotations({ description: "how long an answer may take" }),
      "10 seconds"
    ),
    proxy
  },
  rules: ({ headers: given, secret }) => {
    const key = textOf(secret)
    const unsendable = Predicate.isRecord(given)
      ? Object.keys(given).filter((name) => !isSendable(textOf(given[name]) ?? ""))
      : []
    return [
      ...(key !== undefined && !Signature.isKey(key)
        ? [
            {
              path: ["secret"],
              expected: "a key in base64 behind whsec_",
              found: "something else (not shown)"
            }
          ]
        : []),
      ...unsendable.map((name) => ({
        path: ["headers", name],
        expected: "letters that an HTTP header can hold (Latin-1)",
        found: "others (not shown)"
      }))
    ]
  },
  timeout: ({ timeout }) => timeout,
  send: (alert, config, name, installation) =>
    Effect.gen(function* () {
      const http = yield* HttpExchange
      const now = yield* Clock.currentTimeMillis
      const body = JSON.stringify(AlertDocument.make(alert, installation))
      const reply = yield* http
        .exchange({
          method: "POST",
          url: Redacted.value(config.url),
          headers: { ...revealed(config.headers ?? {}), ...own(alert, body, now, config.secret) },
          body,
          maxBytes: longestAnswer,
          cut: true
        })
        .pipe(Effect.mapError((fault) => fromFault(fault, name)))
      if (reply.status < 200 || reply.status >= 300) {
        return yield* refusal(reply, yield* said(reply), name, yield* Clock.currentTimeMillis)
      }
    }),
  services: (config) => layerChannel(Redacted.value(config.url), config)
})

const textOf = (field: unknown): string | undefined => {
  const text = Redacted.isRedacted(field) ? Redacted.value(field) : field
  return typeof text === "string" ? text : undefined
}

const isSendable = (value: string): boolean => !/[^\u0000-\u00ff]/.test(value)

/** Enough for what a receiver has to say. Its status counts, however long the page behind it is. */
const longestAnswer = 65_536

const own = (
  alert: Alert,
  body: string,
  nowMillis: number,
  secret: Redacted.Redacted<string> | undefined
): Readonly<Record<string, string>> => {
  const id = Signature.idOf(alert.key)
  const timestamp = Math.floor(nowMillis / 1000)
  return {
    "content-type": "application/json",
    "idempotency-key": id,
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    ...(secret === undefined
      ? {}
      : { "webhook-signature": Signature.sign(Redacted.value(secret), id, timestamp, body) })
  }
}

const revealed = (
  all: Readonly<Record<string, Redacted.Redacted<string>>>
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name.toLowerCase(), Redacted.value(value)])
  )

const refusal = (
  reply: Reply,
  words: string,
  channel: string,
  nowMillis: number
): AlertChannelError => {
  const { status } = reply
  const fail = (reason: AlertChannelError["reason"], hint: string) => {
    const rest = retryAfter(reply.header("retry-after"), nowMillis)
    return new AlertChannelError({
      reason,
      channel,
      problem: `expected an answer of 2xx, found HTTP ${status}${hint}${words}`,
      ...(rest === undefined ? {} : { retryAfter: rest }),
      ...(reply.isUnclear ? { unclear: true } : {})
    })
  }
  if (status === 401 || status === 403) {
    return fail("Misconfigured", "; the receiver does not accept the secret or the headers")
  }
  if (status === 404 || status === 405 || status === 410) {
    return fail("Permanent", "; nothing takes alerts at this URL")
  }
  if (status >= 300 && status < 400) {
    return fail("Misconfigured", "; redirects are not followed, give the URL that it leads to")
  }
  if (status === 400 || status === 413 || status === 422) {
    return fail("Refused", "; the receiver does not take this alert")
  }
  return fail("Transient", "")
}

/** What the receiver says. */
const said = (reply: Reply): Effect.Effect<string> => {
  const type = reply.header("content-type") ?? ""
  return Effect.map(Excerpt.current(/html/i.test(type) ? "" : reply.text, longestWords), (text) =>
    text === "" ? "" : `: ${text}`
  )
}

const longestWords = 400

const fromFault = (fault: HttpFault, channel: string): AlertChannelError =>
  new AlertChannelError({
    reason: fault.reason === "Unsendable" ? "Misconfigured" : "Transient",
    channel,
    problem: fault.message,
    unclear: fault.isUnclear,
    cause: fault
  })
