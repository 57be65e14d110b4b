/** Servers that want something else than plain HTTP/1.1, and heads that other clients take. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as http2 from "node:http2"
import * as https from "node:https"
import * as net from "node:net"
import * as tls from "node:tls"
import { Http } from "../../../src/plugins/Http.js"
import {
  layerClientUndici,
  layerClientUndiciWith
} from "../../../src/plugins/shared/HttpExchange.js"
import * as Certificates from "../../support/Certificates.js"
import { registered } from "../registered.js"

type Input = Parameters<typeof Http.layer>[0]

/** A server and the port that it listens on, until the scope ends. */
const listening = (server: net.Server) =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      const open = new Set<net.Socket>()
      server.on("connection", (socket: net.Socket) => open.add(socket))
      server.once("close", () => open.forEach((socket) => socket.destroy()))
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed((server.address() as net.AddressInfo).port))
      )
    }),
    () => Effect.sync(() => server.close())
  )

describe("Http, servers", () => {
  it.scopedLive("HTTP/2 alone, other versions of TLS, a client certificate", () =>
    Effect.gen(function* () {
      const { ca, issue } = yield* Certificates.make
      const certificate = yield* issue("valid")
      const ask = (url: string) =>
        Effect.flatMap(
          registered(Http.layer({ url }), layerClientUndiciWith({ ca })),
          ({ run }) => run
        )
      const secure = (options: https.ServerOptions) =>
        https.createServer({ ...certificate, ...options }, (_, response) => response.end("up"))
      const wanted = { ca, requestCert: true, rejectUnauthorized: true } as const
      const page = secure({ ...wanted, rejectUnauthorized: false })
      page.removeAllListeners("request")
      page.on("request", (_, response) => {
        response.statusCode = 400
        response.end("No required SSL certificate was sent")
      })
      const closing = tls.createServer(
        { ...certificate, ...wanted, rejectUnauthorized: false },
        (socket) => socket.destroy()
      )
      const cases = [
        [http2.createSecureServer(certificate), "https", "does not speak HTTP/1.1 (HTTP/2 alone?)"],
        [http2.createServer(), "http", "speaks HTTP/2 alone; expected HTTP/1.1"],
        [secure({ ...wanted, minVersion: "TLSv1.3" }), "https", "a client certificate"],
        [secure({ ...wanted, maxVersion: "TLSv1.2" }), "https", "a client certificate"],
        [page, "https", "found 400 (the server asks for a client certificate"],
        [closing, "https", "the server asks for a client certificate, and Holter shows none"],
        [
          secure({ maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }),
          "https",
          "another version of TLS"
        ]
      ] as const
      for (const [server, scheme, words] of cases) {
        const port = yield* listening(server)
        const { message, status } = yield* ask(`${scheme}://127.0.0.1:${port}`)
        assert.strictEqual(status, "unhealthy", words)
        assert.include(message, words)
      }
    })
  )

  it.scopedLive("a length that is named twice, and one that is not clear", () =>
    Effect.gen(function* () {
      const answer = (...parts: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const port = yield* listening(
            net.createServer((socket) => {
              socket.setNoDelay(true)
              socket.once("data", () => {
                // Each part in a packet of its own.
                const next = (index: number): void => {
                  const part = parts[index]
                  if (part === undefined) socket.end()
                  else socket.write(part, () => setImmediate(next, index + 1))
                }
                next(0)
              })
              socket.on("error", () => {})
            })
          )
          const input: Input = { url: `http://127.0.0.1:${port}`, expect: { text: "up" } }
          const check = yield* registered(Http.layer(input), layerClientUndiciWith({}))
          return yield* check.run
        })
      const head = "HTTP/1.1 200 OK\r\n"
      const two = "content-length: 2\r\nX: y\r\nContent-Length: 2\r\n"
      const good = [
        [`${head}${two}\r\nup`],
        [`${head}content-length: 2, 2\r\n\r\nup`],
        [`${head}content-length: 7\r\ntransfer-encoding: chunked\r\n\r\n2\r\nup\r\n0\r\n\r\n`],
        ["HTT", "P/1.1 200 OK\r\n", two, "\r\n", "up"],
        [`HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${head}${two}\r\nup`],
        ["HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", `${head}${two}`, "\r\nup"]
      ]
      for (const parts of good) {
        const { message, status } = yield* answer(...parts)
        assert.strictEqual(status, "healthy", `${message} for ${JSON.stringify(parts)}`)
      }
      const differ = yield* answer(`${head}content-length: 2\r\ncontent-length: 3\r\n\r\nup`)
      assert.include(differ.message, "names more than one length")
      const garbage = yield* answer("SSH-2.0-OpenSSH_9\r\n")
      assert.include(garbage.message, "the answer is not HTTP")
    })
  )

  for (const [method, status, asked] of [
    ["GET", "healthy", 3],
    ["POST", "unhealthy", 2]
  ] as const) {
    it.scopedLive(`a kept connection that is closed when it is used again, ${method}`, () =>
      Effect.gen(function* () {
        let requests = 0
        const server = net.createServer((socket) => {
          let isFirst = true
          socket.on("error", () => {})
          socket.on("data", () => {
            requests++
            if (!isFirst) return socket.destroy()
            isFirst = false
            return socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nup")
          })
        })
        const port = yield* listening(server)
        const { run } = yield* registered(
          Http.layer(
            { url: `http://127.0.0.1:${port}/`, method },
            { retry: { times: 0, base: "1 second" } }
          ),
          layerClientUndici
        )
        assert.strictEqual((yield* run).status, "healthy")
        const second = yield* run
        assert.strictEqual(second.status, status, second.message)
        // What may change something is asked once.
        assert.strictEqual(requests, asked)
      })
    )
  }
})
