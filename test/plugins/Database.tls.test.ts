/** TLS by libpq's modes, against real servers with and without it. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { writeFile } from "node:fs/promises"
import { Database } from "../../src/plugins/Database.js"
import * as Certificates from "../support/Certificates.js"
import * as FaultyTcp from "../support/FaultyTcp.js"
import { type PostgresInstance, PostgresServer } from "../support/PostgresServer.js"
import { describeWithServices } from "../support/Services.js"
import * as TempDir from "../support/TempDir.js"
import { runnable } from "./runnable.js"

const check = (url: string) =>
  Effect.flatten(
    runnable(Database.layerStandalone({ url: Redacted.make(url) }, { timeout: "5 seconds" }))
  )

/** Whether the check's connection, which is open as long as the scope, is encrypted. */
const isEncrypted = (server: PostgresInstance, name: string) =>
  Effect.map(
    server.query<{ ssl: boolean }>(
      "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = $1",
      [name]
    ),
    (rows) => rows.map(({ ssl }) => ssl)
  )

/** What a role finds: how its connection is made, or why there is none. */
const outcome = (
  server: PostgresInstance,
  user: string,
  params: Readonly<Record<string, string>>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const name = `tls test of ${user} ${JSON.stringify(params)}`.slice(0, 60)
      const result = yield* check(
        server.urlWith({ user, params: { ...params, application_name: name } })
      )
      if (result.status !== "healthy") return `${result.reason}: ${result.message}`
      return (yield* isEncrypted(server, name)).map((ssl) => (ssl ? "TLS" : "plain")).join()
    })
  )

const roles = (server: PostgresInstance) =>
  Effect.forEach(["ssl_only", "plain_only", "nobody"], (role) =>
    server.query(`CREATE ROLE ${role} LOGIN PASSWORD '${server.password}'`)
  )

class Secure extends Context.Tag("test/Secure")<
  Secure,
  { readonly server: PostgresInstance; readonly certificates: Certificates.Certificates }
>() {
  static layer = Layer.scoped(
    Secure,
    Effect.gen(function* () {
      const certificates = yield* Certificates.make
      const server = yield* PostgresServer.make({
        tls: yield* certificates.issue("valid"),
        hba: [
          "host all holter all scram-sha-256",
          "hostssl all ssl_only all scram-sha-256",
          "hostnossl all plain_only all scram-sha-256"
        ]
      })
      yield* roles(server)
      return { server, certificates }
    })
  )
}

describeWithServices("postgres", "TLS of a PostgreSQL server that takes it", () => {
  layer(Secure.layer, { excludeTestServices: true })((it) => {
    const modes: ReadonlyArray<readonly [user: string, sslmode: string, expected: RegExp]> = [
      ["holter", "", /^TLS$/],
      ["holter", "disable", /^plain$/],
      ["holter", "allow", /^plain$/],
      ["holter", "prefer", /^TLS$/],
      ["holter", "require", /^TLS$/],
      ["holter", "verify-ca", /^TlsFailed: .*\(\w*(CERT|LEAF)\w*\)/],
      ["holter", "verify-full", /^TlsFailed: /],
      ["ssl_only", "", /^TLS$/],
      ["ssl_only", "allow", /^TLS$/],
      ["ssl_only", "disable", /^AuthFailed: .*no pg_hba.conf entry.*"ssl_only".*no encryption/],
      ["plain_only", "", /^plain$/],
      ["plain_only", "allow", /^plain$/],
      ["plain_only", "require", /^AuthFailed: .*no pg_hba.conf entry.*SSL encryption/],
      // Refused both ways: the way that was preferred tells.
      ["nobody", "", /^AuthFailed: .*SSL encryption/],
      ["nobody", "allow", /^AuthFailed: .*no encryption/]
    ]
    for (const [user, sslmode, expected] of modes) {
      it.scoped(`${user} with sslmode ${sslmode || "not set"}: ${expected.source}`, () =>
        Effect.gen(function* () {
          const { server } = yield* Secure
          assert.match(yield* outcome(server, user, sslmode === "" ? {} : { sslmode }), expected)
        })
      )
    }

    it.scoped("with a root certificate the server's is verified, with verify-full its name", () =>
      Effect.gen(function* () {
        const { certificates, server } = yield* Secure
        const sslrootcert = certificates.caFile
        for (const sslmode of ["require", "verify-ca", "verify-full"]) {
          assert.strictEqual(yield* outcome(server, "holter", { sslmode, sslrootcert }), "TLS")
        }
        const others = yield* Certificates.make
        for (const sslmode of ["require", "verify-ca", "verify-full"]) {
          const wrong = { sslmode, sslrootcert: others.caFile }
          assert.match(yield* outcome(server, "holter", wrong), /^TlsFailed: /)
        }
        const system = yield* outcome(server, "holter", { sslrootcert: "system" })
        assert.match(system, /^TlsFailed: /)
        const missing = yield* outcome(server, "holter", { sslrootcert: `${sslrootcert}.none` })
        assert.match(missing, /^TlsFailed: .*cannot read the file that sslrootcert names/)
      })
    )

    it.scoped("a refused password is tried once, also where TLS is only preferred", () =>
      Effect.gen(function* () {
        const { server } = yield* Secure
        const result = yield* check(server.urlWith({ password: "Canary p@ss" }))
        assert.strictEqual(result.reason, "AuthFailed")
        assert.notInclude(JSON.stringify(result), "Canary")
        const refusals = (log: string) => log.match(/password authentication failed/g)?.length ?? 0
        const log = yield* Effect.repeat(server.log, { until: (text) => refusals(text) > 0 })
        assert.strictEqual(refusals(log), 1)
      })
    )

    it.scoped("one connection is kept, and found again after the server's restart", () =>
      Effect.gen(function* () {
        const { server } = yield* Secure
        const name = "kept over TLS"
        const run = yield* runnable(
          Database.layerStandalone(
            { url: Redacted.make(server.urlWith({ params: { application_name: name } })) },
            { timeout: "5 seconds" }
          )
        )
        const pid = Effect.map(
          server.query<{ pid: number }>(
            "SELECT pid FROM pg_stat_activity WHERE application_name = $1",
            [name]
          ),
          (rows) => rows.map((row) => row.pid)
        )
        assert.strictEqual((yield* run).status, "healthy")
        const before = yield* pid
        assert.lengthOf(before, 1)
        yield* run
        assert.deepStrictEqual(yield* pid, before)
        assert.deepStrictEqual(yield* isEncrypted(server, name), [true])
        yield* server.stop
        assert.strictEqual((yield* run).reason, "Unreachable")
        yield* server.start
        const after = yield* run
        assert.strictEqual(after.status, "healthy", after.message)
      })
    )

    it.scoped("a unix socket has no TLS", () =>
      Effect.gen(function* () {
        const { server } = yield* Secure
        const name = "over the socket"
        const result = yield* check(
          `${server.socketUrl}&application_name=${encodeURIComponent(name)}&sslmode=require`
        )
        assert.strictEqual(result.status, "healthy", result.message)
        assert.deepStrictEqual(yield* isEncrypted(server, name), [false])
      })
    )
  })

  it.scopedLive("a self-signed certificate, and one for another host", () =>
    Effect.gen(function* () {
      const certificates = yield* Certificates.make
      const folder = yield* TempDir.make("trust")
      const selfSigned = yield* certificates.issue("self-signed")
      const itself = `${folder}/itself.pem`
      yield* Effect.promise(() => writeFile(itself, selfSigned.cert))
      const lone = yield* PostgresServer.make({ tls: selfSigned })
      assert.strictEqual(yield* outcome(lone, "holter", {}), "TLS")
      assert.match(
        yield* outcome(lone, "holter", { sslmode: "verify-ca" }),
        /^TlsFailed: .*SELF_SIGNED/
      )
      const pinned = { sslmode: "verify-full", sslrootcert: itself }
      assert.strictEqual(yield* outcome(lone, "holter", pinned), "TLS")

      const elsewhere = yield* PostgresServer.make({ tls: yield* certificates.issue("wrong-host") })
      const trusted = { sslrootcert: certificates.caFile }
      assert.strictEqual(
        yield* outcome(elsewhere, "holter", { ...trusted, sslmode: "verify-ca" }),
        "TLS"
      )
      assert.match(
        yield* outcome(elsewhere, "holter", { ...trusted, sslmode: "verify-full" }),
        /^TlsFailed: .*ALTNAME/
      )
    })
  )
})

describeWithServices("postgres", "TLS of a PostgreSQL server that has none", () => {
  it.scopedLive("goes on without it on the same connection, unless it is a must", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make({ settings: { log_connections: "on" } })
      /** How many connections came over TCP. A last one over the socket ends what is counted. */
      const connections = Effect.gen(function* () {
        const locals = (text: string) => text.split("host=[local]").length
        const before = locals(yield* server.log)
        yield* server.query("SELECT 1")
        const log = yield* Effect.repeat(server.log, { until: (text) => locals(text) > before })
        return log.split("connection received: host=127.0.0.1").length - 1
      })
      const modes = [
        ["", /^plain$/, 1],
        ["prefer", /^plain$/, 1],
        ["allow", /^plain$/, 1],
        ["disable", /^plain$/, 1],
        ["require", /^TlsFailed: .*does not take TLS/, 1],
        ["verify-full", /^TlsFailed: .*does not take TLS/, 1]
      ] as const
      for (const [sslmode, expected, count] of modes) {
        const before = yield* connections
        assert.match(
          yield* outcome(server, "holter", sslmode === "" ? {} : { sslmode }),
          expected,
          sslmode
        )
        assert.strictEqual((yield* connections) - before, count, sslmode)
      }
    })
  )
})

describe("asking for TLS", () => {
  const ask = (server: FaultyTcp.FaultyTcp, acquireTimeout: "5 seconds" | "100 millis") =>
    Effect.flatten(
      runnable(
        Database.layerStandalone(
          {
            url: Redacted.make(`postgresql://u@127.0.0.1:${server.port}/d?sslmode=require`),
            acquireTimeout
          },
          { timeout: "5 seconds" }
        )
      )
    )

  it.scopedLive("takes one byte for an answer, and no more than is one", () =>
    Effect.gen(function* () {
      const servers = [
        [FaultyTcp.banner("SInjected"), "TlsFailed"],
        [FaultyTcp.banner("NInjected"), "TlsFailed"],
        [FaultyTcp.banner("E"), "TlsFailed"],
        [FaultyTcp.banner("N"), "TlsFailed"],
        [FaultyTcp.garbage, "TlsFailed"],
        [FaultyTcp.closing, "Unreachable"],
        [FaultyTcp.resetting, "Unreachable"]
      ] as const
      for (const [server, reason] of servers) {
        const result = yield* ask(yield* server, "5 seconds")
        assert.strictEqual(result.reason, reason, result.message)
      }
      const silent = yield* ask(yield* FaultyTcp.silent, "100 millis")
      assert.strictEqual(silent.reason, "AcquireTimedOut")
    })
  )
})
