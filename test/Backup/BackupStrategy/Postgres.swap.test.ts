import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { fileURLToPath } from "node:url"
import pg from "pg"
import type { Payload, Strategy } from "../../../src/Backup/BackupStrategy/Strategy.js"
import * as ManagedProcess from "../../support/ManagedProcess.js"
import { PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import {
  adminUrl,
  databasesOf,
  dumpOptions,
  payloadOf,
  restoreOptions,
  silent,
  strategyOf
} from "./PostgresFixture.js"

const backedUp = Effect.gen(function* () {
  const server = yield* PostgresServer.make()
  yield* server.query("ALTER ROLE holter CREATEDB")
  yield* Effect.scoped(
    Effect.flatMap(server.session(), (app) =>
      app.query("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000)")
    )
  )
  const strategy = yield* strategyOf(server.url)
  const wanted = dumpOptions(yield* TempDir.make("backup"))
  const dump = yield* strategy.dump(wanted)
  yield* server.query("DELETE FROM t WHERE id > 7")
  return { server, strategy, payload: payloadOf(wanted.path, dump) }
})

const rows = (server: { readonly query: PostgresServer["Type"]["query"] }) =>
  Effect.map(server.query<{ n: number }>("SELECT count(*)::int AS n FROM t"), ([row]) => row?.n)

/** What one program saw that goes on asking, and connects again whenever it is thrown out. */
interface Seen {
  readonly refused: Array<string>
  readonly counts: Set<number>
  broken: number
}

/** Until it has seen the restored rows. */
const client = (url: string, seen: Seen, connected: Deferred.Deferred<void>) =>
  Effect.promise(async () => {
    while (!seen.counts.has(1000)) {
      const connection = new pg.Client({ connectionString: url })
      connection.on("error", () => {})
      const refused = await connection.connect().then(
        () => undefined,
        (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))
      )
      if (refused !== undefined) {
        seen.refused.push(refused)
        continue
      }
      Deferred.unsafeDone(connected, Exit.void)
      for (let open = true; open && !seen.counts.has(1000); ) {
        await connection.query<{ n: number }>("SELECT count(*)::int AS n FROM t").then(
          (result) => seen.counts.add(result.rows[0]?.n ?? -1),
          () => {
            seen.broken += 1
            open = false
          }
        )
      }
      await connection.end().catch(() => {})
    }
  })

/** A restore that has come to the comparison, and stays there. */
const held = (strategy: Strategy, payload: Payload) =>
  Effect.gen(function* () {
    const reached = yield* Deferred.make<void>()
    const fiber = yield* Effect.fork(
      strategy.restore(payload, {
        ...restoreOptions,
        onProgress: ({ stage }) =>
          stage === "compare"
            ? Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never)
            : Effect.void
      })
    )
    yield* Deferred.await(reached)
    return fiber
  })

const loader = `data:text/javascript,import{register}from"node:module";register(${JSON.stringify(
  new URL("../../../bench/support/typescript.mjs", import.meta.url).href
)})`
const runner = fileURLToPath(new URL("../../support/restoreRunner.ts", import.meta.url))

describeWithServices("postgres", "Swap of PostgreSQL databases", () => {
  it.scopedLive("programs that are connected and come again are refused once at the most", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp
      const clients = yield* Effect.forEach([1, 2, 3, 4, 5], () =>
        Effect.gen(function* () {
          const seen: Seen = { refused: [], counts: new Set(), broken: 0 }
          const connected = yield* Deferred.make<void>()
          const fiber = yield* Effect.fork(client(server.url, seen, connected))
          yield* Deferred.await(connected)
          return { seen, fiber }
        })
      )
      const idle = yield* server.session()
      yield* idle.query("BEGIN")
      const restored = yield* strategy.restore(payload, restoreOptions)
      assert.strictEqual(restored.method, "into a new database, then renamed")
      for (const { fiber, seen } of clients) {
        yield* Fiber.join(fiber)
        assert.isAtMost(seen.refused.length, 1, seen.refused.join(", "))
        assert.isAtLeast(seen.broken, 1)
        assert.sameMembers([...seen.counts], [7, 1000])
      }
      assert.strictEqual(yield* rows(server), 1000)
    })
  )

  it.scopedLive(
    "a session that this user may not end: told whose it is, nothing changed",
    () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp
        yield* server.session("admin")
        const refused = yield* Effect.flip(strategy.restore(payload, restoreOptions))
        assert.strictEqual(refused.reason, "InUse")
        assert.include(refused.message, "postgres")
        assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
        assert.strictEqual(yield* rows(server), 7)
        const admin = yield* strategyOf(adminUrl(server))
        yield* admin.restore(payload, restoreOptions)
        assert.strictEqual(yield* rows(server), 1000)
      }),
    60_000
  )

  for (const stage of ["restore", "compare"]) {
    it.scopedLive(`killed after ${stage}: the database is untouched, the next run cleans up`, () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp
        const child = yield* ManagedProcess.start({
          name: "restore",
          command: process.execPath,
          args: ["--import", loader, runner, server.url, JSON.stringify(payload), stage],
          cwd: "/"
        })
        yield* child.awaitOutput(/held/, "stdout")
        yield* child.signal("SIGKILL")
        yield* child.exit
        assert.strictEqual(yield* rows(server), 7)
        const [database, left, ...others] = yield* databasesOf(server)
        assert.strictEqual(database, "holter")
        assert.match(left ?? "", /^holter_restore_[0-9a-f]{8}_[0-9a-f]{12}$/)
        assert.deepStrictEqual(others, [])
        yield* server.query(`CREATE DATABASE holter_restore_00000000_0123456789ab OWNER holter`)
        // A drill finds it as well as a restore.
        const next =
          stage === "restore"
            ? yield* strategy.restore(payload, restoreOptions)
            : yield* strategy.drill(payload, { onProgress: silent })
        assert.deepStrictEqual(next.warnings, [`dropped ${left}, left by a killed run`])
        const still = yield* databasesOf(server)
        assert.notInclude(still, left)
        assert.include(still, "holter_restore_00000000_0123456789ab")
      })
    )
  }

  it.scopedLive(
    "killed in the middle of the renaming: the old or the new, and the next run works",
    () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp
        // It may not be ended by the restore, which so stays in the middle until the server gives up.
        const admin = yield* server.session("admin")
        const child = yield* ManagedProcess.start({
          name: "restore",
          command: process.execPath,
          args: ["--import", loader, runner, server.url, JSON.stringify(payload), "never"],
          cwd: "/"
        })
        const renaming = (isThere: boolean) =>
          admin
            .query(
              "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'BEGIN%RENAME%'"
            )
            .pipe(
              Effect.repeat({
                schedule: Schedule.spaced("10 millis"),
                until: (found) => found.length > 0 === isThere
              })
            )
        yield* renaming(true)
        yield* child.signal("SIGKILL")
        yield* child.exit
        yield* renaming(false)
        assert.strictEqual(yield* rows(server), 7)
        const [live, left, ...others] = yield* databasesOf(server)
        assert.strictEqual(live, "holter")
        assert.match(left ?? "", /^holter_restore_/)
        assert.deepStrictEqual(others, [])
        const other = yield* strategyOf(adminUrl(server))
        const next = yield* other.restore(payload, restoreOptions)
        assert.deepStrictEqual(next.warnings, [`dropped ${left}, left by a killed run`])
        assert.strictEqual(yield* rows(server), 1000)
        assert.lengthOf(yield* strategy.setAside, 1)
      })
  )

  it.scopedLive("a run that is alive keeps its database, and a second restore is refused", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp
      const first = yield* held(strategy, payload)
      const second = yield* Effect.flip(strategy.restore(payload, restoreOptions))
      assert.strictEqual(second.reason, "Locked")
      yield* strategy.drill(payload, { onProgress: silent })
      assert.lengthOf(yield* databasesOf(server), 2)
      yield* Fiber.interrupt(first)
      assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
      assert.strictEqual(yield* rows(server), 7)
      yield* strategy.restore(payload, restoreOptions)
      assert.strictEqual(yield* rows(server), 1000)
    })
  )

  it.scopedLive("runs that work from different databases of the server see each other", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp
      // One works from `postgres`, which is closed to the other, who works from `template1`.
      yield* server.query(
        `CREATE ROLE other LOGIN CREATEDB PASSWORD 'other' IN ROLE holter;
        REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
        GRANT CONNECT ON DATABASE postgres TO other`
      )
      const other = yield* strategyOf(server.urlWith({ user: "other", password: "other" }))
      for (const [one, another, who] of [
        [strategy, other, "holter"],
        [other, strategy, "other"]
      ] as const) {
        const first = yield* held(one, payload)
        const second = yield* Effect.flip(another.restore(payload, restoreOptions))
        assert.strictEqual(second.reason, "Locked")
        assert.match(second.message, new RegExp(`by ${who} pid \\d+`))
        // It takes the first one's database for nobody's as little.
        assert.deepStrictEqual((yield* another.drill(payload, { onProgress: silent })).warnings, [])
        assert.lengthOf(yield* databasesOf(server), 2)
        yield* Fiber.interrupt(first)
      }
      assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
    })
  )
})
