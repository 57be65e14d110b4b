import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Fiber, Layer, Redacted } from "effect"
import { Redis as Driver } from "ioredis"
import * as Redis from "../../src/plugins/Redis.js"
import { RedisError } from "../../src/plugins/Redis/RedisError.js"
import * as RedisUrl from "../../src/plugins/Redis/RedisUrl.js"
import * as Certificates from "../support/Certificates.js"
import * as HostileServer from "../support/hostile/HostileServer.js"
import * as Ipv6 from "../support/Ipv6.js"
import { type RedisInstance, RedisServer } from "../support/RedisServer.js"
import { describeWithServices } from "../support/Services.js"
import { runnable } from "./runnable.js"

type Config = Omit<Parameters<typeof Redis.Redis.layerStandalone>[0], "url">
const standalone = (
  url: string,
  config: Config = {},
  timeout: "5 seconds" | "300 millis" = "5 seconds"
) => runnable(Redis.Redis.layerStandalone({ url: Redacted.make(url), ...config }, { timeout }))
const check = (url: string, config: Config = {}) => Effect.flatten(standalone(url, config))

/** How many connections the server has seen, this question's own among them. */
const received = (server: RedisInstance) =>
  Effect.map(server.command("INFO", "stats"), (info) =>
    Number(/total_connections_received:(\d+)/.exec(String(info))?.[1])
  )

describeWithServices("redis", "Redis", () => {
  it.scopedLive("healthy by TCP and by socket, on one kept connection", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      for (const url of [
        server.url,
        server.socketUrl,
        `redis://${server.host}:${server.port}?db=3`
      ]) {
        const run = yield* standalone(url)
        const result = yield* run
        assert.strictEqual(result.status, "healthy", result.message)
        assert.strictEqual(result.message, "Redis connection OK")
        assert.match(result.note ?? "", /^version \d+\.\d+/)
        assert.include(result.details, { role: "master", maxmemory_bytes: 0 })
        assert.isAbove(Number(result.details["used_memory_bytes"]), 0)
        assert.isAbove(Number(result.details["connected_clients"]), 0)
        const before = yield* received(server)
        yield* Effect.repeatN(run, 4)
        // The one connection is the question itself.
        assert.strictEqual((yield* received(server)) - before, 1)
      }
    })
  )

  it.scopedLive("passwords with special characters, ACL users, and refusals", () =>
    Effect.gen(function* () {
      const password = "p@ss%w/rd :x?#"
      const server = yield* RedisServer.make({ requirepass: password })
      assert.strictEqual((yield* check(server.url)).status, "healthy")
      assert.strictEqual((yield* check(server.socketUrl)).status, "healthy")
      const raw = yield* check(`redis://:${password}@127.0.0.1:${server.port}/0`)
      assert.strictEqual(raw.status, "healthy", raw.message)

      const canary = "Canary pass/%w 123"
      for (const url of [
        server.urlWith({ password: canary }),
        server.urlWith({ user: "nobody", password: canary }),
        `redis://127.0.0.1:${server.port}`
      ]) {
        const before = yield* received(server)
        const refused = yield* check(url, { fallback: "memory" })
        // Asked once, beside the question itself: a second attempt could lock the account.
        assert.strictEqual((yield* received(server)) - before, 2)
        assert.deepStrictEqual([refused.status, refused.reason], ["unhealthy", "AuthFailed"])
        assert.include(refused.message, `127.0.0.1:${server.port}`)
        assert.notInclude(JSON.stringify(refused), "Canary")
      }

      yield* server.command("ACL", "SETUSER", "bot", "on", ">b@t/%", "+ping", "+select")
      const limited = yield* check(
        server.urlWith({ user: "bot", password: "b@t/%", database: "2" })
      )
      assert.strictEqual(limited.status, "healthy", limited.message)
      assert.deepStrictEqual(limited.details, { info: "refused (no permission for a command)" })
    })
  )

  it.scopedLive("a password that the server does not ask for does no harm", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const result = yield* check(server.urlWith({ password: "needless" }))
      assert.strictEqual(result.status, "healthy", result.message)
    })
  )

  it.scopedLive("writable, where the server knows no trial write, is not known", () =>
    Effect.gen(function* () {
      const unknown = new RedisError({
        reason: "CommandFailed",
        address: "h:1",
        found: "ERR unknown command 'SETRANGE'"
      })
      const client = Layer.succeed(
        Redis.RedisClient,
        Redis.RedisClient.of({
          address: "h:1",
          ask: Effect.succeed({ ping: "PONG", info: unknown }),
          call: () => unknown
        })
      )
      const own = (config: Config) =>
        Effect.flatten(runnable(Redis.Redis.layer(config).pipe(Layer.provide(client))))
      const writing = yield* own({ writable: true })
      assert.strictEqual(writing.status, "degraded")
      assert.include(writing.message, "it does not know the command SETRANGE")
      assert.strictEqual((yield* own({})).status, "healthy")
    })
  )

  it.scopedLive("with no connection left: unhealthy, or degraded with a fallback", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const kept = yield* standalone(server.url)
      assert.strictEqual((yield* kept).status, "healthy")
      yield* server.command("CONFIG", "SET", "maxclients", "1")
      const result = yield* check(server.url)
      assert.deepStrictEqual([result.status, result.reason], ["unhealthy", "TooManyClients"])
      assert.include(result.message, "raise maxclients")
      const reduced = yield* check(server.url, { fallback: "memory" })
      assert.deepStrictEqual([reduced.status, reduced.reason], ["degraded", "FallbackInUse"])
      assert.strictEqual((yield* kept).status, "healthy")
    })
  )

  it.scopedLive("over TLS: verified by a file, not verified, and refused", () =>
    Effect.gen(function* () {
      const certificates = yield* Certificates.make
      const server = yield* RedisServer.make({
        tls: yield* certificates.issue("valid"),
        requirepass: "p@ss/%w"
      })
      assert.match(server.url, /^rediss:/)
      const trusted = server.urlWith({ params: { ssl_ca_certs: certificates.caFile } })
      const run = yield* standalone(trusted)
      const verified = yield* run
      assert.strictEqual(verified.status, "healthy", verified.message)
      const before = yield* received(server)
      yield* Effect.repeatN(run, 4)
      // The one connection is the question itself.
      assert.strictEqual((yield* received(server)) - before, 1)

      const unverified = yield* check(server.urlWith({ params: { ssl_cert_reqs: "none" } }))
      assert.strictEqual(unverified.status, "healthy", unverified.message)
      const refused = yield* check(server.url)
      assert.deepStrictEqual([refused.status, refused.reason], ["unhealthy", "TlsFailed"])
      assert.match(refused.message, /\(\w*(CERT|LEAF)\w*\)/)
      const others = yield* Certificates.make
      const wrong = yield* check(server.urlWith({ params: { ssl_ca_certs: others.caFile } }))
      assert.strictEqual(wrong.reason, "TlsFailed", wrong.message)
      const missing = yield* check(server.urlWith({ params: { ssl_ca_certs: "/none/ca.pem" } }))
      assert.include(missing.message, "cannot read the file that ssl_ca_certs names")
      const plain = yield* check(server.urlWith({ scheme: "redis" }))
      assert.strictEqual(plain.status, "unhealthy", plain.message)
    })
  )

  it.scopedLive(
    "over TLS: a certificate for another host is taken where the URL says so, and else refused",
    () =>
      Effect.gen(function* () {
        const certificates = yield* Certificates.make
        const server = yield* RedisServer.make({ tls: yield* certificates.issue("wrong-host") })
        const params = { ssl_ca_certs: certificates.caFile }
        const refused = yield* check(server.urlWith({ params }))
        assert.strictEqual(refused.reason, "TlsFailed", refused.message)
        const taken = yield* check(
          server.urlWith({ params: { ...params, ssl_check_hostname: "false" } })
        )
        assert.strictEqual(taken.status, "healthy", taken.message)
      })
  )

  it.scopedLive("TLS where the server has none", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const result = yield* check(server.urlWith({ scheme: "rediss" }))
      assert.strictEqual(result.status, "unhealthy", result.message)
    })
  )

  it.scopedLive("an address of IPv6, in brackets", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make(
        Ipv6.hasLoopback ? { config: { bind: "127.0.0.1 ::1" } } : {}
      )
      const url = server.urlWith({ host: "[::1]" })
      const result = yield* check(url)
      assert.strictEqual(result.reason, Ipv6.hasLoopback ? undefined : "Unreachable")
      yield* server.stop
      const down = yield* check(url)
      assert.strictEqual(down.reason, "Unreachable")
      assert.include(down.message, `Redis at [::1]:${server.port} (`)
    })
  )

  it.scopedLive("stopped: unhealthy, or degraded with a fallback; recovers when started", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const strict = yield* standalone(server.url)
      const lenient = yield* standalone(server.url, { fallback: "memory" })
      assert.strictEqual((yield* strict).status, "healthy")
      yield* server.stop
      const down = yield* strict
      assert.deepStrictEqual([down.status, down.reason], ["unhealthy", "Unreachable"])
      assert.include(down.message, `127.0.0.1:${server.port} (connection refused)`)
      const reduced = yield* lenient
      assert.deepStrictEqual(
        [reduced.status, reduced.message],
        ["degraded", "Redis unavailable, using memory cache"]
      )
      assert.include(JSON.stringify(reduced.details["unavailable"]), "connection refused")
      assert.strictEqual((yield* check(server.socketUrl)).reason, "Unreachable")
      yield* server.start
      assert.strictEqual((yield* strict).status, "healthy")
      assert.strictEqual((yield* lenient).status, "healthy")
      // Started anew between two beats: the kept connection is dead, the server is not.
      yield* server.stop
      yield* server.start
      assert.strictEqual((yield* strict).status, "healthy")
    })
  )

  it.scopedLive("paused: costs its limit and no more, warm and cold, and recovers", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make({ requirepass: "secret" })
      const runs = yield* Effect.all([
        standalone(server.url, {}, "300 millis"),
        standalone(server.url, {}, "300 millis"),
        standalone(server.url, { responseTimeout: "100 millis" }),
        standalone(server.url, { responseTimeout: "100 millis", fallback: "memory" })
      ])
      assert.strictEqual((yield* runs[0]).status, "healthy")
      yield* server.pause
      const fibers = yield* Effect.forEach(runs, Effect.fork)
      const results = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(
        results.map(({ reason, status }) => [status, reason]),
        [
          ["unhealthy", "Timeout"],
          ["unhealthy", "Timeout"],
          ["unhealthy", "TimedOut"],
          ["degraded", "FallbackInUse"]
        ]
      )
      yield* server.resume
      for (const run of runs) assert.strictEqual((yield* run).status, "healthy")
    })
  )

  it.scopedLive("memory near its limit, and a failed save, are degraded", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make({ maxmemory: "100mb" })
      assert.strictEqual((yield* check(server.url)).status, "healthy")
      const full = yield* check(server.url, { maxMemoryPercent: 0.5 })
      assert.strictEqual(full.status, "degraded")
      assert.match(full.message, /it uses \d.* % of its memory \(104 MB\)/)
      yield* server.failSave
      const unsaved = yield* check(server.url)
      assert.strictEqual(unsaved.status, "degraded")
      assert.include(unsaved.message, "last save failed")
    })
  )

  it.scopedLive("loading is degraded", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* server.startLoading
      const result = yield* check(server.url)
      assert.deepStrictEqual([result.status, result.reason], ["degraded", "Loading"])
      assert.containsAllKeys(result.details, ["version", "role"])
    })
  )

  it.scopedLive(
    "a replica: healthy, read-only where it must write, degraded without its primary",
    () =>
      Effect.gen(function* () {
        const primary = yield* RedisServer.make()
        const replica = yield* RedisServer.make({ replicaof: primary })
        yield* replica.awaitInfo("master_link_status:up")
        const result = yield* check(replica.url)
        assert.deepStrictEqual([result.status, result.details["role"]], ["healthy", "replica"])
        const writing = yield* check(replica.url, { writable: true })
        assert.deepStrictEqual([writing.status, writing.reason], ["unhealthy", "ReadOnly"])
        yield* primary.stop
        yield* replica.awaitInfo("master_link_status:down")
        const alone = yield* check(replica.url)
        assert.strictEqual(alone.status, "degraded")
        assert.include(alone.message, "the link to its primary is down")
      })
  )

  it.scopedLive("the program's own client, which stays open", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const driver = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const client = new Driver(server.url, { lazyConnect: true, retryStrategy: () => 5 })
          client.on("error", () => {})
          return client
        }),
        (client) => Effect.sync(() => client.disconnect())
      )
      const own = (config: Config) =>
        runnable(
          Redis.Redis.layer(config, { name: "cache", timeout: "5 seconds" }).pipe(
            Layer.provide(Redis.layerClientIORedis(driver, { responseTimeout: "200 millis" }))
          )
        )
      const run = yield* own({})
      const healthy = yield* run
      assert.strictEqual(healthy.status, "healthy", healthy.message)
      yield* server.stop
      const reduced = yield* Effect.flatten(own({ fallback: "memory" }))
      assert.strictEqual(reduced.message, "Redis unavailable, using memory cache")
      yield* server.start
      const again = yield* Effect.repeat(run, { until: ({ status }) => status === "healthy" })
      assert.strictEqual(again.status, "healthy")
      assert.strictEqual(driver.status, "ready")
    })
  )
})

describe("Redis", () => {
  it.scopedLive("shows no half of a password that a server says instead of PONG", () =>
    Effect.gen(function* () {
      const password = "CanaryPassword123"
      const echoing = yield* HostileServer.make((socket) => (turn) => {
        const echo = `${"x".repeat(50)}${password}`
        socket.write(turn === 0 ? "+OK\r\n" : `+${echo}\r\n$0\r\n\r\n`)
      })
      const result = yield* check(`redis://:${password}@127.0.0.1:${echoing.port}`)
      assert.strictEqual(result.reason, "ProtocolBroken")
      assert.match(result.message, /"x{50}<redac\S*" in reply to PING/)
      assert.notInclude(JSON.stringify(result), "Canary")
    })
  )
})

describe("RedisUrl", () => {
  it("keeps what it knows about TLS, and refuses the rest", () => {
    const own = RedisUrl.parse(
      "rediss://h?ssl_certfile=/c.pem&ssl_keyfile=/k.pem&ssl_check_hostname=false&socket_timeout=5"
    )
    assert.include(Either.getOrThrow(own).target, {
      certFile: "/c.pem",
      keyFile: "/k.pem",
      checkHost: false,
      tls: "on"
    })
    for (const parameter of [
      "ssl_ca_path=/certs",
      "ssl_certfil=/c.pem",
      "ssl_min_version=TLSv1.3",
      "ssl_cert_reqs=nonne",
      "password=hunter22"
    ]) {
      const refused = RedisUrl.parse(`rediss://h?${parameter}`)
      assert.isTrue(Either.isLeft(refused), parameter)
      assert.notInclude(JSON.stringify(refused), "hunter22")
    }
  })

  const read = (text: string) => {
    const { password, ...url } = Either.getOrThrowWith(RedisUrl.parse(text), (error) => error)
    return { ...url, password: password === undefined ? undefined : Redacted.value(password) }
  }
  const tcp = (
    host: string,
    port: number,
    tls: "off" | "on" | "unverified" = "off",
    caFile?: string
  ) => ({ _tag: "Tcp", host, port, tls, caFile }) as const

  it.each([
    ["redis://", tcp("localhost", 6379), undefined, undefined, 0],
    ["redis://h:1/2", tcp("h", 1), undefined, undefined, 2],
    ["rediss://u:p%40ss@h", tcp("h", 6379, "on"), "u", "p@ss", 0],
    ["rediss://h?ssl_cert_reqs=none", tcp("h", 6379, "unverified"), undefined, undefined, 0],
    [
      "rediss://h?ssl_ca_certs=%2Fetc%2Fca.pem",
      tcp("h", 6379, "on", "/etc/ca.pem"),
      undefined,
      undefined,
      0
    ],
    ["redis://:p@ss/w%rd x@[::1]:6380/1", tcp("::1", 6380), undefined, "p@ss/w%rd x", 1],
    ["unix:///run/r.sock", { _tag: "Socket", path: "/run/r.sock" }, undefined, undefined, 0],
    ["unix://:p@w@/run/r.sock?db=4", { _tag: "Socket", path: "/run/r.sock" }, undefined, "p@w", 4]
  ] as const)("reads %s", (text, target, user, password, database) => {
    assert.deepStrictEqual(read(text), { target, user, password, database })
  })

  it.each([
    ["http://h", "Unsupported"],
    ["h:6379", "Malformed"],
    ["redis://h:70000", "Malformed"],
    ["redis://h/name", "Malformed"],
    ["unix://relative.sock", "Malformed"]
  ])("refuses %s", (text, reason) => {
    const error = Either.getOrThrow(Either.flip(RedisUrl.parse(text)))
    assert.strictEqual(error.reason, reason)
    assert.include(error.message, "Supported: redis://")
  })

  it("takes any encoded password, and shows none in an error", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: "grapheme", minLength: 1 }).filter(
          (text) => !/[\ud800-\udfff]/.test(text)
        ),
        (password) => {
          const url = `redis://u:${encodeURIComponent(password)}@h/0`
          assert.strictEqual(read(url).password, password)
          const raw = RedisUrl.parse(`redis://u:${password}S3cretCanary@h:x/0`)
          if (Either.isLeft(raw)) assert.notInclude(JSON.stringify(raw.left), "S3cretCanary")
        }
      ),
      { numRuns: 500 }
    )
  })
})
