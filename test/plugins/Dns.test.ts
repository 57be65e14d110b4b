import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Dns } from "../../src/plugins/Dns.js"
import * as DnsDouble from "../support/DnsDouble.js"
import { run } from "./run.js"

const zone: DnsDouble.Zone = {
  "A example.test": ["192.0.2.2", "192.0.2.1"],
  "AAAA example.test": ["20010db8000000000000000000000001"],
  "CNAME www.example.test": ["example.test"],
  "MX example.test": ["10 mail.example.test", "20 spare.example.test"],
  "TXT example.test": ["v=spf1 -all"],
  "NS example.test": ["ns1.example.test"],
  "SRV _sip._tcp.example.test": ["1 5 5060 sip.example.test"]
}

/** A check of this name against a server of its own. */
const setup = Effect.map(DnsDouble.make(zone), (double) => ({
  ...double,
  ask: (config: object, options?: { readonly timeout: "100 millis" }) =>
    run(
      Dns,
      { name: "example.test", servers: [double.server], queryTimeout: "300 millis", ...config },
      options
    )
}))

describe("Dns", () => {
  for (const [recordType, name, records, expect] of [
    ["A", "example.test", ["192.0.2.1", "192.0.2.2"], "192.0.2.2"],
    ["AAAA", "example.test", ["2001:db8::1"], "2001:DB8::1"],
    ["CNAME", "www.example.test", ["example.test"], "Example.test."],
    [
      "MX",
      "example.test",
      ["10 mail.example.test", "20 spare.example.test"],
      "10 mail.example.test."
    ],
    ["MX", "example.test", ["10 mail.example.test", "20 spare.example.test"], "spare.example.test"],
    ["TXT", "example.test", ["v=spf1 -all"], "v=spf1 -all"],
    ["NS", "example.test", ["ns1.example.test"], "ns1.example.test"],
    ["SRV", "_sip._tcp.example.test", ["1 5 5060 sip.example.test"], "sip.example.test"]
  ] as const) {
    it.scopedLive(`resolves ${recordType} and finds ${expect}`, () =>
      Effect.gen(function* () {
        const { ask, questions, server } = yield* setup
        const result = yield* ask({ name, recordType, expect: [expect] })
        assert.strictEqual(result.status, "healthy", result.message)
        assert.deepStrictEqual(result.details.records, [...records])
        assert.deepStrictEqual(result.details.servers, [server])
        assert.isAbove(Number(result.details.resolve_ms), 0)
        assert.deepStrictEqual(yield* questions, [`${recordType} ${name}`])
      })
    )
  }

  it.scopedLive("says what it found", () =>
    Effect.gen(function* () {
      const { ask } = yield* setup
      const result = yield* ask({})
      assert.strictEqual(result.message, "DNS record A example.test is 192.0.2.1 and 1 more")
    })
  )

  it.scopedLive("is unhealthy when an expected value is missing", () =>
    Effect.gen(function* () {
      const { ask } = yield* setup
      const result = yield* ask({ expect: ["192.0.2.1", "192.0.2.9"] })
      assert.strictEqual(result.status, "unhealthy")
      assert.strictEqual(result.reason, "Unexpected")
      assert.include(result.message, 'should contain "192.0.2.9" and is "192.0.2.1", "192.0.2.2"')
    })
  )

  it.scopedLive("takes TXT to the letter", () =>
    Effect.gen(function* () {
      const { ask } = yield* setup
      const result = yield* ask({ recordType: "TXT", expect: ["-all"] })
      assert.strictEqual(result.reason, "Unexpected")
    })
  )

  for (const [what, config] of [
    ["a name that does not exist", { name: "none.test" }],
    ["a name without records of the type", { name: "www.example.test" }]
  ] as const) {
    it.scopedLive(`tells ${what}`, () =>
      Effect.gen(function* () {
        const { ask, server } = yield* setup
        const result = yield* ask(config)
        assert.strictEqual(result.status, "unhealthy")
        assert.strictEqual(result.reason, "NotFound")
        assert.include(result.message, server)
      })
    )
  }

  for (const [fault, reason] of [
    ["servfail", "ServerFailed"],
    ["refused", "ServerFailed"],
    ["garbage", "ServerFailed"],
    ["silent", "TimedOut"]
  ] as const) {
    it.scopedLive(`tells a server that is ${fault}, and its recovery`, () =>
      Effect.gen(function* () {
        const double = yield* setup
        yield* double.fault(fault)
        const result = yield* double.ask({})
        assert.strictEqual(result.status, "unhealthy")
        assert.strictEqual(result.reason, reason)
        yield* double.fault(undefined)
        assert.strictEqual((yield* double.ask({})).status, "healthy")
      })
    )
  }

  it.scopedLive("asks once more when a question or an answer was lost", () =>
    Effect.gen(function* () {
      const double = yield* setup
      yield* double.fault("silent")
      const fiber = yield* Effect.fork(double.ask({ queryTimeout: "200 millis" }))
      yield* double.awaitQuestions(1)
      yield* double.fault(undefined)
      assert.strictEqual((yield* Fiber.join(fiber)).status, "healthy")
    })
  )

  it.scopedLive(
    "a server that fails or says nothing leaves it to the next, and each is named",
    () =>
      Effect.gen(function* () {
        for (const [fault, said] of [
          ["servfail", "answered SERVFAIL"],
          ["refused", "answered REFUSED"],
          ["silent", "no answer from"]
        ] as const) {
          const [bad, good] = [yield* setup, yield* setup]
          yield* bad.fault(fault)
          const servers = [bad.server, good.server]
          const result = yield* good.ask({ servers })
          assert.strictEqual(result.status, "healthy", result.message)
          assert.deepStrictEqual(result.details.servers, [good.server])
          assert.include(result.message, said)
          assert.include(result.message, bad.server)
          const wrong = yield* good.ask({ servers, expect: ["192.0.2.9"] })
          assert.include(wrong.message, `says ${good.server} (`)
          const none = yield* good.ask({ servers, name: "none.test" })
          assert.strictEqual(none.reason, "NotFound")
          assert.include(none.message, `says ${good.server} (`)
        }
      })
  )

  it.scopedLive("asks for the ASCII form of a name, and compares with it", () =>
    Effect.gen(function* () {
      const double = yield* DnsDouble.make({
        "MX xn--bcher-kva.test": ["10 mail.xn--bcher-kva.test"]
      })
      const result = yield* run(Dns, {
        name: "bücher.test",
        recordType: "MX",
        servers: [double.server],
        expect: ["10 mail.bücher.test"]
      })
      assert.strictEqual(result.status, "healthy", result.message)
    })
  )

  it.scopedLive("gives up its question when it is interrupted", () =>
    Effect.gen(function* () {
      const double = yield* setup
      yield* double.fault("silent")
      const fiber = yield* Effect.fork(double.ask({ queryTimeout: "1 minute" }))
      yield* double.awaitQuestions(1)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.scopedLive("is degraded when resolving takes longer than `slow`", () =>
    Effect.gen(function* () {
      const { ask } = yield* setup
      assert.strictEqual((yield* ask({ slow: "1 nanos" })).status, "degraded")
    })
  )

  for (const server of [
    "ns1.example.com",
    "1.1.1.1:",
    "https://dns.google",
    "[::1",
    "1.1.1.1:99999999"
  ]) {
    it(`refuses ${server} as a name server`, () => {
      assert.isTrue(Dns.decode({ name: "example.test", servers: [server] })._tag === "Left")
    })
  }

  for (const server of ["1.1.1.1", "10.0.0.2:5353", "::1", "[::1]", "[::1]:53"]) {
    it.live(`takes ${server} as a name server`, () =>
      Effect.gen(function* () {
        const result = yield* run(Dns, {
          name: "x..invalid",
          servers: [server],
          queryTimeout: "1 millis"
        })
        assert.notStrictEqual(result.reason, "Crashed")
        assert.include(result.message, server.includes("5353") ? "10.0.0.2:5353" : "")
      })
    )
  }
})
