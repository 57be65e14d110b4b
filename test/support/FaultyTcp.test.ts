import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as net from "node:net"
import * as FaultyTcp from "./FaultyTcp.js"

/** What a client sees: how the connection came about and ended, and what was said. */
const talk = ({ port }: FaultyTcp.FaultyTcp, patience = 10_000) =>
  Effect.async<string>((resume) => {
    let heard = 0
    let connected = false
    const socket = net.connect(port, "127.0.0.1", () => {
      connected = true
    })
    const say = (end: string) =>
      resume(Effect.succeed(`${connected ? "connected" : "no connection"}, ${heard} bytes, ${end}`))
    socket.on("data", (chunk) => {
      heard += chunk.length
    })
    socket.on("error", (error: NodeJS.ErrnoException) => say(error.code ?? "error"))
    socket.on("close", () => say("closed"))
    socket.setTimeout(patience, () => say("silent"))
    return Effect.sync(() => socket.destroy())
  })

describe("FaultyTcp", () => {
  it.scopedLive("is what it says", () =>
    Effect.gen(function* () {
      const silent = yield* FaultyTcp.silent
      assert.strictEqual(yield* talk(silent, 50), "connected, 0 bytes, silent")
      yield* silent.awaitAccepted(1)
      assert.strictEqual(yield* silent.accepted, 1)
      assert.strictEqual(yield* talk(yield* FaultyTcp.closing), "connected, 0 bytes, closed")
      assert.strictEqual(yield* talk(yield* FaultyTcp.garbage), "connected, 4096 bytes, closed")
      const banner = yield* FaultyTcp.banner("hi\xff")
      assert.strictEqual(yield* talk(banner, 500), "connected, 3 bytes, silent")
      const refused = yield* FaultyTcp.refused
      assert.strictEqual(yield* talk(refused), "no connection, 0 bytes, ECONNREFUSED")
      assert.match(yield* talk(yield* FaultyTcp.resetting), /, 0 bytes, ECONNRESET$/)
    })
  )

  it.scopedLive(
    "a black hole completes no handshake",
    () =>
      Effect.gen(function* () {
        assert.strictEqual(
          yield* talk(yield* FaultyTcp.blackhole, 100),
          "no connection, 0 bytes, silent"
        )
      }),
    { skip: process.platform !== "linux" }
  )
})
