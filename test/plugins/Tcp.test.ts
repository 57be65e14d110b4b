import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Tcp } from "../../src/plugins/Tcp.js"
import * as FaultyTcp from "../support/FaultyTcp.js"
import * as Ipv6 from "../support/Ipv6.js"
import { run } from "./run.js"

const host = "127.0.0.1"

describe("Tcp", () => {
  it.scopedLive("is healthy when the port accepts connections", () =>
    Effect.gen(function* () {
      const server = yield* FaultyTcp.silent
      const result = yield* run(Tcp, { host, port: server.port })
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(result.message, `TCP port 127.0.0.1:${server.port} accepts connections`)
      assert.isAtLeast(Number(result.details.connect_ms), 0)
      assert.strictEqual(result.details.remote_address, "127.0.0.1")
    })
  )

  it.scopedLive("connects to an address of IPv6, and shows it in brackets", () =>
    Effect.gen(function* () {
      const port = yield* Ipv6.server
      const result = yield* run(Tcp, { host: "::1", port })
      assert.strictEqual(result.status, Ipv6.hasLoopback ? "healthy" : "unhealthy", result.message)
      assert.include(result.message, `[::1]:${port}`)
    })
  )

  it.scopedLive("reads the greeting that it expects", () =>
    Effect.gen(function* () {
      const server = yield* FaultyTcp.banner("220 mail.example.com ESMTP\r\n")
      const result = yield* run(Tcp, { host, port: server.port, expect: "220 " })
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(result.details.banner, "220 mail.example.com ESMTP")
    })
  )

  it.scopedLive("does not wait for a line end where the text is already there", () =>
    Effect.gen(function* () {
      const server = yield* FaultyTcp.banner("J\0\0\0\n8.0.36-mysql")
      const result = yield* run(Tcp, { host, port: server.port, expect: "J" })
      assert.strictEqual(result.status, "healthy")
    })
  )

  it.scopedLive(
    "is unhealthy when the greeting is another one, and shows it without controls",
    () =>
      Effect.gen(function* () {
        const server = yield* FaultyTcp.banner("\u001b[31m554 no service\r\n")
        const result = yield* run(Tcp, { host, port: server.port, expect: "220 " })
        assert.strictEqual(result.status, "unhealthy")
        assert.strictEqual(result.reason, "UnexpectedBanner")
        assert.include(result.message, '"220 "')
        assert.include(result.message, "554 no service")
        assert.notInclude(result.message, "\u001b")
      })
  )

  for (const [what, server] of [
    ["closes", FaultyTcp.closing],
    ["speaks no protocol", FaultyTcp.garbage]
  ] as const) {
    it.scopedLive(`is unhealthy when a greeting is expected and the server ${what}`, () =>
      Effect.gen(function* () {
        const { port } = yield* server
        const result = yield* run(Tcp, { host, port, expect: "220 " })
        assert.strictEqual(result.reason, "UnexpectedBanner")
      })
    )
  }

  it.scopedLive("tells a reset while it waits for the greeting", () =>
    Effect.gen(function* () {
      const { port } = yield* FaultyTcp.resetting
      const result = yield* run(Tcp, { host, port, expect: "220 " })
      assert.strictEqual(result.reason, "Reset")
    })
  )

  it.scopedLive("tells a refused connection", () =>
    Effect.gen(function* () {
      const { port } = yield* FaultyTcp.refused
      const result = yield* run(Tcp, { host, port })
      assert.strictEqual(result.status, "unhealthy")
      assert.strictEqual(result.reason, "Refused")
      assert.include(result.message, "nothing listens there")
    })
  )

  it.scopedLive("tells a refused connection to a name with several addresses", () =>
    Effect.gen(function* () {
      const { port } = yield* FaultyTcp.refused
      const result = yield* run(Tcp, { host: "localhost", port })
      assert.strictEqual(result.reason, "Refused")
    })
  )

  it.scopedLive("tells a name that does not exist", () =>
    Effect.gen(function* () {
      const result = yield* run(Tcp, { host: "no-such-host.invalid", port: 80 })
      assert.strictEqual(result.reason, "DnsFailed")
    })
  )

  it.scopedLive("has a result within its timeout when the handshake never ends", () =>
    Effect.gen(function* () {
      const { port } = yield* FaultyTcp.blackhole
      const result = yield* run(Tcp, { host, port }, { timeout: "100 millis" })
      assert.strictEqual(result.reason, "Timeout")
    })
  )

  it.scopedLive("lets go of the connection when it is interrupted", () =>
    Effect.gen(function* () {
      const server = yield* FaultyTcp.silent
      const fiber = yield* Effect.fork(run(Tcp, { host, port: server.port, expect: "220" }))
      yield* server.awaitAccepted(1)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.scopedLive("is degraded when connecting takes longer than `slow`", () =>
    Effect.gen(function* () {
      const { port } = yield* FaultyTcp.silent
      const result = yield* run(Tcp, { host, port, slow: "1 nanos" })
      assert.strictEqual(result.status, "degraded")
      assert.include(result.message, "slow to connect")
    })
  )
})
