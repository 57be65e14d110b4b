/** The HTTP check against local servers that answer well, badly and not at all. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Redacted } from "effect"
import { Http, layerClientUndici } from "../../src/plugins/Http.js"
import { layerClientUndiciWith, Reply } from "../../src/plugins/shared/HttpExchange.js"
import * as Certificates from "../support/Certificates.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as Ipv6 from "../support/Ipv6.js"
import { noneOpen, registered } from "./registered.js"

type Input = Parameters<typeof Http.layer>[0]

const open = (input: Input, exchange = layerClientUndici) => registered(Http.layer(input), exchange)

describe("Http", () => {
  it.scopedLive("2xx is healthy, with the times, and the connection is kept", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "/up": Behaviour.text(204, "") } })
      const { run } = yield* open({ url: `${double.url}/up?deep=1` })
      const first = yield* run
      assert.strictEqual(first.status, "healthy")
      assert.strictEqual(first.message, "HTTP 204")
      assert.strictEqual(first.details.status, 204)
      assert.strictEqual(first.details.connection, "new")
      assert.isNumber(first.details.connect_ms)
      assert.isNumber(first.details.first_byte_ms)
      const second = yield* run
      assert.strictEqual(second.details.connection, "reused")
      assert.isUndefined(second.details.connect_ms)
      assert.deepStrictEqual(yield* double.connections, { total: 1, open: 1 })
      assert.strictEqual((yield* double.requests)[0]?.url, "/up?deep=1")
    })
  )

  it.scopedLive("an address of IPv6, in brackets", () =>
    Effect.gen(function* () {
      const port = yield* Ipv6.server
      const { run } = yield* open({ url: `http://[::1]:${port}/up` })
      const result = yield* run
      assert.strictEqual(result.status, Ipv6.hasLoopback ? "healthy" : "unhealthy", result.message)
      const down = yield* open({ url: "http://[::1]:1/" })
      const refused = yield* down.run
      assert.strictEqual(refused.status, "unhealthy")
      assert.include(refused.message, "[::1]:1")
    })
  )

  it.scopedLive("a host name takes DNS time", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "up") } })
      const { run } = yield* open({ url: `http://localhost:${double.port}/` })
      const result = yield* run
      assert.strictEqual(result.status, "healthy")
      assert.isNumber(result.details.dns_ms)
    })
  )

  it.scopedLive("statuses: what is expected is healthy, anything else is not", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(503, "no") } })
      const plain = yield* open({ url: double.url })
      const result = yield* plain.run
      assert.strictEqual(result.status, "unhealthy")
      assert.strictEqual(result.reason, "UnexpectedStatus")
      assert.include(result.message, "expected HTTP 2xx, found 503")
      assert.strictEqual(result.details.status, 503)
      const wanted = yield* open({ url: double.url, expect: { status: [200, 503] } })
      assert.strictEqual((yield* wanted.run).status, "healthy")
    })
  )

  it.scopedLive("JSON paths and text", () =>
    Effect.gen(function* () {
      const body = { ok: true, items: [{ name: "a" }], "odd key": { b: 1, a: [2] } }
      const double = yield* HttpDouble.make({
        routes: { "/ok": Behaviour.json(200, body), "/bad": Behaviour.badJson() }
      })
      const good = yield* open({
        url: `${double.url}/ok`,
        expect: {
          json: { "$.ok": true, "$.items[0].name": "a", "$['odd key']": { a: [2], b: 1 } },
          text: '"ok":true'
        }
      })
      assert.strictEqual((yield* good.run).status, "healthy")

      const wrong = yield* open({ url: `${double.url}/ok`, expect: { json: { "$.ok": "yes" } } })
      const value = yield* wrong.run
      assert.strictEqual(value.reason, "UnexpectedBody")
      assert.include(value.message, 'expected $.ok to be "yes", found true')

      const absent = yield* open({ url: `${double.url}/ok`, expect: { json: { "$.items[1]": 1 } } })
      assert.include((yield* absent.run).message, "found nothing")

      const text = yield* open({ url: `${double.url}/ok`, expect: { text: "absent" } })
      assert.strictEqual((yield* text.run).reason, "UnexpectedBody")

      const bad = yield* open({ url: `${double.url}/bad`, expect: { json: { "$.ok": true } } })
      assert.strictEqual((yield* bad.run).reason, "BadJson")
    })
  )

  it.scopedLive("429 is degraded and keeps both forms of Retry-After", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: { "/s": Behaviour.tooManyRequests(17), "/d": Behaviour.tooManyRequestsAt(60) }
      })
      const seconds = yield* (yield* open({ url: `${double.url}/s` })).run
      assert.strictEqual(seconds.status, "degraded")
      assert.strictEqual(seconds.reason, "RateLimited")
      assert.deepStrictEqual(seconds.retryAfter, Duration.seconds(17))
      const date = yield* (yield* open({ url: `${double.url}/d` })).run
      assert.strictEqual(date.status, "degraded")
      const rest = date.retryAfter === undefined ? 0 : Duration.toSeconds(date.retryAfter)
      assert.isTrue(rest > 50 && rest <= 60, String(rest))
      assert.strictEqual((yield* double.requests).length, 2, "429 is not retried")
    })
  )

  it.scopedLive("slower than the limit is degraded", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: { "*": Behaviour.slowHeaders(30, Behaviour.text(200, "up")) }
      })
      const { run } = yield* open({ url: double.url, slow: "20 millis" })
      const result = yield* run
      assert.strictEqual(result.status, "degraded")
      assert.include(result.message, "slower than 20ms")
    })
  )

  it.scopedLive(
    "slow headers and a stalled body end with the run's limit, and the request with it",
    () =>
      Effect.gen(function* () {
        const double = yield* HttpDouble.make({
          routes: {
            "/hang": Behaviour.hang,
            "/stall": Behaviour.stallBody(),
            "/trickle": Behaviour.trickle("x".repeat(10_000), 20)
          }
        })
        for (const path of ["/hang", "/stall", "/trickle"]) {
          const check = yield* registered(
            Http.layer({ url: double.url + path }, { timeout: "150 millis" }),
            layerClientUndici
          )
          const result = yield* check.run
          assert.strictEqual(result.reason, "Timeout", path)
          // The connection of an abandoned request is taken down and not used again.
          yield* noneOpen(double)
        }
      })
  )

  it.scopedLive("a body without end is cut", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.endless() } })
      const result = yield* (yield* open({ url: double.url, maxBytes: 100_000 })).run
      assert.strictEqual(result.reason, "TooLarge")
      assert.include(result.message, "longer than 100000 bytes")
      yield* noneOpen(double)
      assert.strictEqual((yield* double.requests).length, 1, "it is not retried")
    })
  )

  it.scopedLive("a long page where a status is expected, and long headers", () =>
    Effect.gen(function* () {
      const page = "x".repeat(1_300_000)
      const double = yield* HttpDouble.make({
        routes: {
          "/page": Behaviour.text(200, page),
          "/headers": Behaviour.text(200, "up", { "x-long": "y".repeat(20_000) })
        }
      })
      for (const path of ["/page", "/headers"]) {
        const result = yield* (yield* open({ url: double.url + path })).run
        assert.strictEqual(result.status, "healthy", result.message)
      }
      const wanted = yield* open({ url: `${double.url}/page`, expect: { text: "z" } })
      assert.strictEqual((yield* wanted.run).reason, "TooLarge")
    })
  )

  it("an expectation of the body is refused where the method is HEAD", () => {
    const url = "http://127.0.0.1/"
    for (const expect of [{ text: "up" }, { json: { "$.ok": true } }]) {
      const decoded = Http.decode({ url, method: "HEAD", expect })
      assert.strictEqual(decoded._tag, "Left")
    }
    assert.strictEqual(
      Http.decode({ url, method: "HEAD", expect: { status: [200] } })._tag,
      "Right"
    )
  })

  it("a body is read in its own character set, without the mark of byte order", () => {
    const text = (body: Buffer, type?: string) =>
      new Reply(200, { "content-type": type }, [body], { first_byte_ms: 0, total_ms: 0 }, undefined)
        .text
    const json = '{"ok":"grüße"}'
    assert.strictEqual(text(Buffer.from(json)), json)
    assert.strictEqual(text(Buffer.from(`\ufeff${json}`)), json)
    assert.strictEqual(text(Buffer.from(json, "latin1"), "text/plain; charset=ISO-8859-1"), json)
    assert.strictEqual(text(Buffer.from(`\ufeff${json}`, "utf16le")), json)
    assert.strictEqual(text(Buffer.from(json, "utf16le"), 'x/y; Charset="UTF-16"'), json)
    assert.strictEqual(text(Buffer.from(json), "text/plain; charset=nonsense"), json)
  })

  it.scopedLive("resets, closes and garbage are retried once where that can help", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: {
          "/reset": Behaviour.reset,
          "/mid": Behaviour.resetMidBody,
          "/short": Behaviour.truncate,
          "/raw": Behaviour.raw("nonsense\r\n\r\n"),
          "/once": [Behaviour.reset, Behaviour.text(200, "up")]
        }
      })
      const cases = [
        ["/reset", "was reset", 2],
        ["/mid", "was reset", 2],
        ["/short", "closed before the answer was complete", 2],
        ["/raw", "is not HTTP", 1]
      ] as const
      for (const [path, problem, requests] of cases) {
        yield* double.clear
        const result = yield* (yield* open({ url: double.url + path })).run
        assert.strictEqual(result.status, "unhealthy", path)
        assert.strictEqual(result.reason, "Network", path)
        assert.include(result.message, problem)
        assert.include(result.message, `127.0.0.1:${double.port}`)
        assert.strictEqual((yield* double.requests).length, requests, path)
      }
      assert.strictEqual(
        (yield* (yield* open({ url: `${double.url}/once` })).run).status,
        "healthy"
      )
      yield* double.on("/once", Behaviour.reset, Behaviour.text(200, "up"))
      const post = yield* open({ url: `${double.url}/once`, method: "POST", body: "x" })
      assert.strictEqual((yield* post.run).status, "unhealthy", "a POST is not repeated")
    })
  )

  it.scopedLive("a server that is down, comes up, goes and comes back", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "up") } })
      yield* double.stop
      const { run } = yield* open({ url: double.url })
      const down = yield* run
      assert.strictEqual(down.status, "unhealthy")
      assert.include(down.message, "connection refused")
      yield* double.start
      assert.strictEqual((yield* run).status, "healthy")
      yield* double.stop
      assert.strictEqual((yield* run).status, "unhealthy")
      yield* double.start
      assert.strictEqual((yield* run).status, "healthy")
    })
  )

  it.scopedLive("an unknown host name", () =>
    Effect.gen(function* () {
      const result = yield* (yield* open({ url: "http://no-such-host.invalid/" })).run
      assert.strictEqual(result.status, "unhealthy")
      assert.strictEqual(result.reason, "DnsFailed")
    })
  )

  it.scopedLive(
    "redirects are followed up to the limit, and without headers to other servers",
    () =>
      Effect.gen(function* () {
        const target = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "there") } })
        const double = yield* HttpDouble.make({
          routes: {
            "/out": Behaviour.redirect(`${target.url}/end?session=1`),
            "/two": Behaviour.redirect("/one"),
            "/one": Behaviour.redirect("/end"),
            "/end": Behaviour.text(200, "here"),
            "/loop": Behaviour.redirect("/loop")
          }
        })
        const headers = { "x-key": Redacted.make("canary-header-value") }
        const stay = yield* (yield* open({ url: `${double.url}/out`, headers })).run
        assert.strictEqual(stay.reason, "UnexpectedStatus")
        assert.include(stay.message, `found 302, a redirect to ${target.url} (set followRedirects`)
        assert.notInclude(stay.message, "session")

        const out = yield* open({ url: `${double.url}/out`, headers, followRedirects: 1 })
        const followed = yield* out.run
        assert.strictEqual(followed.status, "healthy")
        assert.strictEqual(followed.details.redirects, 1)
        assert.isUndefined((yield* target.requests)[0]?.headers["x-key"])

        const two = yield* open({ url: `${double.url}/two`, headers, followRedirects: 2 })
        assert.strictEqual((yield* two.run).status, "healthy")
        const last = (yield* double.requests).at(-1)
        assert.strictEqual(last?.url, "/end")
        assert.strictEqual(last?.headers["x-key"], "canary-header-value")

        const loop = yield* (yield* open({ url: `${double.url}/loop`, followRedirects: 3 })).run
        assert.include(loop.message, "one redirect too many")
        const moved = yield* open({ url: `${double.url}/loop`, expect: { status: [302] } })
        assert.strictEqual((yield* moved.run).status, "healthy")
      })
  )

  it.scopedLive("TLS: the certificate's problem is said in words", () =>
    Effect.gen(function* () {
      const certificates = yield* Certificates.make
      const exchange = layerClientUndiciWith({ ca: certificates.ca })
      const cases = [
        ["self-signed", "self-signed"],
        ["expired", "has expired"],
        ["not-yet-valid", "not valid yet"],
        ["wrong-host", "for another host (DNS:elsewhere.invalid)"],
        ["incomplete-chain", "intermediate certificate is missing"]
      ] as const
      for (const [kind, words] of cases) {
        const tls = yield* certificates.issue(kind)
        const double = yield* HttpDouble.make({ tls, routes: { "*": Behaviour.text(200, "up") } })
        const result = yield* (yield* open({ url: double.url }, exchange)).run
        assert.strictEqual(result.status, "unhealthy", kind)
        assert.strictEqual(result.reason, "TlsFailed", kind)
        assert.include(result.message, words)
      }
      const tls = yield* certificates.issue("valid")
      const double = yield* HttpDouble.make({ tls, routes: { "*": Behaviour.text(200, "up") } })
      const good = yield* open({ url: double.url }, exchange)
      const result = yield* good.run
      assert.strictEqual(result.status, "healthy")
      assert.isNumber(result.details.tls_ms)
      const named = yield* open({ url: `https://localhost:${double.port}` }, exchange)
      assert.strictEqual((yield* named.run).status, "healthy")
      const untrusted = yield* (yield* open({ url: double.url })).run
      assert.include(untrusted.message, "not trusted")
      const plain = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "up") } })
      const confused = yield* (yield* open({ url: `https://127.0.0.1:${plain.port}` })).run
      assert.strictEqual(confused.reason, "TlsFailed")
    })
  )

  it.scopedLive("a user in the URL is Basic authentication, and no secret is in any result", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: {
          "/ok": Behaviour.text(200, "up"),
          "/no": Behaviour.text(500, "canary-p@ss"),
          "/reset": Behaviour.reset,
          "/echo": Behaviour.json(200, { seen: "canary-p@ss canary-header" })
        }
      })
      const at = (path: string) =>
        `http://canary%20user:canary-p%40ss@127.0.0.1:${double.port}${path}`
      const headers = { Authorized: Redacted.make("canary-header") }
      const results = yield* Effect.forEach(["/ok", "/no", "/reset", "/echo"], (path) =>
        Effect.flatMap(
          open({ url: at(path), headers, expect: { json: { "$.seen": "other" } } }),
          ({ run }) => run
        )
      )
      const sent = (yield* double.requests)[0]?.headers
      assert.strictEqual(
        sent?.authorization,
        `Basic ${Buffer.from("canary user:canary-p@ss").toString("base64")}`
      )
      assert.strictEqual(sent?.authorized, "canary-header")
      const shown = JSON.stringify(results)
      for (const secret of ["canary-p@ss", "canary-p%40ss", "canary-header", "canary%20user"]) {
        assert.notInclude(shown, secret)
      }
    })
  )

  it.scopedLive("the layer's end closes its connections and a run that is going on", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.hang } })
      const fiber = yield* Effect.fork(
        Effect.scoped(Effect.flatMap(open({ url: double.url }), ({ run }) => run))
      )
      yield* double.awaitRequests(1)
      yield* Fiber.interrupt(fiber)
      yield* noneOpen(double)
    })
  )
})
