/** What a server lacks, forbids or has no room for is told at once, with what to type. */
import { NodeContext } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Backup from "../../../src/Backup/Backup.js"
import * as BackupStore from "../../../src/Backup/BackupStore.js"
import * as BackupStrategy from "../../../src/Backup/BackupStrategy.js"
import type { Strategy } from "../../../src/Backup/BackupStrategy/Strategy.js"
import * as PostgresClient from "../../support/PostgresClient.js"
import { PostgresServer } from "../../support/PostgresServer.js"
import * as PostgresTemplate from "../../support/PostgresTemplate.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import * as Tmpfs from "../../support/Tmpfs.js"
import {
  adminUrl,
  dumpOptions,
  payloadOf,
  restoreOptions,
  silent,
  strategyOf
} from "./PostgresFixture.js"

const at = (day: number) => ({
  ...restoreOptions,
  startedAt: DateTime.unsafeMake(`2026-01-${10 + day}T00:00:00.000Z`)
})

const dump = (strategy: Strategy, folder: string, name = "one") =>
  Effect.gen(function* () {
    const wanted = dumpOptions(folder, { path: path.join(folder, name) })
    return payloadOf(wanted.path, yield* strategy.dump(wanted))
  })

const orders = `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 10)`

describeWithServices("postgres", "What a server of PostgreSQL lacks", () => {
  it.scopedLive("as tablespaces, roles and the locale, is told at once with the statements", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make({ settings: { allow_in_place_tablespaces: "on" } })
      const folder = yield* TempDir.make("missing")
      for (const sql of ["CREATE TABLESPACE fast LOCATION ''", "CREATE ROLE lost"]) {
        yield* server.query(sql)
      }
      yield* server.query(
        "CREATE DATABASE second TEMPLATE template0 LC_COLLATE 'C.utf8' LC_CTYPE 'C.utf8'"
      )
      const admin = yield* strategyOf(adminUrl(server, "second"))
      const other = yield* strategyOf(adminUrl(server))
      yield* server.query(
        "CREATE TABLE quick (id int) TABLESPACE fast; CREATE TABLE his (id int); ALTER TABLE his OWNER TO lost"
      )
      const tables = yield* dump(other, folder)
      yield* server.query("DROP TABLE quick, his")
      for (const sql of ["DROP TABLESPACE fast", "DROP ROLE lost"]) yield* server.query(sql)
      const refused = yield* Effect.flip(other.drill(tables, { onProgress: silent }))
      assert.strictEqual(refused.reason, "Incomplete")
      assert.include(refused.message, `CREATE TABLESPACE "fast" LOCATION '`)
      assert.include(refused.message, 'CREATE ROLE "lost"')
      const { path: file } = yield* dump(admin, folder, "two")
      yield* server.query("DROP DATABASE second")
      const bytes = readFileSync(file).toString("latin1").replaceAll("C.utf8", "C.utf9")
      writeFileSync(file, bytes, "latin1")
      const error = yield* Effect.flip(admin.restore(payloadOf(file), at(1)))
      assert.strictEqual(error.reason, "Incomplete", error.message)
      assert.include(error.message, "the locale C.utf9 (locale-gen on its machine")
    })
  )

  it.scopedLive(
    "as the right to have an extension twice, is no hindrance where it is left out",
    () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer.make()
        const folder = yield* TempDir.make("single")
        yield* server.query(
          "ALTER ROLE holter CREATEDB; ALTER DATABASE template0 ALLOW_CONNECTIONS true"
        )
        const app = (sql: string) =>
          Effect.scoped(Effect.flatMap(server.session(), (session) => session.query(sql)))
        yield* app(`CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; ${orders}`)
        // As pg_cron has it: in one database of the server, and in no other.
        yield* Effect.scoped(
          Effect.gen(function* () {
            const client = yield* PostgresClient.connect({
              ...PostgresTemplate.admin,
              host: server.socketDir,
              port: server.port,
              database: "template0"
            })
            yield* client.query(
              `CREATE FUNCTION once() RETURNS event_trigger LANGUAGE plpgsql AS $$
              BEGIN RAISE EXCEPTION 'can only create extension in database bot'; END $$`
            )
            yield* client.query(
              "CREATE EVENT TRIGGER once ON ddl_command_start WHEN TAG IN ('CREATE EXTENSION') EXECUTE FUNCTION once()"
            )
          })
        )
        const strategy = yield* strategyOf(server.url)
        const payload = yield* dump(strategy, folder)
        yield* server.query("DELETE FROM orders")
        const rows = Effect.map(
          server.query<{ n: number }>("SELECT count(*)::int AS n FROM orders"),
          ([row]) => row?.n
        )
        // With its schema in the dump it cannot stay where it is either.
        const refused = yield* Effect.flip(strategy.restore(payload, at(1)))
        assert.strictEqual(refused.reason, "InUse")
        assert.include(refused.message, "extension citext depends on schema ext")
        assert.include(refused.message, "Go on without the extension citext by --allow-incomplete")
        assert.strictEqual(yield* rows, 0)
        const swapped = yield* strategy.restore(payload, { ...at(2), allowIncomplete: true })
        assert.strictEqual(swapped.method, "into a new database, then renamed")
        assert.match(
          swapped.warnings.join("\n"),
          /not restored: extension citext \(can only create extension in database bot\)/
        )
        assert.strictEqual(yield* rows, 10)
      })
  )

  it.scopedLive("of a subscription, which stays behind, is told with the statement to type", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const folder = yield* TempDir.make("subscription")
      yield* server.query(orders)
      yield* server.query(
        "CREATE SUBSCRIPTION feed CONNECTION 'host=nowhere.test' PUBLICATION a_few WITH (connect = false, slot_name = 'feed')"
      )
      const admin = yield* strategyOf(adminUrl(server))
      const restored = yield* admin.restore(yield* dump(admin, folder), at(1))
      const told = restored.warnings.join("\n")
      assert.include(told, "the subscription feed stays with the database set aside")
      assert.include(
        told,
        `CREATE SUBSCRIPTION "feed" CONNECTION '...' PUBLICATION "a_few" WITH (connect = false, slot_name = 'feed')`
      )
      yield* admin.dropSetAside(restored.setAside ?? "")
      assert.deepStrictEqual(yield* admin.setAside, [])
    })
  )
})

describeWithServices("postgres", "A new schema of PostgreSQL", () => {
  it.scopedLive("is rehearsed once at create, with what a restore would leave out", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const directory = path.join(yield* TempDir.make("new"), "backups")
      const layer = Backup.layer({ app: "Bot" }).pipe(
        Layer.provide(BackupStore.layerDirectory({ path: directory })),
        Layer.provide(BackupStrategy.layerUrl(server.url)),
        Layer.provide(NodeContext.layer)
      )
      const warnings = Effect.provide(
        Effect.flatMap(Backup.Backup, (backup) => backup.create()),
        layer
      ).pipe(Effect.map((created) => created.warnings.join("\n")))
      const app = (sql: string) =>
        Effect.scoped(Effect.flatMap(server.session(), (session) => session.query(sql)))
      yield* app(orders)
      const unable = yield* warnings
      assert.include(unable, "was ever drilled")
      assert.include(unable, "its restore was not rehearsed, since the role holter may not create")
      assert.strictEqual(yield* warnings, "")
      yield* server.query("ALTER ROLE holter CREATEDB")
      yield* app(
        `CREATE FUNCTION f_base(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x';
        CREATE FUNCTION f_index(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT f_base(x)';
        CREATE INDEX by_f ON orders (f_index(id))`
      )
      const found = yield* warnings
      assert.match(found, /was ever drilled[^]*a restore of it needs --allow-incomplete: 1 that/)
      assert.match(found, /index by_f \(function f_base\(integer\) does not exist\)/)
      assert.strictEqual(yield* warnings, "")
    })
  )
})

describeWithServices("postgres", "A superuser's URL of PostgreSQL", () => {
  it.scopedLive("is warned of where others have tables, before a restore and by a drill", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const folder = yield* TempDir.make("superuser")
      const admin = yield* strategyOf(adminUrl(server))
      const told = (payload: ReturnType<typeof payloadOf>) =>
        Effect.gen(function* () {
          const planned = yield* admin.room?.(payload) ?? Effect.succeed([])
          const { warnings } = yield* admin.drill(payload, { onProgress: silent })
          return [planned.join("\n"), warnings.join("\n")]
        })
      yield* server.query(orders)
      for (const text of yield* told(yield* dump(admin, folder)))
        assert.notInclude(text, "superuser")
      yield* server.query("CREATE TABLE his (id int); ALTER TABLE his OWNER TO holter")
      for (const text of yield* told(yield* dump(admin, folder, "two"))) {
        assert.match(text, /is a superuser, and the database has objects of holter/)
        assert.include(text, "Use the URL of the role that owns the database, with CREATEDB")
        assert.notMatch(text, /(?:as|use|give|by) a superuser/i)
      }
      const owner = yield* strategyOf(server.url)
      assert.notInclude(
        (yield* owner.room?.(yield* dump(admin, folder, "3")) ?? Effect.succeed([])).join(),
        "superuser"
      )
    })
  )
})

if (Tmpfs.isPermitted()) {
  describeWithServices("postgres", "A full disk under a dump of PostgreSQL", () => {
    it.scopedLive("is told with sizes for people, and leaves nothing", () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer.make()
        const folder = yield* TempDir.make("full")
        const disk = path.join(folder, "disk")
        yield* Tmpfs.make(disk, "size=8m")
        const directory = path.join(disk, "b")
        mkdirSync(directory, { mode: 0o700 })
        // A hundred times more on the server's disk than in a dump.
        yield* server.query(
          `CREATE TABLE bloat AS SELECT g AS id, repeat('x', 1000) AS v FROM generate_series(1, 20000) g;
          DELETE FROM bloat WHERE id > 10; ALTER TABLE bloat OWNER TO holter`
        )
        const create = (minimumFree: number) =>
          Effect.provide(
            Effect.flatMap(Backup.Backup, (backup) => backup.create()),
            Backup.layer({ app: "Bot", minimumFree }).pipe(
              Layer.provide(BackupStore.layerDirectory({ path: directory })),
              Layer.provide(BackupStrategy.layerUrl(server.url)),
              Layer.provide(NodeContext.layer)
            )
          )
        const made = yield* create(0)
        assert.isAbove(made.manifest.dump.contentBytes, 8 * 1024 * 1024)
        // Beyond what there was before, nobody knows: it is tried.
        yield* server.query(
          `CREATE TABLE noise AS SELECT sha512(g::text::bytea) FROM generate_series(1, 300000) g; ALTER TABLE noise OWNER TO holter`
        )
        const files = readdirSync(directory)
        const full = yield* Effect.flip(create(0))
        assert.strictEqual(full.reason, "DiskFull", full.message)
        assert.notMatch(full.message, /\d{7}/)
        assert.deepStrictEqual(readdirSync(directory), files)
        const strategy = yield* strategyOf(server.url)
        const watched = yield* Effect.flip(
          strategy.dump(
            dumpOptions(directory, { path: path.join(directory, "x"), minimumFree: 50e6 })
          )
        )
        assert.strictEqual(watched.reason, "DiskFull")
        assert.match(
          watched.message,
          /room for the dump, and 50 MB that stay free beside it, found \d(\.\d)? MB free before it, and \d(\.\d)? MB by now/
        )
      })
    )
  })
}
