/** The name that TLS clients ask for, as a server hears it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as tls from "node:tls"
import * as Sockets from "../../src/System/Sockets.js"
import { Redis } from "../../src/plugins/Redis.js"
import { TlsCertificate } from "../../src/plugins/TlsCertificate.js"
import * as Certificates from "../support/Certificates.js"
import { run } from "../plugins/run.js"

/** A TLS server that keeps the names it was asked for, and then says nothing. */
const listening = Effect.gen(function* () {
  const certificates = yield* Certificates.make
  const { cert, key } = yield* certificates.issue("valid")
  const asked: Array<string> = []
  const server = yield* Effect.acquireRelease(
    Effect.async<tls.Server>((resume) => {
      const made = tls.createServer({
        cert,
        key,
        SNICallback: (name, done) => {
          asked.push(name)
          done(null)
        }
      })
      made.on("secureConnection", (socket) => {
        socket.on("error", () => undefined)
        socket.end()
      })
      made.on("tlsClientError", () => undefined)
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.sync(() => made.close())
  )
  const address = server.address()
  const port = address !== null && typeof address === "object" ? address.port : 0
  return { asked, port, caFile: certificates.caFile }
})

describe("Sockets", () => {
  it.scopedLive("rediss and tls ask for their host, and for none by an address", () =>
    Effect.gen(function* () {
      const { asked, caFile, port } = yield* listening
      yield* run(Redis, { url: `rediss://localhost:${port}/0?ssl_ca_certs=${caFile}` })
      assert.deepStrictEqual([...new Set(asked.splice(0))], ["localhost"])
      yield* run(Redis, { url: `rediss://127.0.0.1:${port}/0?ssl_ca_certs=${caFile}` })
      yield* run(TlsCertificate, { host: "127.0.0.1", port, ca: caFile })
      assert.deepStrictEqual(asked, [])
      yield* run(TlsCertificate, { host: "localhost", port, servername: "bücher.test", ca: caFile })
      assert.deepStrictEqual(asked, ["xn--bcher-kva.test"])
    })
  )

  it("an address is no server name, and a name is asked for in ASCII", () => {
    assert.deepStrictEqual(Sockets.serverName("::1"), {})
    assert.deepStrictEqual(Sockets.serverName("bücher.test."), { servername: "xn--bcher-kva.test" })
  })
})
