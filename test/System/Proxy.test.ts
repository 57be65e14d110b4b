import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import * as Proxy from "../../src/System/Sockets/Proxy.js"

const http_proxy = "http://plain.test:3128"
const https_proxy = "https://me:p%40ss@safe.test"

/** The host of the proxy that a URL goes through. */
const through = (url: string, variables: Proxy.Variables): string => {
  const way = Proxy.choose(variables, new URL(url))
  if (way === "direct") return way
  return "host" in way ? way.host : `${way.name}: ${way.found}`
}

describe("Proxy", () => {
  it("is read from a URL, or a host and a port", () => {
    const read = (text: string) => Either.getOrElse(Proxy.parse(text), (found) => found)
    assert.deepStrictEqual(read("proxy:3128"), {
      host: "proxy",
      port: 3128,
      isSecure: false,
      authorization: undefined
    })
    assert.deepStrictEqual(read(https_proxy), {
      host: "safe.test",
      port: 443,
      isSecure: true,
      authorization: `Basic ${Buffer.from("me:p@ss").toString("base64")}`
    })
    assert.deepStrictEqual(read("http://[::1]"), {
      host: "::1",
      port: 80,
      isSecure: false,
      authorization: undefined
    })
    assert.strictEqual(
      read("socks5://me:hunter2@h:1080"),
      "a SOCKS proxy, which Holter does not speak"
    )
    assert.strictEqual(read("ftp://me:hunter2@h"), "another protocol")
    assert.strictEqual(read("http://me:hunter2@:x"), "something else (not shown)")
  })

  it("is chosen by the scheme of the URL", () => {
    const both = { http_proxy, https_proxy }
    assert.strictEqual(through("http://a.test/", both), "plain.test")
    assert.strictEqual(through("https://a.test/", both), "safe.test")
    assert.strictEqual(through("https://a.test/", { http_proxy }), "direct")
    assert.strictEqual(through("https://a.test/", { https_proxy: " " }), "direct")
    assert.include(through("http://a.test/", { http_proxy: "socks5h://s" }), "HTTP_PROXY: a SOCKS")
  })

  it("is for no service of this machine", () => {
    for (const host of [
      "localhost",
      "LOCALHOST.",
      "api.localhost",
      "127.0.0.1",
      "127.9.9.9",
      "[::1]"
    ]) {
      assert.strictEqual(through(`http://${host}:8080/up`, { http_proxy }), "direct", host)
    }
    assert.strictEqual(through("http://mylocalhost/", { http_proxy }), "plain.test")
    assert.strictEqual(through("http://128.0.0.1/", { http_proxy }), "plain.test")
  })

  for (const [no_proxy, direct, proxied] of [
    ["*", ["a.test", "10.0.0.1", "[2001:db8::1]"], []],
    ["a.test", ["a.test", "A.test", "b.a.test", "a.test."], ["aa.test", "test", "a.test.b"]],
    [".a.test,*.b.test", ["a.test", "x.a.test", "x.b.test"], ["xa.test"]],
    ["bücher.test,c.test.", ["bücher.test", "xn--bcher-kva.test", "c.test"], ["b.test"]],
    ["a.test:8080", ["a.test:8080"], ["a.test", "a.test:80"]],
    ["a.test:80", ["a.test"], ["a.test:8080"]],
    [
      "10.0.0.0/8 192.168.1.1",
      ["10.255.0.1", "192.168.1.1"],
      ["11.0.0.1", "192.168.1.2", "a.test"]
    ],
    ["2001:db8::/32,[2001:db9::1]:81", ["[2001:db8::5]", "[2001:db9::1]:81"], ["[2001:db9::1]"]],
    ["10.0.0.0/33, 10.0.0.0/x, 10.0.0.0/", [], ["10.0.0.1"]],
    ["  ,, ", [], ["a.test"]]
  ] as const) {
    it(`leaves out what NO_PROXY names: "${no_proxy}"`, () => {
      for (const host of direct) {
        assert.strictEqual(through(`http://${host}/`, { http_proxy, no_proxy }), "direct", host)
      }
      for (const host of proxied) {
        assert.strictEqual(through(`http://${host}/`, { http_proxy, no_proxy }), "plain.test", host)
      }
    })
  }

  it("never throws, and shows nothing of what it cannot read", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.webUrl(), (proxy, no_proxy, url) => {
        const way = Proxy.choose({ http_proxy: proxy, https_proxy: proxy, no_proxy }, new URL(url))
        if (way !== "direct" && !("host" in way)) {
          assert.include(["something else (not shown)", "another protocol"], way.found)
        }
      })
    )
  })
})
