/** The two ways to make an exchange answer alike. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import * as Behaviour from "../../support/doubles/Behaviour.js"
import * as HttpDouble from "../../support/HttpDouble.js"
import { noneOpen } from "../registered.js"
import {
  HttpExchange,
  type HttpFault,
  layerClientHttpClient,
  layerClientUndici
} from "../../../src/plugins/shared/HttpExchange.js"

const layers = {
  undici: layerClientUndici,
  "HttpClient over fetch": Layer.provide(layerClientHttpClient, FetchHttpClient.layer),
  "HttpClient over node:http": Layer.provide(layerClientHttpClient, NodeHttpClient.layer)
}

for (const [name, layer] of Object.entries(layers)) {
  describe(`HttpExchange, ${name}`, () => {
    it.scopedLive("status, headers, body, redirects, and faults by their reason", () =>
      Effect.gen(function* () {
        const http = yield* HttpExchange
        const double = yield* HttpDouble.make({
          routes: {
            "/ok": Behaviour.text(201, "grüße", { "x-a": "b" }),
            "/empty": Behaviour.text(204, ""),
            "/away": Behaviour.redirect("/ok"),
            "/endless": Behaviour.endless(),
            "/reset": Behaviour.reset
          }
        })
        const get = (path: string, more = {}) =>
          http.exchange({ method: "GET", url: double.url + path, ...more })
        const ok = yield* get("/ok", { headers: { "X-Sent": "1" } })
        assert.deepStrictEqual([ok.status, ok.text, ok.header("x-a")], [201, "grüße", "b"])
        assert.isAtLeast(ok.timings.total_ms, ok.timings.first_byte_ms)
        assert.strictEqual((yield* double.requests)[0]?.headers["x-sent"], "1")
        assert.strictEqual((yield* get("/empty")).text, "")
        const away = yield* get("/away")
        assert.deepStrictEqual([away.status, away.header("location")], [302, "/ok"])
        const followed = yield* get("/away", { redirects: 1 })
        assert.deepStrictEqual([followed.status, followed.redirects], [201, 1])
        yield* http.exchange({ method: "POST", url: `${double.url}/ok`, body: "sent" })
        assert.strictEqual((yield* double.requests).at(-1)?.body, "sent")
        const big = yield* Effect.flip(get("/endless", { maxBytes: 1000 }))
        assert.strictEqual(big.reason, "TooLarge")
        const cut = yield* get("/endless", { maxBytes: 1000, cut: true })
        assert.deepStrictEqual([cut.status, cut.bytes.length], [200, 1000])
        assert.strictEqual((yield* get("/ok", { maxBytes: 5, cut: true })).bytes.length, 5)
        assert.strictEqual((yield* get("/ok", { maxBytes: 100, cut: true })).text, "grüße")
        assert.include(["Reset", "Closed"], (yield* Effect.flip(get("/reset"))).reason)
        yield* double.stop
        // A client may first notice that the connection it kept is gone.
        const again = { while: (fault: HttpFault) => fault.reason === "Closed", times: 3 }
        assert.strictEqual((yield* Effect.flip(Effect.retry(get("/ok"), again))).reason, "Refused")
        const broken = yield* Effect.flip(http.exchange({ method: "GET", url: "ftp://x" }))
        assert.strictEqual(broken.reason, "Unsendable")
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("an interruption takes the request down at once", () =>
      Effect.gen(function* () {
        const http = yield* HttpExchange
        const double = yield* HttpDouble.make({ routes: { "*": Behaviour.hang } })
        const fiber = yield* Effect.fork(http.exchange({ method: "GET", url: double.url }))
        yield* double.awaitRequests(1)
        yield* Fiber.interrupt(fiber)
        yield* noneOpen(double)
      }).pipe(Effect.provide(layer))
    )
  })
}
