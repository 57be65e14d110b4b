/** Answers that are good and not plain, and what is said where they are bad. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as http from "node:http"
import type * as net from "node:net"
import * as zlib from "node:zlib"
import { Http, layerClientUndici } from "../../../src/plugins/Http.js"
import * as Behaviour from "../../support/doubles/Behaviour.js"
import * as HttpDouble from "../../support/HttpDouble.js"
import { registered } from "../registered.js"

type Input = Parameters<typeof Http.layer>[0]

const result = (input: Input) =>
  Effect.flatMap(registered(Http.layer(input), layerClientUndici), ({ run }) => run)

const listening = (server: http.Server) =>
  Effect.acquireRelease(
    Effect.async<string>((resume) => {
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`))
      )
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

describe("Http, answers", () => {
  it.scopedLive("a status counts before the length and the packing of its page", () =>
    Effect.gen(function* () {
      const long = "x".repeat(1_300_000)
      const bad = { "content-encoding": "gzip" }
      const double = yield* HttpDouble.make({
        routes: {
          "/error": Behaviour.text(500, long),
          "/busy": Behaviour.text(429, long, { "retry-after": "7" }),
          "/long": Behaviour.text(200, long),
          "/bad": Behaviour.text(200, "none", bad),
          "/bad-error": Behaviour.text(503, "none", bad)
        }
      })
      const ask = (path: string, more: Partial<Input> = {}) =>
        result({ url: double.url + path, expect: { text: "up" }, ...more })
      assert.strictEqual((yield* ask("/error")).reason, "UnexpectedStatus")
      assert.include((yield* ask("/error")).message, "expected HTTP 2xx, found 500")
      assert.strictEqual((yield* ask("/busy")).reason, "RateLimited")
      assert.strictEqual((yield* ask("/long")).reason, "TooLarge")
      assert.strictEqual((yield* ask("/long", { expect: {}, maxBytes: 1000 })).reason, "TooLarge")
      assert.include((yield* ask("/bad")).message, "the body does not unpack")
      assert.strictEqual((yield* ask("/bad-error")).reason, "UnexpectedStatus")
      assert.strictEqual((yield* ask("/bad", { expect: {} })).status, "healthy")
    })
  )

  it.scopedLive("a page that is packed, asked for or not", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ ok: true, filler: "x".repeat(100_000) })
      const url = yield* listening(
        http.createServer((request, response) => {
          const coding = request.headers["accept-encoding"] === "br" ? "br" : "gzip"
          response.writeHead(200, { "content-encoding": coding })
          response.end(coding === "br" ? zlib.brotliCompressSync(body) : zlib.gzipSync(body))
        })
      )
      const expect = { json: { "$.ok": true } }
      for (const headers of [{}, { "accept-encoding": Redacted.make("br") }]) {
        const { message, status } = yield* result({ url, expect, headers })
        assert.strictEqual(status, "healthy", message)
      }
    })
  )

  it.scopedLive("a login that sets a cookie and redirects", () =>
    Effect.gen(function* () {
      const url = yield* listening(
        http.createServer((request, response) => {
          if (request.headers.cookie?.includes("sid=1") === true) response.end("in")
          else if (request.url === "/login") {
            response.writeHead(302, { location: "/", "set-cookie": ["sid=1; Path=/", "b=2"] }).end()
          } else response.writeHead(302, { location: "/login" }).end()
        })
      )
      const inside = yield* result({ url, followRedirects: 20, expect: { text: "in" } })
      assert.strictEqual(inside.status, "healthy", inside.message)
      assert.strictEqual(inside.details.redirects, 2)
    })
  )

  it.scopedLive("a redirect that would take the body to another host", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: { "*": Behaviour.redirect("http://elsewhere.invalid/x?token=1", 308) }
      })
      const { message } = yield* result({
        url: double.url,
        method: "POST",
        body: "{}",
        followRedirects: 3
      })
      assert.include(message, "found 308, a redirect to http://elsewhere.invalid (the body goes")
      assert.notInclude(message, "token")
    })
  )
})
