/**
 * One request, one bounded reply: what checks over HTTP ask for, and no more.
 *
 * It has no deadline and no retry of its own (the runner has both), reads no more of a body than it
 * may, and says where the time went.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import { Context, Effect, Either, Encoding, Layer } from "effect"
import {
  defaultMaxBytes,
  type Headers,
  type Outgoing,
  type Reply,
  type Request,
  type Send
} from "./HttpExchange/Exchange.js"
import { HttpFault } from "./HttpExchange/HttpFault.js"
import type { Options as UndiciOptions } from "./HttpExchange/undici.js"

export { defaultMaxBytes, Reply, type Request } from "./HttpExchange/Exchange.js"
export { HttpFault } from "./HttpExchange/HttpFault.js"
export { httpDate, retryAfter } from "./HttpExchange/retryAfter.js"

/**
 * @since 0.1.0
 * @category tags
 */
export class HttpExchange extends Context.Tag("holter/plugins/shared/HttpExchange")<
  HttpExchange,
  {
    readonly exchange: (request: Request) => Effect.Effect<Reply, HttpFault>
  }
>() {}

/**
 * Over undici, which is loaded when the layer is built. Connections are kept between exchanges and
 * closed with the layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerUndiciWith = (options: UndiciOptions): Layer.Layer<HttpExchange> =>
  Layer.scoped(
    HttpExchange,
    Effect.promise(() => import("./HttpExchange/undici.js")).pipe(
      Effect.flatMap((undici) => undici.make(options)),
      Effect.map(fromSend)
    )
  )

/**
 * `layerUndiciWith` without options. It is one value, so that all checks of a program that are
 * built together share it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerUndici: Layer.Layer<HttpExchange> = layerUndiciWith({})

/**
 * For where alerts go: connections of its own, and the host of the URL is looked up now and then, so
 * that it is reached also while no name server answers.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerChannel = (url: string): Layer.Layer<HttpExchange> =>
  layerUndiciWith({ alwaysReach: [url] })

/**
 * Over the program's own `HttpClient`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient: Layer.Layer<HttpExchange, never, HttpClient.HttpClient> =
  Layer.effect(
    HttpExchange,
    Effect.promise(() => import("./HttpExchange/httpClient.js")).pipe(
      Effect.flatMap((httpClient) => httpClient.make),
      Effect.map(fromSend)
    )
  )

function fromSend(send: Send): HttpExchange["Type"] {
  return {
    exchange: (request) =>
      Effect.suspend(() => {
        const outgoing = prepare(request)
        if (outgoing instanceof HttpFault) return Effect.fail(outgoing)
        const redirects = request.redirects ?? 0
        return redirects === 0 ? send(outgoing) : follow(send, outgoing, redirects)
      })
  }
}

const prepare = (request: Request): Outgoing | HttpFault => {
  const url = typeof request.url === "string" ? parse(request.url) : request.url
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return new HttpFault({
      host: "request",
      reason: "Unsendable",
      problem: "the URL is not an http:// or https:// URL",
      isRetryable: false
    })
  }
  const headers = { "user-agent": "holter", ...lowerCased(request.headers) }
  return {
    method: request.method,
    body: request.body,
    maxBytes: request.maxBytes ?? defaultMaxBytes,
    cut: request.cut ?? false,
    ...withoutUser(url, headers)
  }
}

const parse = (text: string, base?: URL): URL | undefined =>
  URL.canParse(text, base?.href) ? new URL(text, base) : undefined

const lowerCased = (headers: Headers | undefined): Headers => {
  const lower: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) lower[name.toLowerCase()] = value
  }
  return lower
}

const withoutUser = (url: URL, headers: Headers): { url: URL; headers: Headers } => {
  if (url.username === "" && url.password === "") return { url, headers }
  const bare = new URL(url)
  bare.username = ""
  bare.password = ""
  const user = `${decoded(url.username)}:${decoded(url.password)}`
  const authorization = `Basic ${Encoding.encodeBase64(user)}`
  return { url: bare, headers: { authorization, ...headers } }
}

const decoded = (part: string): string =>
  Either.getOrElse(Encoding.decodeUriComponent(part), () => part)

const redirecting = new Set([301, 302, 303, 307, 308])

/** Follows redirects; the reply behind the last one that may be followed is the answer. */
const follow = (send: Send, request: Outgoing, left: number): Effect.Effect<Reply, HttpFault> =>
  Effect.flatMap(send(request), (reply) => {
    if (left === 0 || !redirecting.has(reply.status)) return Effect.succeed(reply)
    const next = redirected(request, reply)
    return next === undefined
      ? Effect.succeed(reply)
      : Effect.map(follow(send, next, left - 1), (last) => last.after(reply))
  })

const redirected = (request: Outgoing, reply: Reply): Outgoing | undefined => {
  const location = reply.header("location")
  const target = location === undefined ? undefined : parse(location, request.url)
  if (target === undefined || !/^https?:$/.test(target.protocol)) return undefined
  const { status } = reply
  const toGet =
    (status === 303 && request.method !== "HEAD") || (status < 303 && request.method === "POST")
  // The headers were given for one server. Another one, or the same without TLS, gets none of them.
  const kept: Headers =
    target.origin === request.url.origin ? request.headers : { "user-agent": "holter" }
  const { "content-type": _, ...bodiless } = kept
  return {
    ...request,
    ...(toGet ? { method: "GET", body: undefined } : {}),
    ...withoutUser(target, toGet ? bodiless : kept)
  }
}
