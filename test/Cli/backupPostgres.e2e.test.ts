/** `holter backup` on a real PostgreSQL server, from a shell. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Schedule, Scope } from "effect"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import { PostgresServer } from "../support/PostgresServer.js"
import { describeConcurrentWithServices } from "../support/Services.js"
import * as TempDir from "../support/TempDir.js"
import * as Bot from "./backup.js"

/** What must be seen nowhere: the password as it is, and as it stands in URLs. */
const passwords = ["p@ss%w/rd :x", encodeURIComponent("p@ss%w/rd :x"), "p@ss", "p%40ss"]

const well = (result: Cli.CliResult) =>
  assert.strictEqual(result.code, 0, `${result.stdout}${result.stderr}`)

const hidden = (...texts: ReadonlyArray<string>) => {
  for (const text of texts) for (const password of passwords) assert.notInclude(text, password)
}

/** A bot on a server of its own, its user the owner of the database and allowed to make others. */
const makeBot = (users = 1000) =>
  Effect.gen(function* () {
    const server = yield* PostgresServer.make()
    yield* server.query(`ALTER ROLE ${server.user} CREATEDB`)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const session = yield* server.session("app")
        yield* session.query("CREATE TABLE users (id int PRIMARY KEY, name text)")
        yield* session.query(
          `INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, ${users}) i`
        )
      })
    )
    const cwd = yield* TempDir.make("bot")
    const env = { DATABASE_URL: server.url }
    const count = Effect.scoped(
      Effect.gen(function* () {
        const session = yield* server.session("app")
        const rows = yield* session.query<{ readonly n: number }>(
          "SELECT count(*)::int n FROM users"
        )
        return rows[0]?.n
      })
    )
    const change = (sql: string) =>
      Effect.scoped(Effect.flatMap(server.session("app"), (session) => session.query(sql)))
    const holter = (...args: ReadonlyArray<string>) =>
      Effect.scoped(Cli.run(["backup", ...args], { cwd, env, timeout: "1 minute" })).pipe(
        Effect.tap(({ stderr, stdout }) => Effect.sync(() => hidden(stdout, stderr)))
      )
    return { server, cwd, env, backups: path.join(cwd, "backups"), count, change, holter }
  })

describeConcurrentWithServices("postgres", "holter backup on PostgreSQL", () => {
  it.scopedLive("takes the password of .pgpass, and says nothing on standard error", () =>
    Effect.gen(function* () {
      const { cwd, env, server } = yield* makeBot()
      const home = yield* TempDir.make("home")
      const escaped = server.password.replaceAll(/([:\\])/g, "\\$1")
      writeFileSync(path.join(home, ".pgpass"), `*:*:*:${server.user}:${escaped}\n`, {
        mode: 0o600
      })
      const DATABASE_URL = `postgresql://${server.user}@127.0.0.1:${server.port}/${server.database}`
      for (const command of ["create", "drill"]) {
        const result = yield* Cli.run(["backup", command], {
          cwd,
          env: { ...env, DATABASE_URL, HOME: home },
          timeout: "1 minute"
        })
        well(result)
        if (command === "drill") assert.strictEqual(result.stderr, "")
        assert.notMatch(result.stderr, /deprecat|warning/i)
      }
    })
  )

  it.scopedLive("creates, lists, verifies, drills, restores, and takes the restore back", () =>
    Effect.gen(function* () {
      const { backups, change, count, cwd, env, holter, server } = yield* makeBot()
      const created = yield* holter("create")
      well(created)
      assert.match(
        created.stdout,
        /✅ Backed up holter \(postgresql\) as holter_postgresql_\S+\.dump/
      )
      assert.include(created.stdout, "1 table, 1,000 rows, verified")
      const [made = ""] = Bot.names(backups)
      assert.strictEqual(Bot.mode(backups), 0o700)
      assert.strictEqual(Bot.mode(path.join(backups, made)), 0o600)
      for (const name of readdirSync(backups)) {
        hidden(name, readFileSync(path.join(backups, name), "latin1"))
      }

      well(yield* holter("list"))
      well(yield* holter("verify", "--all"))
      // Without the server too: what is read is the file.
      well(yield* Cli.run(["backup", "verify", path.join("backups", made)], { cwd }))
      assert.include((yield* holter("drill")).stdout, `${made} restores: 1 table, 1,000 rows`)

      yield* change("DELETE FROM users WHERE id > 5")
      const plan = yield* holter("restore", "--latest", "--dry-run")
      well(plan)
      assert.match(plan.stdout, /into +holter \(postgresql\) at 127\.0\.0\.1:\d+/)
      assert.strictEqual(yield* count, 5)
      const restored = yield* holter("restore", "--latest", "--yes")
      well(restored)
      assert.strictEqual(yield* count, 1000)
      const aside = /the database of before is (\S+)/.exec(restored.stdout)?.[1] ?? ""
      assert.match(aside, /^holter_pre_restore_/)
      const listed = yield* holter("list")
      assert.include(listed.stdout, "Set aside by a restore")
      assert.include(listed.stdout, aside)
      const undo = /--backup-file (\S+)/.exec(restored.stdout)?.[1] ?? ""
      well(yield* holter("restore", "--backup-file", undo, "--yes"))
      assert.strictEqual(yield* count, 5)

      // Also in what a restore and a drill wrote, the manifests among it.
      for (const name of readdirSync(backups)) {
        hidden(name, readFileSync(path.join(backups, name), "latin1"))
      }

      // Down, it still lists the files, and says what it cannot say.
      yield* server.stop
      const down = yield* Cli.run(["backup", "list"], { cwd, env })
      well(down)
      assert.include(down.stdout, made)
      assert.match(down.stderr, /set aside cannot be listed/)
      const failed = yield* holter("create", "--json")
      assert.strictEqual(failed.code, 1)
      assert.nestedInclude(Bot.documentOf(failed), { "error.reason": "Unreachable" })
    })
  )

  it.scopedLive("shows a password nowhere, also one that is wrong or on the command line", () =>
    Effect.gen(function* () {
      const { cwd, env, holter, server } = yield* makeBot(1)
      well(yield* holter("create"))
      const wrong = server.urlWith({ password: "wr0ng p@ss%/canary" })
      for (const args of [
        ["create", "--database-url", wrong],
        ["create", "--database-url", wrong, "--json"],
        ["restore", "--latest", "--yes", "--database-url", wrong],
        ["drill", "--database-url", wrong],
        ["create", "--nope", wrong],
        ["create", wrong]
      ]) {
        const result = yield* Cli.run(["backup", ...args], { cwd, env })
        assert.notStrictEqual(result.code, 0)
        assert.notMatch(result.stdout + result.stderr, /wr0ng|canary/, args.join(" "))
      }
    })
  )

  /** Up to the renaming, which a session that the bot's user may not end holds up. */
  const renaming = Effect.fn(function* () {
    const bot = yield* makeBot(100)
    well(yield* bot.holter("create"))
    yield* bot.change("DELETE FROM users WHERE id > 5")
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const admin = yield* Scope.extend(bot.server.session("admin"), scope)
    const started = yield* Cli.start(["backup", "restore", "--latest", "--yes"], bot)
    yield* admin
      .query("SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'BEGIN%RENAME%'")
      .pipe(
        Effect.repeat({
          schedule: Schedule.spaced("10 millis"),
          until: (found) => found.length > 0
        })
      )
    yield* started.signal("SIGTERM")
    return { ...bot, started, leave: Scope.close(scope, Exit.void) }
  })

  it.scopedLive(
    "is 143 after SIGTERM in the renaming, and says that it is done, and where what is",
    () =>
      Effect.gen(function* () {
        const { backups, count, holter, leave, started } = yield* renaming()
        yield* leave
        const result = yield* started.exit
        assert.deepInclude(result, { code: 143, stdout: "" })
        assert.strictEqual(yield* count, 100)
        assert.match(
          result.stderr,
          /^Interrupted after the restore was done: holter \(postgresql\)/m
        )
        const [saved = ""] = Bot.names(backups).filter((name) => name.includes("_pre_restore_"))
        assert.include(result.stderr, `what was there before is saved as ${saved}`)
        const aside = /the database of before is (\S+)/.exec(result.stderr)?.[1] ?? "none"
        const listed = yield* holter("list")
        assert.include(listed.stdout, aside)
        assert.match(listed.stdout, new RegExp(`verified +${saved}`))
        const undo = /holter backup (restore --backup-file \S+)/.exec(result.stderr)?.[1] ?? ""
        well(yield* holter(...undo.split(" "), "--yes"))
        assert.strictEqual(yield* count, 5)
      })
  )

  it.scopedLive(
    "is 143 after SIGTERM in a renaming that fails, and says that nothing was restored",
    () =>
      Effect.gen(function* () {
        const { count, leave, started } = yield* renaming()
        const result = yield* started.exit
        yield* leave
        assert.deepInclude(result, { code: 143, stdout: "" })
        assert.match(result.stderr, /^Interrupted, and the restore failed: .*others: postgres/m)
        assert.match(result.stderr, /holter backup restore --backup-file \S+_pre_restore_/)
        assert.strictEqual(yield* count, 5)
      }),
    60_000
  )

  it.scopedLive("dumps several tables at once where the file says so, into a directory", () =>
    Effect.gen(function* () {
      const { backups, change, count, cwd, env, holter } = yield* makeBot(500)
      const files = { "holter.config.yaml": "name: My Bot\nbackup: { jobs: 2, level: 3 }\n" }
      well(yield* Cli.run(["backup", "create"], { cwd, env, files }))
      const [made = ""] = Bot.names(backups)
      assert.match(made, /^my_bot_postgresql_/)
      assert.strictEqual(Bot.mode(path.join(backups, made)), 0o700)
      well(yield* holter("verify", "--all"))
      yield* change("DELETE FROM users")
      well(yield* holter("restore", "--latest", "--yes"))
      assert.strictEqual(yield* count, 500)
    })
  )

  it.scopedLive("writes what pg_restore reads, and restores what pg_dump wrote", () =>
    Effect.gen(function* () {
      const { backups, change, count, cwd, holter, server } = yield* makeBot(300)
      well(yield* holter("create"))
      const [made = ""] = Bot.names(backups)
      const login = `PGPASSWORD='${server.password}' PGHOST=${server.host} PGPORT=${server.port} PGUSER=${server.user}`
      Bot.shell(
        `${login} createdb copy && ${login} pg_restore --exit-on-error --no-owner -d copy backups/${made}`,
        cwd
      )
      const copied = Bot.shell(`${login} psql -Atd copy -c 'select count(*) from users'`, cwd)
      assert.strictEqual(copied, "300\n")

      // As the Python script did.
      const old = "dmarket_bot_postgresql_20251211_120000_123.dump"
      Bot.shell(`${login} pg_dump -Fc -f backups/${old} ${server.database}`, cwd)
      yield* change("DELETE FROM users")
      const restored = yield* holter("restore", "--backup-file", old, "--yes")
      well(restored)
      assert.include(restored.stderr, "no manifest")
      assert.strictEqual(yield* count, 300)
    })
  )

  for (const gone of ["a table's file", "its directory"]) {
    it.scopedLive(`sets a database aside that cannot be read, where it may: ${gone} is gone`, () =>
      Effect.gen(function* () {
        const { count, holter, server } = yield* makeBot(100)
        well(yield* holter("create"))
        const [at] = yield* server.query<{ readonly file: string; readonly base: string }>(
          `SELECT pg_relation_filepath('users') AS file,
            'base/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS base`
        )
        yield* server.query("CHECKPOINT")
        yield* server.stop
        const name = gone === "its directory" ? at?.base : at?.file
        rmSync(path.join(server.dataDir, name ?? "missing"), { recursive: true })
        yield* server.start
        const refused = yield* holter("restore", "--latest", "--yes", "--json")
        assert.strictEqual(refused.code, 1)
        assert.nestedInclude(Bot.documentOf(refused), { "error.reason": "Damaged" })
        assert.include(refused.stdout, "--replace-damaged")
        const restored = yield* holter("restore", "--latest", "--yes", "--replace-damaged")
        well(restored)
        assert.match(restored.stdout, /the database of before is holter_pre_restore_/)
        assert.match(restored.stderr, /aside/)
        assert.strictEqual(yield* count, 100)
      })
    )
  }

  it.scopedLive("refuses a backup of SQLite", () =>
    Effect.gen(function* () {
      const sqlite = yield* Bot.make(5)
      well(yield* sqlite.holter("create"))
      const [made = ""] = Bot.names(sqlite.backups)
      const { count, holter } = yield* makeBot(10)
      const file = path.join(sqlite.backups, made)
      const result = yield* holter("restore", "--backup-file", file, "--yes", "--json")
      assert.strictEqual(result.code, 1)
      assert.nestedInclude(Bot.documentOf(result), { "error.reason": "WrongEngine" })
      assert.strictEqual(yield* count, 10)
    })
  )
})
