/** Bodies that a server packs, asked or unasked, over every client. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as zlib from "node:zlib"
import {
  HttpExchange,
  layerClientHttpClient,
  layerClientUndici
} from "../../../../src/plugins/shared/HttpExchange.js"
import * as Behaviour from "../../../support/doubles/Behaviour.js"
import * as HttpDouble from "../../../support/HttpDouble.js"

const packed = (coding: string, body: Uint8Array, status = 200): Behaviour.Behaviour => {
  const head = `HTTP/1.1 ${status} X\r\ncontent-encoding: ${coding}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`
  return Behaviour.raw(head + Buffer.from(body).toString("latin1"))
}

const json = Buffer.from('{"ok":"grüße"}')

const routes = {
  "/gzip": packed("gzip", zlib.gzipSync(json)),
  "/x-gzip": packed("x-gzip", zlib.gzipSync(json)),
  "/members": packed(
    "gzip",
    Buffer.concat([zlib.gzipSync(json.subarray(0, 5)), zlib.gzipSync(json.subarray(5))])
  ),
  "/br": packed("br", zlib.brotliCompressSync(json)),
  "/deflate": packed("deflate", zlib.deflateSync(json)),
  "/raw-deflate": packed("Deflate", zlib.deflateRawSync(json)),
  "/twice": packed("deflate, gzip", zlib.gzipSync(zlib.deflateSync(json))),
  "/identity": packed("identity", json)
}

/** 10 MB in 10 kB, and 10 MB in about 20 bytes. */
const zeros = Buffer.alloc(10_000_000)
const bombs = {
  "/gzip-bomb": packed("gzip", zlib.gzipSync(zeros)),
  "/br-bomb": packed("br", zlib.brotliCompressSync(zeros)),
  "/nested-bomb": packed("gzip, gzip", zlib.gzipSync(zlib.gzipSync(zeros))),
  "/deflate-bomb": packed("deflate", zlib.deflateRawSync(zeros))
}

const layers = {
  undici: layerClientUndici,
  "HttpClient over fetch": Layer.provide(layerClientHttpClient, FetchHttpClient.layer),
  "HttpClient over node:http": Layer.provide(layerClientHttpClient, NodeHttpClient.layer)
}

for (const [name, layer] of Object.entries(layers)) {
  describe(`Packed bodies, ${name}`, () => {
    it.scopedLive("are unpacked, as far as the limit allows", () =>
      Effect.gen(function* () {
        const http = yield* HttpExchange
        const double = yield* HttpDouble.make({ routes: { ...routes, ...bombs } })
        const get = (path: string, more = {}) =>
          http.exchange({ method: "GET", url: double.url + path, ...more })
        for (const path of Object.keys(routes)) {
          assert.strictEqual((yield* get(path)).text, json.toString(), path)
        }
        for (const path of Object.keys(bombs)) {
          const fault = yield* Effect.flip(get(path))
          assert.strictEqual(fault.reason, "TooLarge", path)
          assert.include(fault.message, "the body is longer than 1048576 bytes")
          const cut = yield* get(path, { cut: true })
          assert.deepStrictEqual([cut.status, cut.bodyFault?.reason], [200, "TooLarge"])
        }
      }).pipe(Effect.provide(layer))
    )
  })
}

describe("Packed bodies", () => {
  it.scopedLive("that do not unpack", () =>
    Effect.gen(function* () {
      const http = yield* HttpExchange
      const gzip = zlib.gzipSync(Buffer.from("x".repeat(10_000)))
      const double = yield* HttpDouble.make({
        routes: {
          "/none": packed("gzip", json),
          "/half": packed("gzip", gzip.subarray(0, gzip.length / 2)),
          "/zstd": packed("zstd", json),
          "/six": packed("gzip, gzip, gzip, gzip, gzip, gzip", gzip),
          "/empty": packed("gzip", Buffer.alloc(0))
        }
      })
      const get = (path: string, more = {}) =>
        http.exchange({ method: "GET", url: double.url + path, ...more })
      const expected = {
        "/none": "the body does not unpack; its header says that it is gzip",
        "/half": "the body does not unpack; its header says that it is gzip",
        "/zstd": 'is not known ("zstd"); expected gzip, deflate or br',
        "/six": "more than five times"
      }
      for (const [path, words] of Object.entries(expected)) {
        const fault = yield* Effect.flip(get(path))
        assert.deepStrictEqual([fault.reason, fault.isRetryable], ["Malformed", false], path)
        assert.include(fault.message, words)
        const cut = yield* get(path, { cut: true })
        assert.deepStrictEqual(
          [cut.status, cut.text, cut.bodyFault?.reason],
          [200, "", "Malformed"]
        )
      }
      assert.strictEqual((yield* get("/empty")).text, "")
      // The beginning of a body that was cut while it was packed.
      const cut = yield* get("/none", { cut: true, maxBytes: 5 })
      assert.strictEqual(cut.bodyFault?.reason, "TooLarge")
    }).pipe(Effect.provide(layerClientUndici))
  )
})
