/**
 * One request, one bounded reply: what checks over HTTP ask for, and no more.
 *
 * It has no deadline and no retry of its own (the runner has both), reads no more of a body than it
 * may, and says where the time went.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import { Context, Effect, Layer } from "effect"
import type { Outgoing, Reply, Request, Send } from "./HttpExchange/Exchange.js"
import { HttpFault } from "./HttpExchange/HttpFault.js"
import { prepare } from "./HttpExchange/prepare.js"
import { follow } from "./HttpExchange/Redirects.js"
import type { Options as UndiciOptions } from "./HttpExchange/undici.js"

export { defaultMaxBytes, Reply, type Request } from "./HttpExchange/Exchange.js"
export { HttpFault } from "./HttpExchange/HttpFault.js"
export { httpDate, retryAfter } from "./HttpExchange/retryAfter.js"

export class HttpExchange extends Context.Tag("holter/plugins/shared/HttpExchange")<
  HttpExchange,
  {
    readonly exchange: (request: Request) => Effect.Effect<Reply, HttpFault>
  }
>() {}

/**
 * Over undici, which is loaded when the layer is built. Connections are kept between exchanges and
 * closed with the layer.
 */
export const layerClientUndiciWith = (options: UndiciOptions): Layer.Layer<HttpExchange> =>
  Layer.scoped(
    HttpExchange,
    Effect.promise(() => import("./HttpExchange/undici.js")).pipe(
      Effect.flatMap((undici) => undici.make(options)),
      Effect.map(fromSend)
    )
  )

/**
 * `layerClientUndiciWith` without options. It is one value, so that all checks of a program that are
 * built together share it.
 */
export const layerClientUndici: Layer.Layer<HttpExchange> = layerClientUndiciWith({})

/** `layerClientUndici`, or a layer of its own for a check that has a proxy of its own. */
export const layerCheck = ({ proxy }: Pick<UndiciOptions, "proxy">): Layer.Layer<HttpExchange> =>
  proxy === undefined ? layerClientUndici : layerClientUndiciWith({ proxy })

/**
 * For where alerts go: connections of its own, and the host of the URL, or of the proxy, is looked up now
 * and then, so that it is reached also while no name server answers.
 */
export const layerChannel = (
  url: string,
  { proxy }: Pick<UndiciOptions, "proxy">
): Layer.Layer<HttpExchange> => layerClientUndiciWith({ alwaysReach: [url], proxy })

/** Over the program's own `HttpClient`. */
export const layerClientHttpClient: Layer.Layer<HttpExchange, never, HttpClient.HttpClient> =
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
        const answer = redirects === 0 ? send(outgoing) : follow(send, outgoing, redirects)
        return Effect.flatMap(answer, (reply) => readable(reply, outgoing))
      })
  }
}

const readable = (reply: Reply, request: Outgoing): Effect.Effect<Reply, HttpFault> =>
  reply.header("content-encoding") === undefined
    ? Effect.succeed(reply)
    : Effect.flatMap(
        Effect.promise(() => import("./HttpExchange/ContentCoding.js")),
        ({ unpacked }) => {
          const plain = unpacked(reply, request)
          return plain.bodyFault === undefined || request.cut
            ? Effect.succeed(plain)
            : Effect.fail(plain.bodyFault)
        }
      )
