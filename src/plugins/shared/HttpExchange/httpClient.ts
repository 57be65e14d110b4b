/**
 * Exchanges over the embedding program's own `HttpClient`. It keeps its connections as it likes and
 * does not tell about them, so of the times only those of the headers and the whole are known.
 *
 * @internal
 */
import * as Cookies from "@effect/platform/Cookies"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import { Effect, Option, Predicate, Stream } from "effect"
import { monotonicMillis } from "../../../Check/Deadlines.js"
import { hostOf, type Outgoing, type Remarks, Reply, rounded, type Send } from "./Exchange.js"
import * as HttpFault from "./HttpFault.js"

export const make: Effect.Effect<Send, never, HttpClient.HttpClient> = Effect.gen(function* () {
  const client = yield* HttpClient.HttpClient
  const init = yield* Effect.serviceOption(FetchHttpClient.RequestInit)
  // A fetch would follow redirects by itself, and with them send the headers to other hosts.
  const fetchOptions = { ...Option.getOrUndefined(init), redirect: "manual" as const }

  return (request) =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const startedAt = monotonicMillis(clock)
      const response = yield* client.execute(toRequest(request))
      const firstByteAt = monotonicMillis(clock)
      const { chunks, remarks } = yield* bounded(response.stream, request)
      return new Reply(
        response.status,
        headersOf(response),
        chunks,
        {
          first_byte_ms: rounded(firstByteAt - startedAt),
          total_ms: rounded(monotonicMillis(clock) - startedAt)
        },
        undefined,
        remarks
      )
    }).pipe(
      Effect.provideService(FetchHttpClient.RequestInit, fetchOptions),
      Effect.mapError((error) =>
        error._tag === "HttpFault" ? error : HttpFault.fromUnknown(error, hostOf(request.url))
      )
    )
})

const toRequest = (request: Outgoing): HttpClientRequest.HttpClientRequest => {
  const plain = HttpClientRequest.make(request.method as HttpMethod)(request.url, {
    headers: request.headers
  })
  return request.body === undefined
    ? plain
    : HttpClientRequest.setBody(
        plain,
        HttpBody.text(request.body, request.headers["content-type"] ?? "text/plain")
      )
}

/** Those of a fetch are those of the packed body, and the body is unpacked already. */
const headersOf = (response: HttpClientResponse): Reply["headers"] => {
  const { "content-encoding": coding, ...rest } = response.headers
  return {
    ...rest,
    ...(coding === undefined || isFetched(response) ? {} : { "content-encoding": coding }),
    // Among the headers of a fetch only the last cookie is left.
    "set-cookie": Cookies.toSetCookieHeaders(response.cookies)
  }
}

/** By the class's name: a program's own fetch has a class of its own. */
const isFetched = (response: unknown): boolean => {
  if (Predicate.hasProperty(response, "original")) return isFetched(response.original)
  return (
    Predicate.hasProperty(response, "source") &&
    Object.prototype.toString.call(response.source) === "[object Response]"
  )
}

const bounded = (
  stream: Stream.Stream<Uint8Array, HttpClientError>,
  request: Outgoing
): Effect.Effect<
  { readonly chunks: ReadonlyArray<Uint8Array>; readonly remarks: Remarks },
  HttpClientError | HttpFault.HttpFault
> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let room = request.maxBytes
    let remarks: Remarks = {}
    return Stream.runForEachWhile(stream, (chunk) => {
      if (chunk.length > room) {
        const bodyFault = HttpFault.tooLarge(hostOf(request.url), request.maxBytes)
        if (!request.cut) return Effect.fail(bodyFault)
        remarks = { bodyFault }
      }
      chunks.push(chunk.subarray(0, room))
      room -= chunk.length
      return Effect.succeed(room >= 0)
    }).pipe(
      Effect.catchTag("ResponseError", (error) =>
        error.reason === "EmptyBody" ? Effect.void : Effect.fail(error)
      ),
      Effect.map(() => ({ chunks, remarks }))
    )
  })
