import { assert, describe, it } from "@effect/vitest"
import * as SystemNames from "../../src/System/Sockets/SystemNames.js"

const conf = (text: string, hostname = "host") => SystemNames.parseResolvConf(text, hostname)

describe("the system's rules for names", () => {
  it("resolv.conf: servers, search, options, and what stands for what is missing", () => {
    const read = conf(
      "# made\nnameserver 10.0.0.1\nnameserver ::1\nnameserver x\nnameserver 10.0.0.3\nnameserver 10.0.0.4\ndomain a.test\nsearch b.test c.test\noptions ndots:5 timeout:2 attempts:9 rotate edns0\n"
    )
    assert.deepStrictEqual(read, {
      servers: ["10.0.0.1", "::1", "10.0.0.3"],
      search: ["b.test", "c.test"],
      ndots: 5,
      timeoutSeconds: 2,
      attempts: 5,
      rotate: true
    })
    const none = conf("", "web.example.test")
    assert.deepStrictEqual(none.servers, ["127.0.0.1"])
    assert.deepStrictEqual(none.search, ["example.test"])
  })

  it("search and ndots: a short name is looked for nearby first, a whole one never", () => {
    const read = conf("search a.test b.test\noptions ndots:2")
    const names = (name: string) => SystemNames.candidates(name, read)
    assert.deepStrictEqual(names("db"), ["db.a.test", "db.b.test", "db"])
    assert.deepStrictEqual(names("x.y.z")[0], "x.y.z")
    assert.deepStrictEqual(names("x.y."), ["x.y"])
  })

  it("hosts: addresses by every name, in their order, without regard to case", () => {
    const hosts = SystemNames.parseHosts(
      "127.0.0.1 localhost # here\n::1 localhost\n10.0.0.7\tDB db.Local\nno-address x\n"
    )
    assert.deepStrictEqual(hosts.get("localhost"), ["127.0.0.1", "::1"])
    assert.deepStrictEqual(hosts.get("db"), ["10.0.0.7"])
    assert.isUndefined(hosts.get("x"))
  })

  for (const [line, servers, first, others] of [
    ["", ["10.0.0.1"], "dns", false],
    ["hosts: files dns", ["10.0.0.1"], "dns", false],
    ["hosts: files mdns4_minimal [NOTFOUND=return] dns myhostname", ["10.0.0.1"], "dns", true],
    ["hosts: mymachines resolve [!UNAVAIL=return] files dns", ["127.0.0.53"], "dns", true],
    ["hosts: resolve [!UNAVAIL=return] files dns", ["10.0.0.1"], "system", true],
    ["hosts: files sss dns", ["10.0.0.1"], "system", true],
    ["hosts: files", ["10.0.0.1"], "system", false]
  ] as const) {
    it(`nsswitch "${line}" with ${servers.join()}: ${first} first`, () => {
      const sources = SystemNames.parseSources(`passwd: files\n${line}\n`, servers)
      assert.deepStrictEqual([sources.first, sources.others], [first, others])
    })
  }
})
