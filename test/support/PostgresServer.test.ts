import { assert, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import pg from "pg"
import { PostgresServer } from "./PostgresServer.js"
import * as ProcessTree from "./ProcessTree.js"
import { describeWithServices } from "./Services.js"

/** As a program connects: with a URL only. */
const connect = (url: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => new pg.Client({ connectionString: url })),
    (client) =>
      Effect.tryPromise({
        try: async () => {
          await client.connect()
          const { rows } = await client.query<{ who: string; place: string }>(
            "SELECT current_user AS who, current_database() AS place"
          )
          return rows[0]
        },
        catch: (cause) => cause as Error & { readonly code?: string }
      }),
    (client) => Effect.promise(() => client.end())
  )

describeWithServices("postgres", "PostgresServer", () => {
  layer(PostgresServer.layer({ maxConnections: 7 }), { excludeTestServices: true })((it) => {
    it.effect("answers by URL over TCP and over its socket", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        assert.deepStrictEqual(yield* connect(server.url), { who: "holter", place: "holter" })
        assert.deepStrictEqual(yield* connect(server.socketUrl), { who: "holter", place: "holter" })
        assert.match(server.version, /^\d+\.\d+/)
      })
    )

    it.effect("asks for the password", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const refused = yield* Effect.flip(connect(server.urlWith({ password: "wrong" })))
        assert.strictEqual(refused.code, "28P01")
        const absent = yield* Effect.flip(connect(server.urlWith({ database: "nowhere" })))
        assert.strictEqual(absent.code, "3D000")
      })
    )

    it.scoped("has the settings it was given, and an application without superuser rights", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        const rows = yield* server.query("SHOW max_connections")
        assert.deepStrictEqual(rows, [{ max_connections: "7" }])
        const app = yield* server.session()
        const [role] = yield* app.query("SELECT rolsuper FROM pg_roles WHERE rolname = $1", [
          server.user
        ])
        assert.deepStrictEqual(role, { rolsuper: false })
      })
    )

    it.scoped("counts the sessions that are held open", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer
        yield* server.session()
        const admin = yield* server.session("admin")
        const [row] = yield* admin.query<{ count: number }>(
          "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'holter'"
        )
        assert.strictEqual(row?.count, 1)
      })
    )
  })

  it.scopedLive("a paused server answers when it is resumed, and not before", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const app = yield* server.session()
      yield* server.pause
      const answer = yield* Effect.fork(app.query("SELECT 1 AS one"))
      const again = yield* Effect.fork(connect(server.url))
      yield* Effect.yieldNow()
      const silence = yield* Fiber.join(answer).pipe(
        Effect.as("answered"),
        Effect.timeoutTo({
          duration: "100 millis",
          onSuccess: (said) => said,
          onTimeout: () => "silent"
        })
      )
      assert.strictEqual(silence, "silent")
      yield* server.resume
      assert.deepStrictEqual(yield* Fiber.join(answer), [{ one: 1 }])
      assert.strictEqual((yield* Fiber.join(again))?.who, "holter")
    })
  )

  it.scopedLive("stops at once and starts again on its port with its data", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      yield* server.query("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)")
      yield* server.stop
      const refused = yield* Effect.flip(connect(server.url))
      assert.strictEqual(refused.code, "ECONNREFUSED")
      yield* server.start
      assert.deepStrictEqual(yield* server.query("SELECT id FROM kept"), [{ id: 1 }])
    })
  )

  it.scopedLive("as a standby it is in recovery and read-only", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make({ standby: true })
      const [row] = yield* server.query("SELECT pg_is_in_recovery() AS recovery")
      assert.deepStrictEqual(row, { recovery: true })
      const app = yield* server.session()
      const refused = yield* Effect.flip(app.query("CREATE TABLE x (id int)"))
      assert.include(refused.message, "read-only transaction")
    })
  )

  it.scopedLive("takes another user, password and database", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make({
        user: "o'bot",
        password: "caf\u00e9 ' %41 \"#?",
        database: "bot data"
      })
      assert.deepStrictEqual(yield* connect(server.url), { who: "o'bot", place: "bot data" })
    })
  )

  it.live("leaves no process and no file, though it was paused when its scope ended", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const server = yield* PostgresServer.make().pipe(Scope.extend(scope))
      const pid = yield* Effect.fromNullable(yield* server.pid)
      const family = ProcessTree.descendants(pid)
      assert.isAbove(family.length, 3)
      yield* server.pause
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(family.filter(ProcessTree.isAlive), [])
      assert.isFalse(existsSync(server.dataDir))
    })
  )
})
