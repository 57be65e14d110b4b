/** Servers that answer, and refuse work: with `writable`, without, and full caches that are well. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, Redacted, Schedule } from "effect"
import { Redis as Driver } from "ioredis"
import * as Redis from "../../src/plugins/Redis.js"
import * as Cluster from "../../src/plugins/Redis/Cluster.js"
import * as FreePort from "../support/FreePort.js"
import { live } from "../support/live.js"
import { type RedisInstance, RedisServer } from "../support/RedisServer.js"
import { describeWithServices } from "../support/Services.js"
import { runnable } from "./runnable.js"

type Config = Omit<Parameters<typeof Redis.Redis.layerStandalone>[0], "url">

const timeout = "5 seconds"

/** By a connection of the check's own, and by a client of the program, which must judge alike. */
const both = (server: RedisInstance, config: Config = {}, url = server.url) =>
  Effect.gen(function* () {
    const own = yield* Effect.flatten(
      runnable(Redis.Redis.layerStandalone({ url: Redacted.make(url), ...config }, { timeout }))
    )
    const driver = yield* Effect.acquireRelease(
      Effect.sync(() => {
        // The driver's own check would wait for a server that is loading.
        const client = new Driver(url, { enableReadyCheck: false })
        client.on("error", () => {})
        return client
      }),
      (client) => Effect.sync(() => client.disconnect())
    )
    const embedded = yield* Effect.flatten(
      runnable(
        Redis.Redis.layer(config, { timeout }).pipe(Layer.provide(Redis.layerClientIORedis(driver)))
      )
    )
    assert.deepStrictEqual(
      [embedded.status, embedded.reason, steady(embedded.message)],
      [own.status, own.reason, steady(own.message)]
    )
    return own
  })

/** How much memory is in use differs from one question to the next. */
const steady = (message: string): string => message.replace(/[\d.]+ %/, "some %")

const writing = (server: RedisInstance, url?: string) => both(server, { writable: true }, url)

const refused = (server: RedisInstance, word: RegExp) =>
  Effect.gen(function* () {
    const result = yield* writing(server)
    assert.deepStrictEqual([result.status, result.reason], ["unhealthy", "WriteRefused"])
    assert.match(result.message, word)
    assert.containsAllKeys(result.details, ["version", "role", "maxmemory_policy"])
  })

const set = (server: RedisInstance, name: string, value: string | number) =>
  server.command("CONFIG", "SET", name, value)

describeWithServices("redis", "Redis that refuses work", () => {
  it.scopedLive("a trial write leaves no trace, and no server that refuses one is healthy", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const healthy = yield* writing(server)
      assert.strictEqual(healthy.status, "healthy", healthy.message)
      assert.strictEqual(yield* server.command("DBSIZE"), 0)
      yield* server.awaitInfo("rdb_changes_since_last_save:0")

      yield* set(server, "min-replicas-to-write", 1)
      yield* refused(server, /NOREPLICAS.*Bring its replicas back/)
      assert.strictEqual((yield* both(server)).status, "healthy")
      yield* set(server, "min-replicas-to-write", 0)

      yield* set(server, "maxmemory", 1)
      yield* refused(server, /OOM command not allowed.*raise maxmemory/)
      const full = yield* both(server)
      assert.deepStrictEqual([full.status, full.reason], ["degraded", undefined])
      yield* set(server, "maxmemory", 0)

      // A key of another type under that name does no harm.
      yield* server.command("LPUSH", "holter:trial", "1")
      assert.strictEqual((yield* writing(server)).status, "healthy")

      // Only where saves are asked for writes are refused after a failed one.
      yield* set(server, "save", "3600 1")
      yield* server.failSave
      yield* refused(server, /MISCONF.*Look for a full disk/)
      const unsaved = yield* both(server)
      assert.deepStrictEqual([unsaved.status, unsaved.reason], ["degraded", "SaveFailed"])
    })
  )

  it.scopedLive("a user that may not try it does not know, and needs no INFO to know", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* server.command("ACL", "SETUSER", "bot", "on", ">b@t/%", "+ping", "+info")
      const url = server.urlWith({ user: "bot", password: "b@t/%" })
      const result = yield* writing(server, url)
      assert.strictEqual(result.status, "degraded", result.message)
      assert.include(result.message, "ACL SETUSER <user> +setrange ~holter:trial*")
      yield* server.command("ACL", "SETUSER", "bot", "+setrange", "~holter:trial*", "-info")
      assert.strictEqual((yield* writing(server, url)).status, "healthy")
    })
  )

  it.scopedLive("a cache that gives up keys is healthy when it is full", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make({ maxmemory: "3mb" })
      yield* set(server, "maxmemory-policy", "allkeys-lru")
      yield* server.command("DEBUG", "POPULATE", 20_000, "key", 200)
      const percent = { maxMemoryPercent: 10 }
      for (const config of [percent, { ...percent, writable: true }]) {
        const full = yield* both(server, config)
        assert.strictEqual(full.status, "healthy", full.message)
        assert.include(full.details, { maxmemory_policy: "allkeys-lru" })
      }
      // Nothing expires: this policy gives up nothing.
      yield* set(server, "maxmemory-policy", "volatile-lru")
      const stuck = yield* both(server, percent)
      assert.strictEqual(stuck.status, "degraded", stuck.message)
      assert.match(stuck.message, /volatile-lru can give up only 0 of \d+ keys/)
      yield* server.command("FLUSHALL")
      yield* server.command("SET", "session", "1", "EX", 3600)
      const expiring = yield* both(server, percent)
      assert.strictEqual(expiring.status, "healthy", expiring.message)
    })
  )

  it.scopedLive("replicas, a server that is loading, and a Sentinel", () =>
    Effect.gen(function* () {
      const primary = yield* RedisServer.make()
      const replica = yield* RedisServer.make({ replicaof: primary })
      yield* replica.awaitInfo("master_link_status:up")
      const reading = yield* writing(replica)
      assert.deepStrictEqual([reading.status, reading.reason], ["unhealthy", "ReadOnly"])
      yield* set(replica, "replica-serve-stale-data", "no")
      yield* primary.stop
      yield* replica.awaitInfo("master_link_status:down")
      yield* refused(replica, /MASTERDOWN/)
      const stale = yield* both(replica)
      assert.deepStrictEqual([stale.status, stale.reason], ["degraded", "ReplicaLinkDown"])

      yield* replica.stop
      yield* primary.start
      yield* primary.startLoading
      yield* refused(primary, /LOADING/)
      const loading = yield* both(primary)
      assert.deepStrictEqual([loading.status, loading.reason], ["degraded", "Loading"])

      const sentinel = yield* RedisServer.make({ sentinel: true })
      const watched = yield* both(sentinel)
      assert.deepStrictEqual(
        [watched.status, watched.details["mode"]],
        ["healthy", "sentinel"],
        watched.message
      )
      const asked = yield* writing(sentinel)
      assert.deepStrictEqual([asked.status, asked.reason], ["unhealthy", "WriteRefused"])
      assert.include(asked.message, "a Sentinel, which keeps no data")
    })
  )

  it.scopedLive(
    "a cluster: each node is tried by a key of its own, and a dead one brings it down",
    () =>
      Effect.gen(function* () {
        const nodes = yield* Effect.forEach(
          thirds,
          () => Effect.flatMap(FreePort.find, (bus) => RedisServer.make({ config: node(bus) })),
          { concurrency: 3 }
        )
        const [first, second, third] = nodes as [RedisInstance, RedisInstance, RedisInstance]
        for (const [at, server] of nodes.entries()) {
          yield* server.command("CLUSTER", "ADDSLOTSRANGE", ...(thirds[at] ?? []))
          const bus = Number(
            ((yield* server.command("CONFIG", "GET", "cluster-port")) as string[])[1]
          )
          if (server !== first) {
            yield* first.command("CLUSTER", "MEET", server.host, server.port, bus)
          }
        }
        for (const server of nodes) {
          yield* awaitCluster(server, /cluster_state:ok[^]*cluster_known_nodes:3/)
          const healthy = yield* writing(server)
          assert.strictEqual(healthy.status, "healthy", healthy.message)
          assert.include(healthy.details, { mode: "cluster" })
          // The node that does not serve the first key refuses its own all the same.
          yield* set(server, "min-replicas-to-write", 1)
          yield* refused(server, /NOREPLICAS/)
          yield* set(server, "min-replicas-to-write", 0)
        }
        yield* third.stop
        yield* awaitCluster(first, /cluster_state:fail/)
        yield* refused(first, /CLUSTERDOWN.*CLUSTER NODES/)
        const down = yield* both(first)
        assert.deepStrictEqual([down.status, down.reason], ["unhealthy", "ClusterDown"])
        assert.match(down.message, /5461 of 16384 slots are not served/)
        yield* set(second, "cluster-require-full-coverage", "no")
        yield* awaitCluster(second, /cluster_state:ok/)
        const partly = yield* writing(second)
        assert.strictEqual(partly.status, "degraded", partly.message)
        assert.include(partly.message, "5461 of 16384 slots of its cluster are not served")
      })
  )
})

const thirds = [
  [0, 5460],
  [5461, 10_922],
  [10_923, 16_383]
] as const

const node = (bus: number) => ({
  "cluster-enabled": "yes",
  "cluster-port": String(bus),
  "cluster-node-timeout": "500"
})

const awaitCluster = (server: RedisInstance, expected: RegExp) =>
  server
    .command("CLUSTER", "INFO")
    .pipe(
      Effect.map(String),
      Effect.repeat(
        Schedule.spaced("20 millis").pipe(
          Schedule.zipRight(Schedule.recurUntil((info: string) => expected.test(info)))
        )
      ),
      live
    )

describe("Cluster", () => {
  it("knows the slots of keys by the specification", () => {
    assert.strictEqual(Cluster.slotOf("123456789"), 0x31c3)
    assert.strictEqual(Cluster.slotOf("foo"), 12_182)
  })

  it("finds a key of the node's own slots, and none where it has none", () => {
    const line = (flags: string, slots: string) =>
      `07c3 127.0.0.1:30004@31004,host ${flags} - 0 0 4 connected ${slots}\n`
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 0, max: 16_300 }),
        FastCheck.integer({ min: 20, max: 16_383 }),
        (first, length) => {
          const last = Math.min(16_383, first + length)
          const nodes =
            line("master", "0-16383") + line("myself,master", `${first}-${last} [93-<-292f]`)
          const slot = Cluster.slotOf(Cluster.ownKey(nodes, "holter:trial") ?? "")
          assert.isTrue(first <= slot && slot <= last)
        }
      )
    )
    assert.isUndefined(Cluster.ownKey(line("myself,slave", ""), "holter:trial"))
    assert.isUndefined(Cluster.ownKey("", "holter:trial"))
  })
})
