/** Restores in place, beside programs that write, and with extensions that only a superuser may create. */
import { assert, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import pg from "pg"
import type { Outcome, Strategy } from "../../../src/Backup/BackupStrategy/Strategy.js"
import { type PostgresInstance, PostgresServer } from "../../support/PostgresServer.js"
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

/** Two tables that every commit writes to, and a backup of them from before all commits. */
const backedUp = Effect.fn(function* (
  options: { readonly createDatabase?: boolean; readonly sql?: string } = {}
) {
  const server = yield* PostgresServer.make()
  if (options.createDatabase === true) yield* server.query("ALTER ROLE holter CREATEDB")
  yield* server.query(options.sql ?? "SELECT 1")
  yield* Effect.scoped(
    Effect.flatMap(server.session(), (app) =>
      app.query(
        `CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int REFERENCES one);
        INSERT INTO one VALUES (0); INSERT INTO two VALUES (0)`
      )
    )
  )
  const strategy = yield* strategyOf(server.url, { lockWait: "20 seconds" })
  const folder = yield* TempDir.make("backup")
  const wanted = dumpOptions(folder)
  const dump = yield* strategy.dump(wanted)
  return { server, strategy, folder, payload: payloadOf(wanted.path, dump) }
})

interface Writer {
  readonly committed: Set<number>
  stop: boolean
}

/** Commits one number after the other, and comes again when it is thrown out. */
const write = (url: string, writer: Writer, first: Deferred.Deferred<void>) =>
  Effect.promise(async () => {
    for (let id = 1; !writer.stop; ) {
      const connection = new pg.Client({ connectionString: url })
      connection.on("error", () => {})
      const isOpen = await connection.connect().then(
        () => true,
        () => false
      )
      for (let goes = isOpen; goes && !writer.stop; id += 1) {
        // A read first, as programs do.
        const sql = `BEGIN; SELECT count(*) FROM two; INSERT INTO one VALUES (${id});
          INSERT INTO two VALUES (${id}); COMMIT`
        goes = await connection.query(sql).then(
          () => {
            writer.committed.add(id)
            if (writer.committed.size === 5) Deferred.unsafeDone(first, Exit.void)
            return true
          },
          () => false
        )
      }
      await connection.end().catch(() => {})
    }
  })

const idsOf = (url: string) =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const found = await client.query<{ id: number }>("SELECT id FROM one JOIN two USING (id)")
    await client.end()
    return new Set(found.rows.map(({ id }) => id))
  })

/** As `Backup` does it: held, saved, restored. */
const saveAndRestore = (
  strategy: Strategy,
  payload: Parameters<Strategy["restore"]>[0],
  folder: string
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const held = yield* strategy.hold?.(payload, restoreOptions) ?? Effect.dieMessage("no hold")
      const wanted = dumpOptions(folder, { path: path.join(folder, "pre_restore.dump") })
      const saved = yield* held.dump(wanted)
      return { saved: payloadOf(wanted.path, saved), restored: yield* held.restore }
    })
  )

const later = { ...restoreOptions, startedAt: DateTime.unsafeMake("2026-01-01T00:00:00.000Z") }

/** Of every process of the machine. */
const commandLines = Effect.promise(async () => {
  const pids = (await fs.readdir("/proc")).filter((entry) => /^\d+$/.test(entry))
  return Promise.all(pids.map((pid) => fs.readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")))
})

describeWithServices("postgres", "Restores of PostgreSQL beside a writer", () => {
  for (const createDatabase of [false, true]) {
    const way = createDatabase ? "by a new database" : "in place"
    it.scopedLive(`${way}: no commit is lost`, () =>
      Effect.gen(function* () {
        const { folder, payload, server, strategy } = yield* backedUp({ createDatabase })
        const writer: Writer = { committed: new Set(), stop: false }
        const first = yield* Deferred.make<void>()
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            writer.stop = true
          })
        )
        const writing = yield* Effect.fork(write(server.url, writer, first))
        yield* Deferred.await(first)
        const { restored, saved } = yield* saveAndRestore(strategy, payload, folder)
        writer.stop = true
        yield* Fiber.join(writing)
        const now = yield* idsOf(server.url)
        // Where was it before: in the database set aside, or in the pre-restore backup.
        if (restored.setAside === undefined) yield* strategy.restore(saved, later)
        const before = yield* idsOf(
          restored.setAside === undefined
            ? server.url
            : server.urlWith({ database: restored.setAside })
        )
        assert.deepStrictEqual(
          [...writer.committed].filter((id) => !before.has(id) && !now.has(id)),
          []
        )
        assert.isAtLeast(before.size, 5)
        assert.isTrue(now.has(0))
        assert.isFalse(now.has(1))
      })
    )
  }

  it.scopedLive("in place: who has read and now waits to write gives way, and nobody hangs", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp()
      const app = yield* server.session()
      yield* app.query("BEGIN")
      yield* app.query("SELECT count(*) FROM one")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const held = yield* strategy.hold?.(payload, restoreOptions) ?? Effect.die("no hold")
          const writing = yield* Effect.fork(Effect.flip(app.query("INSERT INTO one VALUES (9)")))
          yield* isWaiting(server, "INSERT INTO one%")
          yield* held.restore
          assert.include((yield* Fiber.join(writing)).message, "canceling statement")
        })
      )
      assert.deepStrictEqual(yield* idsOf(server.url), new Set([0]))
    })
  )

  it.scopedLive(
    "in place: held without a password on a command line; given up, nobody waits any more",
    () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp()
        const app = yield* server.session()
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* strategy.hold?.(payload, restoreOptions) ?? Effect.die("no hold")
            const second = yield* Effect.flip(strategy.restore(payload, restoreOptions))
            assert.strictEqual(second.reason, "Locked")
            const commands = yield* commandLines
            assert.isTrue(
              commands.some((line) => /psql.*application_name='holter restore/s.test(line))
            )
            for (const form of [server.password, encodeURIComponent(server.password)]) {
              assert.deepStrictEqual(
                commands.filter((line) => line.includes(form)),
                []
              )
            }
          })
        )
        yield* app.query("INSERT INTO one VALUES (5)")
      })
  )

  it.scopedLive("in place: a backup that is not what its record says changes nothing", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp()
      yield* server.query("INSERT INTO one VALUES (1); INSERT INTO two VALUES (1)")
      const { dump } = payload
      if (dump === undefined) return yield* Effect.dieMessage("no record")
      const tables = dump.tables.map((table) => ({ ...table, rows: 7 }))
      const refused = yield* Effect.flip(
        strategy.restore({ ...payload, dump: { ...dump, tables } }, restoreOptions)
      )
      assert.strictEqual(refused.reason, "Mismatch")
      assert.include(refused.message, "Nothing has changed")
      assert.deepStrictEqual(yield* idsOf(server.url), new Set([0, 1]))
    })
  )
})

describeWithServices("postgres", "Restores of PostgreSQL in place that have to fail", () => {
  const obstacles = {
    "a view that the backup does not have": {
      put: "CREATE VIEW newer AS SELECT id FROM one; ALTER VIEW newer OWNER TO holter",
      take: "DROP VIEW newer",
      reason: "InUse",
      found: /cannot drop .* other objects depend on it.*view public\.newer depends on/
    },
    "a table that refers to one of the backup's": {
      put: "CREATE TABLE newer (id int REFERENCES one)",
      take: "DROP TABLE newer",
      reason: "InUse",
      found: /constraint newer_id_fkey on table public\.newer depends on/
    },
    "a table that belongs to another role": {
      put: "ALTER TABLE two OWNER TO postgres",
      take: "ALTER TABLE two OWNER TO holter",
      reason: "NotPermitted",
      found: /must be owner of (?:table|relation) two/
    }
  }
  for (const [what, { found, put, reason, take }] of Object.entries(obstacles)) {
    it.scopedLive(`are refused before the present is saved: ${what}`, () =>
      Effect.gen(function* () {
        const { folder, payload, server, strategy } = yield* backedUp()
        yield* server.query("INSERT INTO one VALUES (1); INSERT INTO two VALUES (1)")
        yield* server.query(put)
        const refused = yield* Effect.scoped(
          Effect.flip(strategy.hold?.(payload, restoreOptions) ?? Effect.die("no hold"))
        )
        assert.strictEqual(refused.reason, reason)
        assert.match(refused.message, found)
        assert.deepStrictEqual(yield* idsOf(adminUrl(server)), new Set([0, 1]))
        yield* server.query(take)
        yield* saveAndRestore(strategy, payload, folder)
        assert.deepStrictEqual(yield* idsOf(server.url), new Set([0]))
      })
    )
  }

  it.scopedLive("fail later, with nothing changed, where a reader kept that from being tried", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp()
      yield* server.query("CREATE VIEW newer AS SELECT id FROM one")
      const app = yield* server.session()
      yield* app.query("BEGIN")
      yield* app.query("SELECT count(*) FROM one")
      const refused = yield* Effect.scoped(
        Effect.gen(function* () {
          const held = yield* strategy.hold?.(payload, restoreOptions) ?? Effect.die("no hold")
          yield* app.query("COMMIT")
          return yield* Effect.flip(held.restore)
        })
      )
      assert.strictEqual(refused.reason, "InUse")
      assert.deepStrictEqual(yield* idsOf(server.url), new Set([0]))
    })
  )
})

const isWaiting = (server: PostgresInstance, query: string) =>
  server
    .query("SELECT 1 FROM pg_stat_activity WHERE query LIKE $1 AND wait_event_type = 'Lock'", [
      query
    ])
    .pipe(
      Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (rows) => rows.length > 0 })
    )

/** As the administrator, beside the database: a session in it would hold up its renaming. */
const beside = (server: PostgresInstance, ...statements: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: adminUrl(server, "postgres") })
    await client.connect()
    let count = 0
    for (const sql of statements) count = (await client.query(sql)).rowCount ?? 0
    await client.end()
    return count
  })

/** Commits wait for a standby that there is not: done, with an answer that does not come. */
const unanswered = (server: PostgresInstance) => ({
  begin: Effect.zipRight(
    alter(server, "ALTER SYSTEM SET synchronous_standby_names TO 'nobody'"),
    isWaitedFor(server)
  ),
  end: alter(server, "ALTER SYSTEM RESET synchronous_standby_names"),
  reached: beside(
    server,
    "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name <> 'canary'"
  ).pipe(Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (count) => count > 0 })),
  /** Ends the session whose commit waits. */
  cut: beside(
    server,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
  )
})

/** A server takes up what it is told when it gets to it: commits until one of them waits. */
const isWaitedFor = (server: PostgresInstance): Effect.Effect<void> =>
  Effect.gen(function* () {
    const canary = new pg.Client({
      connectionString: adminUrl(server, "postgres"),
      application_name: "canary"
    })
    canary.on("error", () => {})
    yield* Effect.promise(() => canary.connect())
    let isDone = false
    void canary
      .query("SELECT pg_logical_emit_message(true, 'canary', '')")
      .catch(() => {})
      .finally(() => {
        isDone = true
        void canary.end().catch(() => {})
      })
    const waiting = beside(
      server,
      "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'canary'"
    )
    while (!isDone) if ((yield* waiting) > 0) return
    return yield* isWaitedFor(server)
  })

/** Its own commit does not wait. */
const alter = (server: PostgresInstance, sql: string) =>
  beside(server, "SET synchronous_commit TO local", sql, "SELECT pg_reload_conf()")

describeWithServices("postgres", "Restores of PostgreSQL whose answer is lost", () => {
  for (const createDatabase of [false, true]) {
    const way = createDatabase ? "by a new database" : "in place"
    it.scopedLive(`${way}: done, when it is done`, () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp({ createDatabase })
        yield* server.query("INSERT INTO one VALUES (1); INSERT INTO two VALUES (1)")
        const sync = unanswered(server)
        const restoring = yield* Effect.fork(
          strategy.restore(payload, {
            ...restoreOptions,
            onProgress: ({ bytes, stage }) =>
              stage === "compare" && bytes > 0 ? sync.begin : Effect.void
          })
        )
        yield* sync.reached
        yield* sync.cut
        yield* sync.end
        const restored = yield* Fiber.join(restoring)
        assert.strictEqual(restored.tables.length, 2)
        assert.deepStrictEqual(yield* idsOf(server.url), new Set([0]))
      })
    )

    it.scopedLive(`${way}: interrupted too late, it is told as done`, () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp({ createDatabase })
        yield* server.query("INSERT INTO one VALUES (1); INSERT INTO two VALUES (1)")
        const sync = unanswered(server)
        const told: Array<Outcome> = []
        const restoring = yield* Effect.fork(
          strategy.restore(payload, {
            ...restoreOptions,
            onOutcome: (outcome) => Effect.sync(() => told.push(outcome)),
            onProgress: ({ bytes, stage }) =>
              stage === "compare" && bytes > 0 ? sync.begin : Effect.void
          })
        )
        yield* sync.reached
        assert.deepStrictEqual(told, [{ _tag: "Unknown" }])
        yield* Fiber.interruptFork(restoring)
        yield* sync.end
        assert.isTrue(Exit.isInterrupted(yield* Fiber.await(restoring)))
        const setAside = createDatabase ? "holter_pre_restore_20251211_120000_123" : undefined
        assert.deepStrictEqual(told.slice(1), [{ _tag: "Replaced", setAside }])
        assert.deepStrictEqual(yield* idsOf(server.url), new Set([0]))
        const databases = yield* databasesOf(server)
        assert.deepStrictEqual(
          databases,
          setAside === undefined ? ["holter"] : ["holter", setAside]
        )
      })
    )

    it.scopedLive(`${way}: not known, when the server is gone, and how to look`, () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp({ createDatabase })
        const sync = unanswered(server)
        const restoring = yield* Effect.fork(
          Effect.flip(
            strategy.restore(payload, {
              ...restoreOptions,
              onProgress: ({ bytes, stage }) =>
                stage === "compare" && bytes > 0 ? sync.begin : Effect.void
            })
          )
        )
        yield* sync.reached
        yield* server.stop
        const error = yield* Fiber.join(restoring)
        assert.strictEqual(error.reason, "Unreachable")
        assert.match(error.message, /not known whether it is done/)
        assert.match(
          error.message,
          createDatabase ? /a database holter_pre_restore_/ : /SELECT txid_status\(\d+\)/
        )
      })
    )
  }
})

describeWithServices("postgres", "Extensions that only a superuser may create", () => {
  const sql = "CREATE EXTENSION pageinspect; CREATE EXTENSION dblink"
  it.scopedLive("that are there: restored in place", () =>
    Effect.gen(function* () {
      for (const createDatabase of [true, false]) {
        const { payload, server, strategy } = yield* backedUp({ createDatabase, sql })
        yield* server.query("INSERT INTO one VALUES (1)")
        const restored = yield* strategy.restore(payload, restoreOptions)
        assert.strictEqual(restored.method, "in place, in one transaction")
        assert.include(
          restored.warnings[0],
          createDatabase ? "the extension dblink, pageinspect" : "may not create databases"
        )
        assert.deepStrictEqual(yield* idsOf(server.url), new Set([0]))
        assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
        assert.lengthOf(
          yield* server.query(
            "SELECT FROM pg_extension WHERE extname IN ('dblink', 'pageinspect')"
          ),
          2
        )
      }
    })
  )

  it.scopedLive("that are not there: told before anything is done, with what to do", () =>
    Effect.gen(function* () {
      for (const createDatabase of [true, false]) {
        const { payload, server, strategy } = yield* backedUp({ createDatabase, sql })
        yield* server.query("DROP EXTENSION dblink; INSERT INTO one VALUES (1)")
        const refused = yield* Effect.scoped(
          Effect.flip(strategy.hold?.(payload, restoreOptions) ?? Effect.die("no hold"))
        )
        assert.strictEqual(refused.reason, "NotPermitted")
        assert.include(
          refused.message,
          'superuser create it in holter, and try again: CREATE EXTENSION "dblink".'
        )
        assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
        if (!createDatabase) continue
        const drill = yield* Effect.flip(strategy.drill(payload, { onProgress: silent }))
        assert.strictEqual(drill.reason, "NotPermitted")
        assert.include(drill.message, "the extension dblink, pageinspect")
        const admin = yield* strategyOf(adminUrl(server))
        yield* admin.drill(payload, { onProgress: silent })
        yield* admin.restore(payload, restoreOptions)
        assert.deepStrictEqual(yield* idsOf(server.url), new Set([0]))
      }
    })
  )
})

describeWithServices("postgres", "Room for a restore of PostgreSQL", () => {
  it.scopedLive("is looked at where it can be seen, and told where not", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp({ createDatabase: true })
      const { dump } = payload
      if (dump === undefined) return yield* Effect.dieMessage("no record")
      const huge = { ...payload, dump: { ...dump, contentBytes: 5e17 } }
      const look = (by: Strategy, wanted: typeof payload) => by.room?.(wanted) ?? Effect.die("none")
      // Where the files of the server are, only an administrator is told.
      const told = yield* look(strategy, huge)
      assert.lengthOf(told, 1)
      assert.include(told[0], "needs about 500 PB")
      yield* strategy.drill(huge, { onProgress: silent })
      const admin = yield* strategyOf(adminUrl(server))
      const [risk, ...others] = yield* look(admin, payload)
      assert.match(risk ?? "", /postgres is a superuser, and the database has objects of holter/)
      assert.deepStrictEqual(others, [])
      const full = yield* Effect.flip(look(admin, huge))
      assert.strictEqual(full.reason, "DiskFull")
      const drill = yield* Effect.flip(admin.drill(huge, { onProgress: silent }))
      assert.strictEqual(drill.reason, "DiskFull")
    })
  )
})
