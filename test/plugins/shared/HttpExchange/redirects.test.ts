/** What goes along with a redirect, and what stays, over every client. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import {
  HttpExchange,
  layerClientHttpClient,
  layerClientUndici
} from "../../../../src/plugins/shared/HttpExchange.js"
import { CookieJar } from "../../../../src/plugins/shared/HttpExchange/CookieJar.js"
import { Reply } from "../../../../src/plugins/shared/HttpExchange/Exchange.js"
import * as Behaviour from "../../../support/doubles/Behaviour.js"
import * as HttpDouble from "../../../support/HttpDouble.js"

const setting = (location: string, ...cookies: ReadonlyArray<string>): Behaviour.Behaviour =>
  Behaviour.raw(
    [
      "HTTP/1.1 302 Found",
      `location: ${location}`,
      "content-length: 0",
      "connection: close",
      ...cookies.map((cookie) => `set-cookie: ${cookie}`),
      "\r\n"
    ].join("\r\n")
  )

const layers = {
  undici: layerClientUndici,
  "HttpClient over fetch": Layer.provide(layerClientHttpClient, FetchHttpClient.layer),
  "HttpClient over node:http": Layer.provide(layerClientHttpClient, NodeHttpClient.layer)
}

for (const [name, layer] of Object.entries(layers)) {
  describe(`Redirects, ${name}`, () => {
    it.scopedLive("cookies go back to the server that set them, for this exchange", () =>
      Effect.gen(function* () {
        const http = yield* HttpExchange
        const other = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "other") } })
        const double = yield* HttpDouble.make({
          routes: {
            "/login": setting("/app/home", "sid=1; HttpOnly", "theme=dark; Path=/app", "given=new"),
            "/app/home": setting("/end", "sid=gone; Max-Age=0; Path=/", "late=2; Path=/"),
            "/end": Behaviour.text(200, "in"),
            "/away": setting(`${other.url}/`, "sid=secret")
          }
        })
        const get = (path: string) =>
          http.exchange({
            method: "GET",
            url: double.url + path,
            redirects: 5,
            headers: { cookie: "given=old; mine=0" }
          })
        assert.strictEqual((yield* get("/login")).text, "in")
        const sent = (yield* double.requests).map(({ headers }) => headers.cookie)
        assert.deepStrictEqual(sent, [
          "given=old; mine=0",
          "theme=dark; mine=0; sid=1; given=new",
          "mine=0; given=new; late=2"
        ])
        yield* get("/away")
        assert.isUndefined((yield* other.requests)[0]?.headers.cookie)
        yield* get("/end")
        assert.strictEqual((yield* double.requests).at(-1)?.headers.cookie, "given=old; mine=0")
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("a body stays with its host, and credentials with their origin", () =>
      Effect.gen(function* () {
        const http = yield* HttpExchange
        const target = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "taken") } })
        const double = yield* HttpDouble.make({
          routes: {
            "/port": Behaviour.redirect(`${target.url}/port`, 308),
            "/host": Behaviour.redirect(`http://localhost:${target.port}/host`, 307),
            "/get": Behaviour.redirect(`http://localhost:${target.port}/get`, 303)
          }
        })
        const post = (path: string) =>
          http.exchange({
            method: "POST",
            url: double.url + path,
            redirects: 5,
            body: '{"a":1}',
            headers: {
              accept: "application/json",
              "content-type": "application/json",
              authorization: "Bearer canary",
              "x-key": "canary"
            }
          })
        assert.strictEqual((yield* post("/port")).status, 200)
        const host = yield* post("/host")
        assert.deepStrictEqual([host.status, host.keptBody], [307, true])
        assert.strictEqual((yield* post("/get")).status, 200)
        const [port, get, ...more] = yield* target.requests
        assert.strictEqual(more.length, 0)
        assert.deepStrictEqual([port?.method, port?.body], ["POST", '{"a":1}'])
        assert.strictEqual(port?.headers["content-type"], "application/json")
        assert.deepStrictEqual([get?.method, get?.body], ["GET", ""])
        assert.isUndefined(get?.headers["content-type"])
        for (const request of [port, get]) {
          assert.strictEqual(request?.headers.accept, "application/json")
          assert.notInclude(JSON.stringify(request), "canary")
        }
      }).pipe(Effect.provide(layer))
    )
  })
}

describe("CookieJar", () => {
  const reply = (...cookies: ReadonlyArray<string>) =>
    new Reply(302, { "set-cookie": cookies }, [], { first_byte_ms: 0, total_ms: 0 }, undefined)
  const now = Date.UTC(2026, 0, 1)
  const after = (from: string, cookies: ReadonlyArray<string>, to: string) => {
    const jar = CookieJar.of(new URL(from), undefined)
    jar.take(new URL(from), reply(...cookies), now)
    return jar.header(new URL(to))
  }

  it("a cookie belongs to its path, else to the folder of the page that set it", () => {
    const at = (path: string, cookie: string, to: string) =>
      after(`http://a.test${path}`, [cookie], `http://a.test${to}`)
    assert.strictEqual(at("/login", "a=1", "/x/y"), "a=1")
    assert.strictEqual(at("/auth/login", "a=1", "/auth/x"), "a=1")
    assert.isUndefined(at("/auth/login", "a=1", "/home"))
    assert.strictEqual(at("/auth/login", "a=1; Path=/", "/home"), "a=1")
    assert.isUndefined(at("/", "a=1; Path=/app", "/application"))
    assert.strictEqual(at("/", "a=1; path=/app", "/app/x"), "a=1")
  })

  it("the end of a cookie, by age before date", () => {
    const after1 = (cookie: string) => after("http://a.test/", [cookie], "http://a.test/")
    assert.isUndefined(after1("a=1; Max-Age=0"))
    assert.isUndefined(after1("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"))
    assert.isUndefined(after1("a=1; expires=Thu, 01-Jan-1970 00:00:00 GMT"))
    assert.strictEqual(after1("a=1; Expires=Fri, 01 Jan 2027 00:00:00 GMT"), "a=1")
    assert.strictEqual(after1("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), "a=1")
  })

  it("what is no cookie is passed over, and there are no more than fifty", () => {
    const many = Array.from({ length: 60 }, (_, index) => `c${index}=1`)
    const found = after("http://a.test/", ["", "=x", "novalue", ...many], "http://a.test/")
    assert.strictEqual(found?.split("; ").length, 50)
    assert.isUndefined(after("http://a.test/", [`a=${"x".repeat(5000)}`], "http://a.test/"))
    assert.isUndefined(after("https://a.test/", ["a=1; Domain=test"], "http://a.test/"))
  })
})
