import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { writeFile } from "node:fs/promises"
import * as path from "node:path"
import { TlsCertificate } from "../../src/plugins/TlsCertificate.js"
import * as Certificates from "../support/Certificates.js"
import * as FaultyTcp from "../support/FaultyTcp.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as TempDir from "../support/TempDir.js"
import { run } from "./run.js"

/** A server with a certificate of this kind, and a check that trusts the test's authority. */
const served = (kind: Certificates.Kind, config: object = {}) =>
  Effect.gen(function* () {
    const authority = yield* Certificates.make
    const server = yield* HttpDouble.make({ tls: yield* authority.issue(kind) })
    return {
      server,
      authority,
      ask: run(TlsCertificate, {
        host: "127.0.0.1",
        port: server.port,
        ca: authority.caFile,
        ...config
      })
    }
  })

describe("TlsCertificate", () => {
  it.scopedLive("is healthy with a valid certificate, and tells about it", () =>
    Effect.gen(function* () {
      const { ask, server } = yield* served("valid")
      const { details, message, status } = yield* ask
      assert.strictEqual(status, "healthy", message)
      assert.match(
        message,
        /^TLS certificate of 127\.0\.0\.1:\d+ is valid until [\d-]+ \(365 days left\)$/
      )
      assert.strictEqual(details.address, `127.0.0.1:${server.port}`)
      assert.strictEqual(details.subject, "O=Holter tests, CN=localhost")
      assert.strictEqual(details.issuer, "O=Holter tests, CN=intermediate")
      assert.strictEqual(details.days_left, 365)
      assert.strictEqual(details.protocol, "TLSv1.3")
      assert.match(JSON.stringify(details.valid_until), /^"\d{4}-\d\d-\d\dT/)
      assert.isNull(details.chain_error)
    })
  )

  it.scopedLive("goes by the host's name, or by another that is asked for", () =>
    Effect.gen(function* () {
      const { authority, server } = yield* served("valid")
      const ask = (host: string, servername?: string) =>
        run(TlsCertificate, {
          host,
          port: server.port,
          ca: authority.caFile,
          ...(servername === undefined ? {} : { servername })
        })
      assert.strictEqual((yield* ask("localhost")).status, "healthy")
      assert.strictEqual((yield* ask("127.0.0.1", "localhost")).status, "healthy")
      const other = yield* ask("127.0.0.1", "example.com")
      assert.strictEqual(other.reason, "HostMismatch")
      assert.include(other.message, "DNS:localhost")
    })
  )

  for (const [kind, config, status, reason, days] of [
    [{ days: 21 }, {}, "healthy", undefined, 21],
    [{ days: 20 }, {}, "degraded", undefined, 20],
    [{ days: 7 }, {}, "degraded", undefined, 7],
    [{ days: 6 }, {}, "unhealthy", "ExpiresSoon", 6],
    [{ days: 40 }, { warnDays: 60 }, "degraded", undefined, 40],
    [{ days: 5 }, { criticalDays: 0, warnDays: 0 }, "healthy", undefined, 5],
    ["expired", {}, "unhealthy", "Expired", -1],
    ["not-yet-valid", {}, "unhealthy", "NotYetValid", 30],
    ["wrong-host", {}, "unhealthy", "HostMismatch", 365],
    ["self-signed", {}, "unhealthy", "SelfSigned", 365],
    ["incomplete-chain", {}, "unhealthy", "Untrusted", 365]
  ] as const) {
    it.scopedLive(
      `${JSON.stringify(kind)} with ${JSON.stringify(config)}: ${reason ?? status}`,
      () =>
        Effect.gen(function* () {
          const { ask } = yield* served(kind, config)
          const result = yield* ask
          assert.strictEqual(result.status, status, result.message)
          assert.strictEqual(result.reason, reason)
          assert.approximately(Number(result.details.days_left), days, 1)
        })
    )
  }

  it.scopedLive("goes by what ends first in the chain", () =>
    Effect.gen(function* () {
      const ask = (lifetimes: Certificates.Lifetimes, sent: "leaf" | "chain" = "chain") =>
        Effect.gen(function* () {
          const authority = yield* Certificates.makeWith(lifetimes)
          const tls = yield* authority.issue({ days: 299 })
          const root = sent === "chain" ? authority.ca : ""
          const server = yield* HttpDouble.make({ tls: { ...tls, cert: tls.cert + root } })
          const host = { host: "127.0.0.1", port: server.port }
          return yield* run(TlsCertificate, { ...host, ca: authority.caFile })
        })
      const intermediate = yield* ask({ intermediate: 3 })
      assert.deepStrictEqual(
        [intermediate.status, intermediate.reason],
        ["unhealthy", "ExpiresSoon"]
      )
      assert.match(
        intermediate.message,
        /3 days left \(until [\d-]+, the authority O=Holter tests, CN=intermediate in its chain\)/
      )
      assert.strictEqual(intermediate.details.ends_first, "O=Holter tests, CN=intermediate")
      for (const sent of ["leaf", "chain"] as const) {
        const root = yield* ask({ root: 15 }, sent)
        assert.strictEqual(root.status, "degraded", root.message)
        assert.include(root.message, "15 days left")
        assert.include(root.message, "CN=root in its chain")
      }
      const ended = yield* ask({ intermediate: -0.1 })
      assert.deepStrictEqual([ended.status, ended.reason], ["unhealthy", "Expired"])
      assert.include(ended.message, "CN=intermediate in its chain")
    })
  )

  it.scopedLive("does not trust an unknown authority, and still tells the days that are left", () =>
    Effect.gen(function* () {
      const { server } = yield* served({ days: 50 })
      const result = yield* run(TlsCertificate, { host: "127.0.0.1", port: server.port })
      assert.strictEqual(result.reason, "Untrusted")
      assert.strictEqual(result.details.days_left, 50)
      assert.isString(result.details.chain_error)
    })
  )

  it.scopedLive("names everything that is wrong", () =>
    Effect.gen(function* () {
      const { server } = yield* served("expired")
      const config = { host: "127.0.0.1", port: server.port, servername: "example.com" }
      const result = yield* run(TlsCertificate, config)
      assert.strictEqual(result.reason, "Expired")
      assert.include(result.message, "and also for other names")
    })
  )

  it.scopedLive("counts the days by the program's clock", () =>
    Effect.gen(function* () {
      const { ask } = yield* served({ days: 50 })
      const clock = Clock.make()
      const later = (millis: number) => millis + Duration.toMillis("40 days")
      // Only the time of day is another one; the object's methods are its prototype's.
      const ahead: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
        unsafeCurrentTimeMillis: () => later(clock.unsafeCurrentTimeMillis()),
        currentTimeMillis: Effect.map(clock.currentTimeMillis, later)
      })
      const result = yield* Effect.withClock(ask, ahead)
      assert.strictEqual(result.status, "degraded", result.message)
      assert.strictEqual(result.details.days_left, 10)
    })
  )

  for (const [what, server, reason] of [
    ["refuses", FaultyTcp.refused, "Refused"],
    ["resets", FaultyTcp.resetting, "Reset"],
    ["speaks another protocol", FaultyTcp.garbage, "HandshakeFailed"],
    ["greets in plain text", FaultyTcp.banner("220 ready\r\n"), "HandshakeFailed"],
    ["closes", FaultyTcp.closing, undefined]
  ] as const) {
    it.scopedLive(`tells a server that ${what}`, () =>
      Effect.gen(function* () {
        const { port } = yield* server
        const result = yield* run(TlsCertificate, { host: "127.0.0.1", port })
        assert.strictEqual(result.status, "unhealthy")
        if (reason === undefined) assert.include(["Reset", "HandshakeFailed"], result.reason)
        else assert.strictEqual(result.reason, reason)
      })
    )
  }

  it.scopedLive("lets go of a server that never answers", () =>
    Effect.gen(function* () {
      const server = yield* FaultyTcp.silent
      const config = { host: "127.0.0.1", port: server.port }
      const fiber = yield* Effect.fork(run(TlsCertificate, config))
      yield* server.awaitAccepted(1)
      yield* Fiber.interrupt(fiber)
      const late = yield* run(TlsCertificate, config, { timeout: "50 millis" })
      assert.strictEqual(late.reason, "Timeout")
    })
  )

  it.scopedLive("tells a file of authorities that cannot be used", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("ca")
      const write = (name: string, content: string) =>
        Effect.promise(() => writeFile(path.join(folder, name), content))
      yield* write("text.pem", "not a certificate")
      yield* write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
      for (const name of ["none.pem", "text.pem", "broken.pem"]) {
        const ca = path.join(folder, name)
        const result = yield* run(TlsCertificate, { host: "127.0.0.1", port: 1, ca })
        assert.strictEqual(result.reason, "CaUnusable", name)
        assert.include(result.message, name)
      }
    })
  )
})
