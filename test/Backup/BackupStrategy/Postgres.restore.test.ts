import { assert, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as fs from "node:fs/promises"
import type { Payload } from "../../../src/Backup/BackupStrategy/Strategy.js"
import type { PostgresInstance, PostgresOptions } from "../../support/PostgresServer.js"
import { PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import {
  adminUrl,
  databasesOf,
  dumpOptions,
  execute,
  fingerprint,
  fingerprintOfRich,
  payloadOf,
  restoreOptions,
  rich,
  silent,
  strategyOf,
  tablesOfRich
} from "./PostgresFixture.js"

const aside = "holter_pre_restore_20251211_120000_123"

/** A server with the rich database, a backup of it, and then a change that a restore takes back. */
const backedUp = Effect.fn(function* (
  options: PostgresOptions & { readonly create?: boolean; readonly jobs?: number } = {}
) {
  const server = yield* PostgresServer.make(options)
  if (options.create !== false) yield* server.query("ALTER ROLE holter CREATEDB")
  yield* Effect.scoped(Effect.flatMap(server.session(), (app) => app.query(rich)))
  const strategy = yield* strategyOf(server.url, { jobs: options.jobs, lockWait: "1 second" })
  const folder = yield* TempDir.make("backup")
  const wanted = dumpOptions(folder)
  const dump = yield* strategy.dump(wanted)
  yield* Effect.scoped(
    Effect.flatMap(server.session(), (app) =>
      app.query(
        "DELETE FROM orders WHERE id > 3; CREATE TABLE later (id int); INSERT INTO later VALUES (1)"
      )
    )
  )
  return { server, strategy, dump, payload: payloadOf(wanted.path, dump) }
})

const isBack = (server: PostgresInstance) =>
  Effect.map(server.query(fingerprint), (rows) => assert.deepStrictEqual(rows, [fingerprintOfRich]))

/** As the change after the backup left it. */
const isUntouched = (server: PostgresInstance) =>
  Effect.map(
    server.query("SELECT (SELECT count(*) FROM orders)::int AS orders, (SELECT id FROM later)"),
    (rows) => assert.deepStrictEqual(rows, [{ orders: 3, id: 1 }])
  )

const properties = `SELECT d.datconnlimit, datcollate, datctype, encoding,
    shobj_description(d.oid, 'pg_database') AS comment, datdba::regrole::text AS owner,
    (SELECT jsonb_agg(s.setconfig ORDER BY s.setrole) FROM pg_db_role_setting s
      WHERE setdatabase = d.oid) AS settings,
    (SELECT jsonb_agg(concat_ws(' ', grantee::regrole, privilege_type, is_grantable)
        ORDER BY grantee::regrole::text, privilege_type) FROM aclexplode(datacl)) AS grants
  FROM pg_database d WHERE datname = 'holter'`

describeWithServices("postgres", "Restores of PostgreSQL", () => {
  for (const jobs of [1, 2]) {
    it.scopedLive(`takes the database's place and sets it aside (jobs: ${jobs})`, () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp({ jobs })
        const restored = yield* strategy.restore(payload, restoreOptions)
        assert.strictEqual(restored.method, "into a new database, then renamed")
        assert.strictEqual(restored.setAside, aside)
        assert.deepStrictEqual(restored.warnings, [])
        assert.sameDeepMembers([...restored.tables], tablesOfRich)
        yield* isBack(server)
        assert.deepStrictEqual(yield* databasesOf(server), ["holter", aside])
        const [listed, ...others] = yield* strategy.setAside
        assert.deepStrictEqual(others, [])
        assert.strictEqual(listed?.name, aside)
        assert.strictEqual(listed && DateTime.formatIso(listed.at), "2025-12-11T12:00:00.123Z")
        assert.isAbove(listed?.bytes ?? 0, 1_000_000)
        yield* strategy.dropSetAside(aside)
        assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
        const gone = yield* Effect.flip(strategy.dropSetAside(aside))
        assert.strictEqual(gone.reason, "NotFound")
        const foreign = yield* Effect.flip(strategy.dropSetAside("postgres"))
        assert.strictEqual(foreign.reason, "NotFound")
      })
    )
  }

  for (const { as, more, method } of [
    { as: "owner", more: [], method: "into a new database, then renamed" },
    {
      as: "superuser",
      more: ["ALTER DATABASE holter SET app.motto TO 'it''s \\x'"],
      method: "into a new database, then renamed"
    },
    {
      as: "owner",
      more: ["ALTER DATABASE holter SET log_statement TO 'none'"],
      method: "in place, in one transaction"
    }
  ]) {
    it.scopedLive(`keeps settings, grants, comment, limit and locale: ${method}, as ${as}`, () =>
      Effect.gen(function* () {
        const { payload, server } = yield* backedUp()
        yield* server.query(
          [
            "CREATE ROLE reader LOGIN",
            "CREATE ROLE other LOGIN",
            `ALTER DATABASE holter SET search_path TO "$user", 'Odd "schema', public`,
            "ALTER DATABASE holter SET work_mem TO '7MB'",
            "ALTER DATABASE holter SET default_transaction_read_only TO on",
            "ALTER ROLE holter IN DATABASE holter SET statement_timeout TO '1234s'",
            "REVOKE ALL ON DATABASE holter FROM PUBLIC",
            "GRANT CONNECT ON DATABASE holter TO reader",
            "GRANT TEMPORARY ON DATABASE holter TO other WITH GRANT OPTION",
            "COMMENT ON DATABASE holter IS 'the bot''s'",
            "ALTER DATABASE holter CONNECTION LIMIT 9",
            ...more
          ].join(";")
        )
        const before = yield* server.query(properties)
        const strategy = yield* strategyOf(as === "owner" ? server.url : adminUrl(server))
        const restored = yield* strategy.restore(payload, restoreOptions)
        assert.strictEqual(restored.method, method)
        assert.deepStrictEqual(yield* server.query(properties), before)
        yield* isBack(server)
      })
    )
  }

  it.scopedLive("a missing database is created, as the backup tells", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp()
      yield* execute("psql", adminUrl(server, "postgres"), "-c", "DROP DATABASE holter")
      assert.deepStrictEqual(yield* strategy.present, { _tag: "Absent" })
      const missing = yield* Effect.flip(strategy.estimate)
      assert.strictEqual(missing.reason, "Missing")
      const restored = yield* strategy.restore(payload, restoreOptions)
      assert.strictEqual(restored.method, "into a new database")
      assert.isUndefined(restored.setAside)
      yield* isBack(server)
    })
  )

  it.scopedLive("without CREATEDB: in place, in one transaction, and what came later stays", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp({ create: false })
      yield* server.query("CREATE TABLE closed (id int); REVOKE ALL ON closed FROM PUBLIC")
      const restored = yield* strategy.restore(payload, restoreOptions)
      assert.strictEqual(restored.method, "in place, in one transaction")
      assert.isUndefined(restored.setAside)
      assert.deepStrictEqual(restored.warnings, [
        'in place, since the role holter may not create databases (ALTER ROLE "holter" CREATEDB)',
        "public.closed is not in the backup and stays as it was",
        "public.later is not in the backup and stays as it was"
      ])
      yield* isBack(server)
      assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
      const drill = yield* Effect.flip(strategy.drill(payload, { onProgress: silent }))
      assert.strictEqual(drill.reason, "NotPermitted")
      assert.include(drill.message, 'ALTER ROLE "holter" CREATEDB')
    })
  )

  it.scopedLive(
    "without CREATEDB: a table that stays locked is told, and nothing has changed",
    () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp({ create: false })
        const app = yield* server.session()
        yield* app.query("BEGIN")
        yield* app.query("SELECT count(*) FROM orders")
        const busy = yield* Effect.flip(strategy.restore(payload, restoreOptions))
        assert.strictEqual(busy.reason, "Busy")
        assert.match(busy.message, /locks held by holter.* pid \d+/)
        yield* app.query("COMMIT")
        yield* isUntouched(server)
      })
  )

  it.scopedLive("damaged, foreign and other files change nothing, by either way", () =>
    Effect.gen(function* () {
      const { dump, payload, server, strategy } = yield* backedUp()
      const bytes = yield* Effect.promise(() => fs.readFile(payload.path))
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(bytes.readUInt8(bytes.length - 3000) ^ 0x40, bytes.length - 3000)
      const cases: ReadonlyArray<readonly [string, Buffer, string]> = [
        ["empty", Buffer.alloc(0), "Corrupt"],
        ["truncated", bytes.subarray(0, bytes.length >> 1), "Corrupt"],
        ["flipped", flipped, "Corrupt"],
        ["noise", Buffer.from("no dump at all"), "Corrupt"],
        ["SQLite", Buffer.from("SQLite format 3\0 and more"), "WrongEngine"],
        ["gzip", Buffer.from([0x1f, 0x8b, 8, 0]), "WrongEngine"],
        ["SQL", Buffer.from("--\n-- PostgreSQL database dump\n--\n"), "WrongEngine"]
      ]
      for (const create of [true, false]) {
        yield* server.query(`ALTER ROLE holter ${create ? "CREATEDB" : "NOCREATEDB"}`)
        for (const [name, content, reason] of cases) {
          const file = `${payload.path}.${name}`
          yield* Effect.promise(() => fs.writeFile(file, content))
          for (const record of [dump, undefined]) {
            const damaged = payloadOf(file, record)
            const verified = yield* Effect.flip(
              strategy.verify(damaged, { deep: false, onProgress: silent })
            )
            assert.strictEqual(verified.reason, reason, name)
            const refused = yield* Effect.flip(strategy.restore(damaged, restoreOptions))
            assert.strictEqual(refused.reason, reason, name)
          }
        }
        yield* isUntouched(server)
        assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
      }
    })
  )

  it.scopedLive("a dump of plain pg_dump, without a record, is restored with a warning", () =>
    Effect.gen(function* () {
      const { payload, server, strategy } = yield* backedUp()
      const file = `${payload.path}.plain`
      yield* strategy.restore(payload, restoreOptions)
      yield* execute("pg_dump", "-Fc", "-f", file, server.url)
      yield* server.query("DROP TABLE orders CASCADE")
      const old: Payload = payloadOf(file)
      const verified = yield* strategy.verify(old, { deep: false, onProgress: silent })
      assert.lengthOf(verified.warnings, 1)
      const restored = yield* strategy.restore(old, {
        ...restoreOptions,
        startedAt: DateTime.unsafeMake("2025-12-12T12:00:00.000Z")
      })
      assert.deepStrictEqual(restored.warnings, [
        "no record beside the backup: its rows could not be compared with it"
      ])
      yield* isBack(server)
    })
  )

  it.scopedLive("a backup that is not what its record says is not put in place", () =>
    Effect.gen(function* () {
      const { dump, payload, server, strategy } = yield* backedUp()
      const tables = dump.tables.map((table) =>
        table.name === "public.orders" ? { ...table, rows: 1001 } : table
      )
      const other = { ...payload, dump: { ...dump, tables } }
      const refused = yield* Effect.flip(strategy.restore(other, restoreOptions))
      assert.strictEqual(refused.reason, "Mismatch")
      assert.include(refused.message, "1000 rows in public.orders instead of 1001")
      const drill = yield* Effect.flip(strategy.drill(other, { onProgress: silent }))
      assert.strictEqual(drill.reason, "Mismatch")
      yield* isUntouched(server)
      assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
    })
  )

  it.scopedLive(
    "a prepared transaction, a slot or a session of a superuser: told, nothing changed",
    () =>
      Effect.gen(function* () {
        const { payload, server, strategy } = yield* backedUp({
          settings: {
            max_prepared_transactions: "2",
            wal_level: "logical",
            max_replication_slots: "2"
          }
        })
        const app = yield* server.session()
        yield* app.query("BEGIN")
        yield* app.query("INSERT INTO later VALUES (2)")
        yield* app.query("PREPARE TRANSACTION 'held'")
        const prepared = yield* Effect.flip(strategy.restore(payload, restoreOptions))
        assert.strictEqual(prepared.reason, "InUse")
        assert.include(prepared.message, "ROLLBACK PREPARED 'held'")
        yield* app.query("ROLLBACK PREPARED 'held'")
        yield* server.query("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')")
        const slot = yield* Effect.flip(strategy.restore(payload, restoreOptions))
        assert.strictEqual(slot.reason, "InUse")
        assert.include(slot.message, "pg_drop_replication_slot('feed')")
        yield* server.query("SELECT pg_drop_replication_slot('feed')")
        yield* isUntouched(server)
        assert.deepStrictEqual(yield* databasesOf(server), ["holter"])
      })
  )
})
