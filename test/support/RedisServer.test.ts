import { assert, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import { existsSync } from "node:fs"
import * as ProcessTree from "./ProcessTree.js"
import { RedisServer } from "./RedisServer.js"
import { describeWithServices } from "./Services.js"

/** As a program connects: with a URL only. */
const ping = (url: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      let problem: Error | undefined
      const client = new Redis(url, {
        lazyConnect: true,
        maxRetriesPerRequest: 0,
        enableReadyCheck: false,
        retryStrategy: () => null
      })
      // The reason of a refusal is in the event; the call only learns that the connection closed.
      client.on("error", (error: Error) => {
        problem = error
      })
      return { client, problem: () => problem }
    }),
    ({ client, problem }) =>
      Effect.tryPromise({
        try: async () => {
          await client.connect()
          return await client.ping()
        },
        catch: (cause) => problem() ?? (cause as Error)
      }),
    ({ client }) => Effect.sync(() => client.disconnect())
  )

describeWithServices("redis", "RedisServer", () => {
  layer(RedisServer.layer({ requirepass: "p@ss%w/rd :x", maxmemory: "3mb" }), {
    excludeTestServices: true
  })((it) => {
    it.effect("answers by URL, with its password only", () =>
      Effect.gen(function* () {
        const server = yield* RedisServer
        assert.strictEqual(yield* ping(server.url), "PONG")
        const absent = yield* Effect.flip(ping(server.urlWith({ password: undefined })))
        assert.include(absent.message, "NOAUTH")
        const wrong = yield* Effect.flip(ping(server.urlWith({ password: "wrong-password" })))
        assert.match(wrong.message, /WRONGPASS/)
      })
    )

    it.effect("has the settings it was given", () =>
      Effect.gen(function* () {
        const server = yield* RedisServer
        assert.deepStrictEqual(yield* server.command("CONFIG", "GET", "maxmemory"), [
          "maxmemory",
          "3145728"
        ])
      })
    )
  })

  it.scopedLive("a paused server answers when it is resumed, and not before", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* server.pause
      const answer = yield* Effect.fork(ping(server.url))
      const silence = yield* Fiber.join(answer).pipe(
        Effect.timeoutTo({
          duration: "100 millis",
          onSuccess: (said) => said,
          onTimeout: () => "silent"
        })
      )
      assert.strictEqual(silence, "silent")
      yield* server.resume
      assert.strictEqual(yield* Fiber.join(answer), "PONG")
    })
  )

  it.scopedLive("stops and starts again on its port", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* server.stop
      assert.isTrue(Exit.isFailure(yield* Effect.exit(ping(server.url))))
      yield* server.start
      assert.strictEqual(yield* ping(server.url), "PONG")
    })
  )

  it.scopedLive("a replica follows its primary, and says when the link is down", () =>
    Effect.gen(function* () {
      const primary = yield* RedisServer.make({ requirepass: "secret of the primary" })
      const replica = yield* RedisServer.make({ replicaof: primary })
      yield* replica.awaitInfo("master_link_status:up")
      const refused = yield* Effect.flip(Effect.asVoid(replica.command("SET", "a", "1")))
      assert.include(refused.message, "READONLY")
      yield* primary.stop
      yield* replica.awaitInfo("master_link_status:down")
    })
  )

  it.scopedLive("can be kept loading", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* server.startLoading
      const refused = yield* Effect.flip(ping(server.url))
      assert.include(refused.message, "LOADING")
      yield* server.stop
    })
  )

  it.scopedLive("can fail a background save", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      yield* server.failSave
      assert.include(String(yield* server.command("INFO")), "rdb_last_bgsave_status:err")
    })
  )

  it.live("leaves no process and no file, though it was paused when its scope ended", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const server = yield* RedisServer.make().pipe(Scope.extend(scope))
      const pid = yield* Effect.fromNullable(yield* server.pid)
      yield* server.pause
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(ProcessTree.isAlive(pid))
      assert.isFalse(existsSync(server.socket))
    })
  )
})
