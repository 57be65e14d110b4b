import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { type PostgresInstance, PostgresServer } from "../../support/PostgresServer.js"
import * as ProcessTree from "../../support/ProcessTree.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import {
  adminUrl,
  dumpOptions,
  payloadOf,
  restoreOptions,
  silent,
  strategyOf
} from "./PostgresFixture.js"

const table = "CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000)"

const serve = Effect.fn(function* (sql: string = table) {
  const server = yield* PostgresServer.make()
  yield* server.query("ALTER ROLE holter CREATEDB")
  yield* Effect.scoped(Effect.flatMap(server.session(), (app) => app.query(sql)))
  return { server, folder: yield* TempDir.make("backup") }
})

/** Keeps a dump from ending, as long as the scope is open. */
const lock = (server: PostgresInstance) =>
  Effect.gen(function* () {
    const app = yield* server.session()
    yield* app.query("BEGIN")
    yield* app.query("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    return app
  })

/** Processes of this name, by their command lines. */
const running = (name: string) =>
  Effect.promise(async () => {
    const pids = (await fs.readdir("/proc")).filter((entry) => /^\d+$/.test(entry))
    const found = await Promise.all(
      pids.map(async (pid) => ({
        pid: Number(pid),
        command: await fs.readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
      }))
    )
    return found.filter(({ command }) => command.split("\0")[0]?.endsWith(name))
  })

/** pg_dump of this server, once it waits for the lock. */
const waiting = (server: PostgresInstance) =>
  server
    .query(
      "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND query LIKE 'LOCK TABLE%'"
    )
    .pipe(
      Effect.repeat({ schedule: Schedule.spaced("20 millis"), until: (rows) => rows.length > 0 }),
      Effect.zipRight(running("pg_dump")),
      Effect.map((all) => all.filter(({ command }) => command.includes(`port='${server.port}'`))),
      // Never process 0: a signal to it goes to the tests' own group.
      Effect.flatMap((found) => Effect.fromNullable(found.length === 1 ? found[0] : undefined)),
      Effect.orDie
    )

describeWithServices("postgres", "Dumps of PostgreSQL that go wrong", () => {
  it.scopedLive("the password is on no command line, and an interruption ends pg_dump", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* serve()
      yield* lock(server)
      const strategy = yield* strategyOf(server.url)
      const fiber = yield* Effect.fork(strategy.dump(dumpOptions(folder)))
      const dump = yield* waiting(server)
      const everything = yield* running("")
      for (const form of [server.password, encodeURIComponent(server.password)]) {
        assert.deepStrictEqual(
          everything.filter(({ command }) => command.includes(form)),
          []
        )
      }
      const environment = yield* Effect.promise(() =>
        fs.readFile(`/proc/${dump.pid}/environ`, "utf8")
      )
      assert.include(environment, `PGPASSWORD=${server.password}`)
      const stat = yield* Effect.promise(() => fs.readFile(`/proc/${dump.pid}/stat`, "utf8"))
      assert.strictEqual(stat.slice(stat.lastIndexOf(")")).split(" ")[17], "10")
      yield* Fiber.interrupt(fiber)
      assert.isFalse(ProcessTree.isAlive(dump.pid))
    })
  )

  it.scopedLive("a pg_dump that does not listen is killed, with its workers", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* serve()
      yield* lock(server)
      const strategy = yield* strategyOf(server.url, { jobs: 2 })
      const fiber = yield* Effect.fork(strategy.dump(dumpOptions(folder)))
      const dump = yield* waiting(server)
      const family = ProcessTree.descendants(dump.pid)
      yield* ProcessTree.pause(dump.pid)
      yield* Fiber.interrupt(fiber)
      assert.isFalse(ProcessTree.isAlive(dump.pid))
      assert.deepStrictEqual(family.filter(ProcessTree.isAlive), [])
    })
  )

  it.scopedLive("a server that vanishes in the middle is Unreachable", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* serve()
      yield* lock(server)
      for (const jobs of [1, 2]) {
        const strategy = yield* strategyOf(server.url, { jobs })
        const fiber = yield* Effect.fork(
          Effect.flip(strategy.dump(dumpOptions(folder, { path: path.join(folder, `${jobs}`) })))
        )
        yield* waiting(server)
        yield* server.stop
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error.reason, "Unreachable", error.message)
        const later = yield* Effect.flip(strategy.estimate)
        assert.strictEqual(later.reason, "Unreachable")
        assert.include(later.message, "connection refused")
        yield* server.start
        yield* lock(server)
      }
      assert.deepStrictEqual((yield* Effect.promise(() => fs.readdir(folder))).sort(), ["1", "2"])
    })
  )

  it.scopedLive("a table that stays locked is Busy", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* serve()
      yield* lock(server)
      const strategy = yield* strategyOf(server.url, { lockWait: "300 millis" })
      const error = yield* Effect.flip(strategy.dump(dumpOptions(folder)))
      assert.strictEqual(error.reason, "Busy")
    })
  )

  it.scopedLive("row-level security and tables of others: told, and not dumped in part", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* serve()
      yield* server.query(
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t OWNER TO postgres; GRANT ALL ON t TO holter"
      )
      const strategy = yield* strategyOf(server.url)
      const secured = yield* Effect.flip(strategy.dump(dumpOptions(folder)))
      assert.strictEqual(secured.reason, "NotPermitted")
      assert.include(secured.message, "BYPASSRLS")
      yield* server.query("ALTER TABLE t DISABLE ROW LEVEL SECURITY; REVOKE ALL ON t FROM holter")
      const foreign = yield* Effect.flip(
        strategy.dump(dumpOptions(folder, { path: path.join(folder, "again") }))
      )
      assert.strictEqual(foreign.reason, "NotPermitted")
      assert.include(foreign.message, "permission denied for table t")
    })
  )

  it.scopedLive("tools that are missing, too old or broken are told before any work", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* serve()
      const tools = (directory: string) =>
        Effect.flatMap(strategyOf(server.url, { toolDirectories: [directory] }), (strategy) =>
          Effect.flip(strategy.dump(dumpOptions(folder)))
        )
      const major = /^\d+/.exec(server.version)?.[0]
      const missing = yield* tools(folder)
      assert.strictEqual(missing.reason, "ToolMissing")
      assert.include(missing.message, `postgresql-client-${major}`)
      const script = (text: string) =>
        Effect.promise(() =>
          fs.writeFile(path.join(folder, "pg_dump"), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
        )
      yield* script("echo 'pg_dump (PostgreSQL) 9.6.1'")
      const old = yield* tools(folder)
      assert.strictEqual(old.reason, "ToolTooOld")
      assert.include(old.message, "pg_dump (PostgreSQL) 9.6.1")
      assert.include(old.message, `postgresql-client-${major}`)
      assert.deepStrictEqual(yield* Effect.promise(() => fs.readdir(folder)), ["pg_dump"])

      yield* script(`[ "$1" = --version ] && echo 'pg_dump (PostgreSQL) ${major}.1'; exit 0`)
      const noReader = yield* tools(folder)
      assert.strictEqual(noReader.reason, "ToolMissing")
      assert.include(noReader.message, "pg_restore")
      assert.deepStrictEqual(yield* Effect.promise(() => fs.readdir(folder)), ["pg_dump"])

      yield* Effect.promise(() =>
        fs.writeFile(
          path.join(folder, "pg_restore"),
          `#!/bin/sh\necho 'pg_restore (PostgreSQL) ${major}.1'\n`,
          { mode: 0o755 }
        )
      )
      const empty = yield* tools(folder)
      assert.strictEqual(empty.reason, "ToolFailed")
      assert.include(empty.message, "an empty file")
      yield* Effect.promise(() => fs.rm(path.join(folder, "backup.dump")))
      yield* script(
        `[ "$1" = --version ] && { echo 'pg_dump (PostgreSQL) ${major}.1'; exit 0; }
        echo "pg_dump: error: no luck with '$PGPASSWORD'" >&2; exit 1`
      )
      const failed = yield* tools(folder)
      assert.strictEqual(failed.reason, "ToolFailed")
      assert.include(failed.message, "no luck with '<redacted>'")
      assert.notInclude(JSON.stringify(failed), server.password)
    })
  )

  it.scopedLive("a wrong password and an unknown host say so, without it", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* serve()
      const wrong = yield* strategyOf(server.urlWith({ password: "wr%ng-p@ssword" }))
      const refused = yield* Effect.flip(wrong.dump(dumpOptions(folder)))
      assert.strictEqual(refused.reason, "AuthFailed")
      assert.notInclude(JSON.stringify(refused), "wr%ng-p@ssword")
    })
  )
})

describeWithServices("postgres", "PostgreSQL databases of all kinds", () => {
  const odd = `host=evil 'x' \\ "y" =z ${"long ".repeat(7)}`
  it.scopedLive(
    "a name that looks like a connection string, over TCP and a socket, by 1 and 2",
    () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer.make({ database: odd.trim() })
        const database = odd.trim()
        yield* server.query(`ALTER ROLE holter CREATEDB; ${table}; ALTER TABLE t OWNER TO holter`)
        const folder = yield* TempDir.make("backup")
        for (const [index, url] of [server.url, server.socketUrl].entries()) {
          const strategy = yield* strategyOf(url, { jobs: index + 1 })
          const wanted = dumpOptions(folder, { path: path.join(folder, `${index}`) })
          const dump = yield* strategy.dump(wanted)
          assert.strictEqual(dump.database.name, database)
          assert.deepStrictEqual(dump.tables, [{ name: "public.t", rows: 1000 }])
          const payload = payloadOf(wanted.path, dump)
          yield* strategy.drill(payload, { onProgress: silent })
          yield* strategy.restore(payload, restoreOptions)
          const [aside, ...others] = yield* strategy.setAside
          assert.deepStrictEqual(others, [])
          assert.isAtMost(Buffer.byteLength(aside?.name ?? ""), 63)
          yield* strategy.dropSetAside(aside?.name ?? "")
        }
      })
  )

  it.scopedLive("foreign tables, extension tables, temporary tables, parameters of drivers", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* serve()
      yield* server.query(
        `CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
        CREATE FOREIGN TABLE elsewhere (id int) SERVER far;
        CREATE EXTENSION pg_stat_statements;
        CREATE TABLE member (id int); INSERT INTO member SELECT generate_series(1, 10);
        CREATE EXTENSION pg_trgm; ALTER EXTENSION pg_trgm ADD TABLE member`
      )
      const app = yield* server.session()
      yield* app.query("CREATE TEMPORARY TABLE scratch (id int)")
      const strategy = yield* strategyOf(
        adminUrl(server) +
          "?prepared_statement_cache_size=0&application_name=bot&connect_timeout=7&options=-c%20statement_timeout%3D30"
      )
      const wanted = dumpOptions(folder)
      const dump = yield* strategy.dump(wanted)
      assert.deepStrictEqual(dump.tables, [{ name: "public.t", rows: 1000 }])
      yield* strategy.drill(payloadOf(wanted.path, dump), { onProgress: silent })

      // As pg_extension_config_dump does in an extension's script.
      yield* server.query(`UPDATE pg_extension SET extconfig = ARRAY['member'::regclass::oid],
        extcondition = ARRAY['WHERE id > 6'] WHERE extname = 'pg_trgm'`)
      const again = yield* strategy.dump({ ...wanted, path: `${wanted.path}.again` })
      assert.deepStrictEqual(again.tables, [
        { name: "public.member", rows: 4 },
        { name: "public.t", rows: 1000 }
      ])
    })
  )

  it.scopedLive("a standby is dumped without unlogged rows, and not restored", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make({ standby: true })
      const strategy = yield* strategyOf(server.url)
      const wanted = dumpOptions(yield* TempDir.make("backup"))
      const dump = yield* strategy.dump(wanted)
      assert.lengthOf(dump.warnings, 1)
      const payload = payloadOf(wanted.path, dump)
      const refused = yield* Effect.flip(strategy.restore(payload, restoreOptions))
      assert.strictEqual(refused.reason, "NotPermitted")
      const drill = yield* Effect.flip(strategy.drill(payload, { onProgress: silent }))
      assert.strictEqual(drill.reason, "NotPermitted")
    })
  )
})
