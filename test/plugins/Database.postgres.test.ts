import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import * as os from "node:os"
import { Database } from "../../src/plugins/Database.js"
import * as Ipv6 from "../support/Ipv6.js"
import { PostgresServer } from "../support/PostgresServer.js"
import { describeWithServices } from "../support/Services.js"
import { runnable } from "./runnable.js"

type Config = Omit<Parameters<typeof Database.layerStandalone>[0], "url">
const standalone = (url: string, config: Config = {}, timeout = "5 seconds") =>
  runnable(
    Database.layerStandalone(
      { url: Redacted.make(url), ...config },
      { timeout: timeout as "5 seconds" }
    )
  )

describeWithServices("postgres", "Database on PostgreSQL", () => {
  layer(PostgresServer.layer({ maxConnections: 20 }), { excludeTestServices: true })((it) => {
    it.scoped("healthy over TCP and over the unix socket, on one kept connection", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        for (const url of [server.url, server.socketUrl]) {
          const run = yield* standalone(url)
          const first = yield* run
          assert.strictEqual(first.status, "healthy", first.message)
          assert.strictEqual(first.message, "Database connection OK")
          assert.strictEqual(first.note, "postgresql")
          assert.containsAllKeys(first.details, [
            "acquire_ms",
            "query_ms",
            "size_bytes",
            "longest_idle_in_transaction_s"
          ])
          assert.include(first.details, {
            kind: "postgresql",
            version: first.details["version"],
            connections_max: 20,
            in_recovery: false
          })
          assert.include(JSON.stringify(first.details["version"]), server.version)
          assert.isAbove(Number(first.details["size_bytes"]), 1_000_000)
          yield* run
          const third = yield* run
          assert.isBelow(Number(third.details["acquire_ms"]), 5)
          const [row] = yield* server.query<{ count: number }>(
            "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'holter'"
          )
          assert.isAtLeast(row?.count ?? 0, 1)
          assert.isAtMost(row?.count ?? 9, 2)
        }
      })
    )

    it.scoped("a URL without a user is for the system's own, also where USER is not set", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const { username } = os.userInfo()
        yield* server.query(`CREATE ROLE "${username}" LOGIN PASSWORD 'of-the-system'`)
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            const { PGUSER, USER } = process.env
            delete process.env["PGUSER"]
            delete process.env["USER"]
            return { PGUSER, USER }
          }),
          (before) =>
            Effect.sync(() => {
              for (const [name, value] of Object.entries(before)) {
                if (value !== undefined) process.env[name] = value
              }
            })
        )
        const url = `postgresql://:of-the-system@127.0.0.1:${server.port}/${server.database}`
        const result = yield* Effect.flatten(standalone(url))
        assert.strictEqual(result.status, "healthy", result.message)
      })
    )

    it.scoped("refused credentials, with no secret in the result", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const canary = "Canary p@ss/%w 123"
        const result = yield* Effect.flatten(standalone(server.urlWith({ password: canary })))
        assert.strictEqual(result.status, "unhealthy")
        assert.strictEqual(result.reason, "AuthFailed")
        assert.include(result.message, `127.0.0.1:${server.port}`)
        assert.notInclude(JSON.stringify(result), "Canary")
        // Asked once: a second attempt could lock the account.
        const refusals = /password authentication failed/g
        assert.strictEqual((yield* server.log).match(refusals)?.length, 1)
      })
    )

    it.scoped("a password typed raw, with @, %, / and a space", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        assert.strictEqual(server.password, "p@ss%w/rd :x")
        const url = `postgresql+asyncpg://${server.user}:${server.password}@127.0.0.1:${server.port}/${server.database}`
        const result = yield* Effect.flatten(standalone(url))
        assert.strictEqual(result.status, "healthy", result.message)
      })
    )

    it.scoped("a database that does not exist", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const result = yield* Effect.flatten(standalone(server.urlWith({ database: "nowhere" })))
        assert.strictEqual(result.reason, "DatabaseMissing")
      })
    )

    it.scoped("TLS where the server has none, required and preferred", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const required = yield* Effect.flatten(
          standalone(server.urlWith({ params: { sslmode: "require" } }))
        )
        assert.strictEqual(required.reason, "TlsFailed", required.message)
        const preferred = yield* Effect.flatten(
          standalone(server.urlWith({ params: { sslmode: "prefer" } }))
        )
        assert.strictEqual(preferred.status, "healthy", preferred.message)
      })
    )

    it.scoped("read-only where it must write", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const url = server.urlWith({ params: { options: "-c default_transaction_read_only=on" } })
        const strict = yield* Effect.flatten(standalone(url, { writable: true }))
        assert.deepStrictEqual([strict.status, strict.reason], ["unhealthy", "ReadOnly"])
        const lenient = yield* Effect.flatten(standalone(url))
        assert.strictEqual(lenient.status, "healthy")
      })
    )

    it.scoped("slow beyond its limit, and many connections, are degraded", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const slow = yield* Effect.flatten(standalone(server.url, { slow: "1 nano" }))
        assert.strictEqual(slow.status, "degraded")
        assert.include(slow.message, "slow")
        const full = yield* Effect.flatten(standalone(server.url, { maxConnectionsPercent: 4 }))
        assert.strictEqual(full.status, "degraded")
        assert.match(full.message, /Database uses \d.* % of its connections \(\d+ of 20\)/)
      })
    )

    it.scoped("sees the longest idle transaction", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const session = yield* server.session()
        yield* session.query("BEGIN")
        const run = yield* standalone(server.url)
        const result = yield* Effect.repeat(run, {
          until: ({ details }) => Number(details["longest_idle_in_transaction_s"]) > 0
        })
        assert.strictEqual(result.status, "healthy")
      })
    )

    it.scoped("the program's own SqlClient", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const sql = PgClient.layer({ url: Redacted.make(server.url), maxConnections: 1 })
        const run = yield* runnable(Database.layerSqlClient().pipe(Layer.provideMerge(sql)))
        const result = yield* run
        assert.strictEqual(result.status, "healthy", result.message)
        assert.strictEqual(result.note, "postgresql")
        assert.containsAllKeys(result.details, ["acquire_ms", "query_ms", "connections_used"])
      })
    )

    it.scoped("an exhausted pool is no dead database, and loses no connection to the check", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const sql = PgClient.layer({ url: Redacted.make(server.url), maxConnections: 1 })
        const context = yield* Layer.build(sql)
        const client = yield* Effect.provide(PgClient.PgClient, context)
        const held = yield* Scope.make()
        yield* Scope.extend(client.reserve, held)
        const run = yield* runnable(
          Database.layerSqlClient({ acquireTimeout: "50 millis" }).pipe(
            Layer.provide(Layer.succeedContext(context))
          )
        )
        const result = yield* run
        assert.strictEqual(result.reason, "AcquireTimedOut", result.message)
        yield* Scope.close(held, Exit.void)
        assert.deepStrictEqual(yield* client`SELECT 1 AS one`, [{ one: 1 }])
      })
    )
  })

  it.scopedLive("a stopped server, started again, is seen without a restart of the program", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const run = yield* standalone(server.url)
      assert.strictEqual((yield* run).status, "healthy")
      yield* server.stop
      const down = yield* run
      assert.deepStrictEqual([down.status, down.reason], ["unhealthy", "Unreachable"])
      assert.include(down.message, `127.0.0.1:${server.port}`)
      yield* server.start
      assert.strictEqual((yield* run).status, "healthy")
      // Started anew between two beats: the kept connection is dead, the server is not.
      const once = yield* runnable(
        Database.layerStandalone(
          { url: Redacted.make(server.url) },
          { retry: { times: 0, base: "1 millis" } }
        )
      )
      assert.strictEqual((yield* once).status, "healthy")
      yield* server.stop
      yield* server.start
      assert.strictEqual((yield* once).status, "healthy")
      assert.strictEqual((yield* run).status, "healthy")
      yield* server.stop
      const cold = yield* standalone(server.url)
      assert.strictEqual((yield* cold).reason, "Unreachable")
      const socket = yield* Effect.flatten(standalone(server.socketUrl))
      assert.strictEqual(socket.reason, "Unreachable", socket.message)
    })
  )

  it.scopedLive("a paused server costs its timeout and no more, warm and cold", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const warm = yield* standalone(server.url, {}, "300 millis")
      const cold = yield* standalone(server.url, {}, "300 millis")
      const limited = yield* standalone(server.url, { acquireTimeout: "100 millis" })
      assert.strictEqual((yield* warm).status, "healthy")
      yield* server.pause
      const runs = yield* Effect.forEach([warm, cold, limited], Effect.fork)
      const results = yield* Effect.forEach(runs, Fiber.join)
      assert.deepStrictEqual(
        results.map(({ reason }) => reason),
        ["Timeout", "Timeout", "AcquireTimedOut"]
      )
      yield* server.resume
      for (const run of [warm, cold, limited]) {
        const result = yield* run
        assert.strictEqual(result.status, "healthy", result.message)
      }
    })
  )

  it.scopedLive("a server with no connection left is unhealthy: the bot gets none either", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make({
        maxConnections: 4,
        settings: { superuser_reserved_connections: "1" }
      })
      const kept = yield* standalone(server.url)
      assert.strictEqual((yield* kept).status, "healthy")
      yield* Effect.replicateEffect(server.session(), 2)
      const result = yield* Effect.flatten(standalone(server.url))
      assert.deepStrictEqual([result.status, result.reason], ["unhealthy", "TooManyConnections"])
      assert.match(result.message, /has no connection left \(.+\)\. Close idle connections/)
      // Who has a connection is told how many there are.
      const full = yield* kept
      assert.strictEqual(full.status, "degraded", full.message)
    })
  )

  it.scopedLive("the limit of the role tells that it is the role's", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      yield* server.query(`ALTER ROLE "${server.user}" CONNECTION LIMIT 0`)
      const result = yield* Effect.flatten(standalone(server.url))
      assert.deepStrictEqual([result.status, result.reason], ["unhealthy", "TooManyConnections"])
      assert.include(result.message, "role")
    })
  )

  it.scopedLive("a server that is shutting down is unhealthy", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      // It waits for this session, and takes no other.
      yield* server.session()
      const pid = yield* Effect.fromNullable(yield* server.pid)
      process.kill(pid, "SIGTERM")
      yield* Effect.repeat(server.log, { until: (log) => log.includes("smart shutdown request") })
      const run = yield* standalone(server.url)
      const result = yield* Effect.repeat(run, { while: ({ status }) => status === "healthy" })
      assert.deepStrictEqual([result.status, result.reason], ["unhealthy", "NotAccepting"])
      assert.include(result.message, "takes no connections (it is shutting down). Start it again")
    })
  )

  it.scopedLive("an address of IPv6, in brackets", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make(
        Ipv6.hasLoopback ? { settings: { listen_addresses: "127.0.0.1,::1" } } : {}
      )
      const result = yield* Effect.flatten(standalone(server.urlWith({ host: "[::1]" })))
      assert.strictEqual(result.reason, Ipv6.hasLoopback ? undefined : "Unreachable")
      yield* server.stop
      const down = yield* Effect.flatten(standalone(server.urlWith({ host: "[::1]" })))
      assert.strictEqual(down.reason, "Unreachable")
      assert.include(down.message, `the database at [::1]:${server.port} (`)
    })
  )

  it.scopedLive("a standby is healthy, and read-only where it must write", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make({ standby: true })
      const reading = yield* Effect.flatten(standalone(server.url))
      assert.deepStrictEqual([reading.status, reading.details["in_recovery"]], ["healthy", true])
      const writing = yield* Effect.flatten(standalone(server.url, { writable: true }))
      assert.deepStrictEqual([writing.status, writing.reason], ["unhealthy", "ReadOnly"])
      assert.include(writing.message, "recovery")
    })
  )
})
