/** Checks and channels behind a proxy: what goes through it, and what it says. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import * as https from "node:https"
import * as net from "node:net"
import { DMarket } from "../../../src/plugins/DMarket.js"
import { Http } from "../../../src/plugins/Http.js"
import * as Exchange from "../../../src/plugins/shared/HttpExchange.js"
import { WebhookChannel } from "../../../src/plugins/Webhook.js"
import { alert } from "../../Alert/alerts.js"
import * as Certificates from "../../support/Certificates.js"
import * as Behaviour from "../../support/doubles/Behaviour.js"
import * as FreePort from "../../support/FreePort.js"
import * as HttpDouble from "../../support/HttpDouble.js"
import * as ProxyDouble from "../../support/ProxyDouble.js"
import { openChannel } from "../openChannel.js"
import { registered } from "../registered.js"

/** Basic authentication of `bot` with `p@ss`. */
const authorization = `Basic ${Buffer.from("bot:p@ss").toString("base64")}`
const plain = HttpDouble.make({ routes: { "*": Behaviour.text(200, "up") } })
const portOf = (url: string) => Number(new URL(url).port)

const environment = (variables: Readonly<Record<string, string>>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const check = (
  url: string,
  options: Parameters<typeof Exchange.layerClientUndiciWith>[0] = {},
  variables = {}
) =>
  Effect.flatMap(
    registered(
      Http.layer({ url }),
      Layer.provide(Exchange.layerClientUndiciWith(options), environment(variables))
    ),
    ({ run }) => run
  )

const secureServer = Effect.gen(function* () {
  const { ca, issue } = yield* Certificates.make
  const certificate = yield* issue("valid")
  const server = https.createServer(certificate, (_, response) => response.end("up"))
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () => Effect.sync(() => server.close())
  )
  return { ca, certificate, port: (server.address() as net.AddressInfo).port }
})

describe("Http, proxies", () => {
  it.scopedLive("plain HTTP is forwarded, on a connection that is kept; no look-up here", () =>
    Effect.gen(function* () {
      const server = yield* plain
      const proxy = yield* ProxyDouble.make({
        hosts: { "only.behind.test": portOf(server.url) },
        authorization
      })
      const { run } = yield* registered(
        Http.layer({ url: "http://only.behind.test/up?x=1", headers: {} }),
        Exchange.layerClientUndiciWith({
          proxy: Redacted.make(`http://bot:p%40ss@127.0.0.1:${proxy.port}`)
        })
      )
      for (const connection of ["new", "reused"]) {
        const result = yield* run
        assert.strictEqual(result.status, "healthy", result.message)
        assert.strictEqual(result.details["connection"], connection)
      }
      assert.deepStrictEqual(proxy.seen, [
        "GET http://only.behind.test/up?x=1",
        "GET http://only.behind.test/up?x=1"
      ])
      assert.strictEqual(proxy.headers().host, "only.behind.test")
      const [request] = yield* server.requests
      assert.notProperty(request?.headers ?? {}, "proxy-authorization")
    })
  )

  for (const isSecure of [false, true]) {
    it.scopedLive(
      `HTTPS goes by CONNECT, of a proxy that speaks ${isSecure ? "TLS" : "HTTP"}`,
      () =>
        Effect.gen(function* () {
          const { ca, certificate, port } = yield* secureServer
          const proxy = yield* ProxyDouble.make({
            authorization,
            ...(isSecure ? { certificate } : {})
          })
          const scheme = isSecure ? "https" : "http"
          const result = yield* check(`https://127.0.0.1:${port}/up`, {
            ca,
            proxy: Redacted.make(`${scheme}://bot:p%40ss@localhost:${proxy.port}`)
          })
          assert.strictEqual(result.status, "healthy", result.message)
          assert.property(result.details, "tls_ms")
          assert.deepStrictEqual(proxy.seen, [`CONNECT 127.0.0.1:${port}`])
        })
    )
  }

  it.scopedLive("its own word is told, with what to do and without the password", () =>
    Effect.gen(function* () {
      const server = yield* plain
      const { ca, port } = yield* secureServer
      const knows = yield* ProxyDouble.make({ authorization })
      const denies = yield* ProxyDouble.make({ connectStatus: 403 })
      const lost = yield* ProxyDouble.make({ connectStatus: 503 })
      const closed = yield* FreePort.find
      const secure = `https://127.0.0.1:${port}/`
      for (const [url, at, said] of [
        [server.url, knows.port, "asks for a user and a password (HTTP 407)"],
        [secure, knows.port, "asks for a user and a password (HTTP 407)"],
        [secure, denies.port, "does not connect to the server (HTTP 403)"],
        [secure, lost.port, "does not connect to the server (HTTP 503)"],
        [server.url, closed, "connection refused; nothing listens there"],
        [secure, closed, "connection refused; nothing listens there"]
      ] as const) {
        const given = Redacted.make(`http://bot:hunter2@127.0.0.1:${at}`)
        const result = yield* check(url, { ca, proxy: given })
        assert.strictEqual(result.status, "unhealthy", said)
        assert.include(result.message, `the proxy 127.0.0.1:${at}: ${said}`)
        assert.notInclude(JSON.stringify(result), "hunter2")
      }
    })
  )

  it.scopedLive("a certificate of its own that is wrong is told as the proxy's", () =>
    Effect.gen(function* () {
      const { ca, port } = yield* secureServer
      const { issue } = yield* Certificates.make
      const proxy = yield* ProxyDouble.make({ certificate: yield* issue("expired") })
      const result = yield* check(`https://127.0.0.1:${port}/`, {
        ca,
        proxy: Redacted.make(`https://127.0.0.1:${proxy.port}`)
      })
      assert.match(result.message, new RegExp(`the proxy 127.0.0.1:${proxy.port}: .*certificate`))
    })
  )

  it.scopedLive("the environment names one, and who is reached directly", () =>
    Effect.gen(function* () {
      const server = yield* plain
      const proxy = yield* ProxyDouble.make({ hosts: { "only.behind.test": portOf(server.url) } })
      const http_proxy = `http://127.0.0.1:${proxy.port}`
      const cases = [
        ["http://only.behind.test/", { HTTP_PROXY: http_proxy }, "healthy"],
        ["http://only.behind.test/", { http_proxy, HTTP_PROXY: "http://127.0.0.1:1" }, "healthy"],
        ["http://only.behind.test/", { HTTP_PROXY: http_proxy, NO_PROXY: ".test" }, "unhealthy"],
        ["http://only.behind.test/", { HTTPS_PROXY: http_proxy }, "unhealthy"],
        // This machine itself is never behind it.
        [server.url, { HTTP_PROXY: "http://127.0.0.1:1" }, "healthy"]
      ] as const
      for (const [url, variables, status] of cases) {
        const result = yield* check(url, {}, variables)
        assert.strictEqual(result.status, status, `${JSON.stringify(variables)}: ${result.message}`)
      }
      assert.lengthOf(proxy.seen, 2)
      const socks = yield* check("http://a.test/", {}, { HTTP_PROXY: "socks5://me:hunter2@h:1" })
      assert.include(socks.message, "HTTP_PROXY: expected the URL of an HTTP proxy")
      assert.include(socks.message, "found a SOCKS proxy")
      assert.notInclude(socks.message, "hunter2")
    })
  )

  it.scopedLive("a check and a channel may have their own, or none", () =>
    Effect.gen(function* () {
      const server = yield* plain
      const proxy = yield* ProxyDouble.make({ hosts: { "only.behind.test": portOf(server.url) } })
      const own = Redacted.make(`http://127.0.0.1:${proxy.port}`)
      const url = "http://only.behind.test"
      const { run } = yield* registered(
        Layer.mergeAll(DMarket.layerStandalone({ apiUrl: url, proxy: own })),
        Exchange.layerClientUndici
      )
      yield* run
      assert.deepStrictEqual(
        proxy.seen.map((line) => new URL(line.slice(4)).host),
        ["only.behind.test"]
      )
      const { send } = yield* openChannel(
        WebhookChannel.layerStandalone(
          { url: Redacted.make(`${url}/in`), proxy: own },
          { name: "hook" }
        )
      )
      yield* send(alert("opened", "redis", { channel: "hook" }))
      assert.strictEqual(proxy.seen.at(-1), "POST http://only.behind.test/in")
      const direct = yield* check(
        server.url.replace("127.0.0.1", "localhost"),
        { proxy: Redacted.make("none") },
        { HTTP_PROXY: "http://127.0.0.1:1" }
      )
      assert.strictEqual(direct.status, "healthy", direct.message)
    })
  )

  it("another form is refused without being shown", () => {
    for (const wrong of ["socks5://h:1", "gate:3128", "http://", "ftp://h", "hunter2"]) {
      const issues = Http.decode({ url: "http://a.test", proxy: wrong })
      assert.strictEqual(issues._tag, "Left", wrong)
      assert.include(JSON.stringify(issues), "the URL of an HTTP proxy such as")
      assert.notInclude(JSON.stringify(issues), wrong === "http://" ? "found http://" : wrong)
    }
    assert.strictEqual(Http.decode({ url: "http://a.test", proxy: "none" })._tag, "Right")
  })
})
