/** `holter backup` on SQLite, from a shell, as an operator would use it. */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect, Fiber } from "effect"
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as ProcessTree from "../support/ProcessTree.js"
import * as Bot from "./backup.js"

const ansi = /\u001b/
const backupName = /dmarket_bot_sqlite_\d{8}_\d{6}_\d{3}\.db\.gz/

const well = (result: Cli.CliResult) =>
  assert.strictEqual(result.code, 0, `${result.stdout}${result.stderr}`)

describe.concurrent("holter backup, round trip", () => {
  it.scopedLive(
    "creates, lists, verifies, drills, restores, and takes the restore back",
    () =>
      Effect.gen(function* () {
        const { backups, cwd, file, holter } = yield* Bot.make(1000)
        const created = yield* holter("create")
        well(created)
        assert.isEmpty(created.stderr)
        assert.notMatch(created.stdout, ansi)
        assert.match(
          created.stdout,
          /✅ Backed up dmarket_bot\.db \(sqlite\) as dmarket_bot_sqlite_/
        )
        assert.match(created.stdout, /1 table, 1,000 rows, verified, in [\d.]+ m?s/)
        const [made = ""] = backupName.exec(created.stdout) ?? []
        assert.deepStrictEqual(Bot.names(backups), [made])
        assert.strictEqual(Bot.mode(backups), 0o700)
        assert.strictEqual(Bot.mode(path.join(backups, made)), 0o600)
        assert.strictEqual(Bot.mode(path.join(backups, `${made}.manifest.json`)), 0o600)

        const listed = yield* holter("list")
        well(listed)
        assert.match(listed.stdout, /^✅ .*: 1 backup, the newest from (just now|\d+s ago)\n/)
        assert.match(listed.stdout, new RegExp(` 1 +1,000 +verified +${made}`))

        well(yield* holter("verify", "--deep"))
        const drilled = yield* holter("drill", made)
        well(drilled)
        assert.include(drilled.stdout, `${made} restores: 1 table, 1,000 rows`)
        assert.match((yield* holter("list")).stdout, /drilled (just now|\d+s ago)/)

        Bot.write(file, 5)
        const plan = yield* holter("restore", "--latest", "--dry-run")
        well(plan)
        assert.include(plan.stdout, `Restore of ${made}`)
        assert.match(plan.stdout, /there now .* saved first as dmarket_bot_pre_restore_sqlite_/)
        assert.strictEqual(Bot.count(file), 5)
        assert.lengthOf(Bot.names(backups), 1)

        const restored = yield* holter("restore", "--latest", "--yes")
        well(restored)
        assert.strictEqual(Bot.count(file), 1000)
        const undo = /holter backup restore --backup-file (\S+)/.exec(restored.stdout)?.[1] ?? ""
        assert.match(undo, /^dmarket_bot_pre_restore_sqlite_/)
        const after = yield* holter("list")
        assert.include(after.stdout, "Made before a restore")
        assert.include(after.stdout, undo)
        well(yield* holter("restore", "--backup-file", undo, "--yes"))
        assert.strictEqual(Bot.count(file), 5)
        // A path is as good as a name.
        well(yield* holter("restore", "--backup-file", path.join("backups", made), "--yes"))
        assert.strictEqual(Bot.count(file), 1000)
        assert.strictEqual(
          Bot.shell("sqlite3 dmarket_bot.db 'pragma integrity_check'", cwd),
          "ok\n"
        )
      }),
    120_000
  )

  it.scopedLive("keeps the last ones, and says what would go before it goes", () =>
    Effect.gen(function* () {
      const { backups, holter } = yield* Bot.make(10)
      for (const _ of [1, 2, 3]) well(yield* holter("create"))
      assert.lengthOf(Bot.names(backups), 3)
      const dry = yield* holter("prune", "--keep", "2", "--dry-run")
      well(dry)
      assert.match(
        dry.stdout,
        /would remove {2}dmarket_bot_sqlite_.*\n(would keep .*\n){2}✅ Would remove 1, would keep 2/
      )
      assert.lengthOf(Bot.names(backups), 3)
      well(yield* holter("create", "--keep", "2"))
      assert.lengthOf(Bot.names(backups), 2)
      well(yield* holter("prune", "--keep", "1"))
      assert.lengthOf(Bot.names(backups), 1)
    })
  )

  it.scopedLive("takes the flags and the variables of the Python script", () =>
    Effect.gen(function* () {
      const { cwd, env } = yield* Bot.make(10)
      const flags = ["--backup-dir", "kept here", "--keep", "14", "--no-compress"]
      const made = yield* Cli.run(["backup", "create", ...flags], { cwd, env })
      well(made)
      const [plain = ""] = Bot.names(path.join(cwd, "kept here"))
      assert.match(plain, /^dmarket_bot_sqlite_\d{8}_\d{6}_\d{3}\.db$/)
      assert.strictEqual(Bot.count(path.join(cwd, "kept here", plain)), 10)
      const byVariable = { ...env, HOLTER_BACKUP_DIR: "kept here", HOLTER_NAME: "Other Bot" }
      const list = yield* Cli.run(["backup", "list"], { cwd, env: byVariable })
      assert.include(list.stdout, plain)
      Bot.write(path.join(cwd, "dmarket_bot.db"), 5)
      const place = ["--backup-dir", "kept here", "--database-url", env.DATABASE_URL]
      const restored = yield* Cli.run(["backup", "restore", "--latest", "--yes", ...place], { cwd })
      well(restored)
      const undo = /holter backup restore .*/.exec(restored.stdout)?.[0] ?? ""
      assert.match(undo, /^.* --backup-file \S+ --backup-dir 'kept here' --database-url \.\.\.$/)
      well(yield* Cli.run(["backup", "create"], { cwd, env: byVariable }))
      assert.match(Bot.names(path.join(cwd, "kept here")).join(), /other_bot_sqlite_/)
    })
  )

  it.scopedLive(
    "copies to other directories, and is 1 where one of them is not there",
    () =>
      Effect.gen(function* () {
        const { backups, cwd, env } = yield* Bot.make(10)
        mkdirSync(path.join(cwd, "mounted"))
        const files = {
          "holter.config.yaml":
            "backup:\n  stores:\n    - { type: directory, path: mounted }\n    - { type: directory, path: unmounted }\n"
        }
        const result = yield* Cli.run(["backup", "create"], { cwd, env, files })
        assert.strictEqual(result.code, 1)
        assert.include(result.stdout, "✅ Backed up")
        assert.include(result.stdout, `copied to directory ${path.join(cwd, "mounted")}`)
        assert.match(result.stderr, /^❌ No copy in directory [^\n]*unmounted[^\n]*\n$/)
        assert.deepStrictEqual(Bot.names(path.join(cwd, "mounted")), Bot.names(backups))
        for (const args of [["--dry-run"], ["--json"]]) {
          const pruned = yield* Cli.run(["backup", "prune", ...args], { cwd, env })
          assert.strictEqual(pruned.code, 1)
          assert.match(pruned.stderr, /^❌ Nothing pruned in directory [^\n]*unmounted/)
          if (args[0] === "--dry-run") continue
          const [mounted, unmounted] = Bot.documentOf(pruned)["copies"] as ReadonlyArray<object>
          assert.nestedInclude(mounted, { error: null })
          assert.nestedInclude(unmounted, { "error.reason": "StoreFailed" })
        }
      }),
    60_000
  )
})

describe.concurrent("holter backup --json", () => {
  it.scopedLive(
    "is one document of every command",
    () =>
      Effect.gen(function* () {
        const { file, holter } = yield* Bot.make(100)
        const document = (...args: ReadonlyArray<string>) =>
          Effect.map(holter(...args, "--json"), (result) => {
            well(result)
            if (args[1] !== "--latest" || args[2] !== "--yes") assert.isEmpty(result.stderr)
            return Bot.documentOf(result)
          })
        const created = yield* document("create")
        assert.containsAllKeys(created, [
          "name",
          "store",
          "manifest",
          "copies",
          "pruned",
          "warnings"
        ])
        assert.nestedInclude(created, { "manifest.dump.tables[0].rows": 100 })
        const listed = yield* document("list")
        assert.nestedInclude(listed, {
          "backups[0].name": created["name"],
          "backups[0].purpose": "backup",
          "backups[0].problem": null,
          "backups[0].manifest.version": 1
        })
        assert.deepNestedInclude(yield* document("verify", "--all"), {
          backups: [{ name: created["name"], ok: true, error: null, warnings: [] }]
        })
        assert.deepInclude(yield* document("drill"), { name: created["name"] })
        const plan = yield* document("restore", "--latest", "--dry-run")
        assert.nestedInclude(plan, { name: created["name"], "present.state": "readable" })
        Bot.write(file, 1)
        const restored = yield* document("restore", "--latest", "--yes")
        assert.deepInclude(restored, { tables: [{ name: "users", rows: 100 }], set_aside: null })
        assert.deepInclude(yield* document("prune"), { dry_run: false, removed: [] })
      }),
    120_000
  )

  it.scopedLive("has the failure too, with what to do", () =>
    Effect.gen(function* () {
      const { file, holter } = yield* Bot.make(10)
      rmSync(file)
      const result = yield* holter("create", "--json")
      assert.strictEqual(result.code, 1)
      assert.nestedInclude(Bot.documentOf(result), { "error.reason": "Missing" })
      assert.match(result.stderr, /^holter: .*expected .*found/)
    })
  )
})

describe.concurrent("holter backup restore, while somebody writes", () => {
  it.scopedLive(
    "gives up before anything is saved or changed, and works once the lock is gone",
    () =>
      Effect.gen(function* () {
        const { backups, file, holter } = yield* Bot.make(10)
        well(yield* holter("create"))
        Bot.write(file, 5)
        // A writer keeps the lock that a restore needs, and a backup does not.
        const writer = yield* Effect.acquireRelease(
          Effect.sync(() => new Sqlite(file)),
          (database) => Effect.sync(() => database.close())
        )
        writer.exec("BEGIN IMMEDIATE; INSERT INTO users VALUES (1000, 'ann')")
        const saved = () => Bot.names(backups).filter((name) => name.includes("_pre_restore_"))
        const result = yield* holter("restore", "--latest", "--yes", "--json")
        assert.strictEqual(result.code, 1)
        assert.nestedInclude(Bot.documentOf(result), { "error.reason": "Busy" })
        assert.notNestedProperty(Bot.documentOf(result), "error.pre_restore")
        assert.isEmpty(saved())
        writer.exec("ROLLBACK")
        assert.strictEqual(Bot.count(file), 5)
        const done = yield* holter("restore", "--latest", "--yes")
        well(done)
        assert.lengthOf(saved(), 1)
        assert.match(done.stderr, new RegExp(`^The present content is saved as ${saved()[0]}`))
        assert.strictEqual(Bot.count(file), 10)
      }),
    60_000
  )
})

describe.concurrent("holter backup, wrong usage", () => {
  for (const args of [
    ["restore"],
    ["restore", "--latest", "--backup-file", "x"],
    ["restore", "--backup-file"],
    ["restore", "--backup-file", "", "--yes"],
    ["restore", "--latest"],
    ["verify", "x", "--all"],
    ["create", "--keep", "0"],
    ["create", "--keep", "many"],
    ["create", "--backup-dir", ""],
    ["create", "--database-url", "mongodb://bot:canary-password@h/d"],
    ["create", "postgresql://bot:canary-password@h/d"],
    ["create", "--nope"],
    ["nope"]
  ]) {
    it.scopedLive(`is 64 for ${args.join(" ")}`, () =>
      Effect.gen(function* () {
        const { backups, holter } = yield* Bot.make(1)
        const result = yield* holter(...args)
        assert.strictEqual(result.code, 64, result.stderr)
        assert.isEmpty(result.stdout)
        assert.isNotEmpty(result.stderr)
        assert.notInclude(result.stderr, "canary")
        assert.throws(() => Bot.names(backups), "ENOENT")
      })
    )
  }

  it.scopedLive("is 78 where no database is configured, and says all the ways to do it", () =>
    Effect.gen(function* () {
      for (const args of [["create"], ["drill"], ["restore", "--latest", "--yes"], ["prune"]]) {
        const result = yield* Cli.run(["backup", ...args])
        assert.strictEqual(result.code, 78, result.stderr)
        assert.match(result.stderr, /DATABASE_URL.*backup\.url.*--database-url/)
        assert.isEmpty(result.stdout)
      }
    })
  )

  it.scopedLive("lists and verifies without a database", () =>
    Effect.gen(function* () {
      const { cwd, holter } = yield* Bot.make(10)
      well(yield* holter("create"))
      for (const args of [["list"], ["verify"], ["verify", "--all"]]) {
        well(yield* Cli.run(["backup", ...args], { cwd }))
      }
      const foreign = { DATABASE_URL: "mysql://bot:canary-password@h/d" }
      well(yield* Cli.run(["backup", "list"], { cwd, env: foreign }))
      const none = yield* Cli.run(["backup", "list"])
      assert.strictEqual(none.code, 0)
      assert.match(none.stdout, /no backup that could be restored/)
    })
  )
})

describe.concurrent("holter backup restore, asking", () => {
  const asked = (answer: string) =>
    Effect.gen(function* () {
      const bot = yield* Bot.make(100)
      well(yield* bot.holter("create"))
      Bot.write(bot.file, 5)
      const started = yield* Cli.startPty(["backup", "restore", "--latest"], bot)
      yield* started.awaitStdout(/Type "yes" to restore it: /)
      assert.strictEqual(Bot.count(bot.file), 5)
      yield* started.type(answer)
      const result = yield* started.exit
      return { bot, result }
    })

  it.scopedLive("shows the plan, and restores after yes", () =>
    Effect.gen(function* () {
      const { bot, result } = yield* asked("yes\n")
      well(result)
      assert.match(result.stdout, /Restore of dmarket_bot_sqlite_/)
      assert.include(result.stdout, "✅ Restored")
      assert.strictEqual(Bot.count(bot.file), 100)
    })
  )

  for (const [what, answer] of [
    ["no", "no\n"],
    ["nothing", "\n"],
    ["y, which is too little", "y\n"],
    ["the end of input", "\u0004"]
  ] as const) {
    it.scopedLive(`changes nothing after ${what}, and is 1`, () =>
      Effect.gen(function* () {
        const { bot, result } = yield* asked(answer)
        assert.strictEqual(result.code, 1, result.stdout)
        assert.include(result.stdout, "Nothing was changed.")
        assert.strictEqual(Bot.count(bot.file), 5)
        assert.lengthOf(Bot.names(bot.backups), 1)
      })
    )
  }

  it.scopedLive("changes nothing after Ctrl-C, and is 130", () =>
    Effect.gen(function* () {
      const { bot, result } = yield* asked("\u0003")
      assert.strictEqual(result.code, 130, result.stdout)
      assert.include(result.stdout, "Interrupted before anything was changed.")
      assert.strictEqual(Bot.count(bot.file), 5)
      assert.lengthOf(Bot.names(bot.backups), 1)
    })
  )

  it.scopedLive("does not read yes from a pipe", () =>
    Effect.gen(function* () {
      const { backups, cwd, env, file, holter } = yield* Bot.make(100)
      well(yield* holter("create"))
      Bot.write(file, 5)
      const result = yield* Cli.run(["backup", "restore", "--latest"], { cwd, env, stdin: "yes\n" })
      assert.strictEqual(result.code, 64)
      assert.match(result.stderr, /^holter: --yes: expected .*--dry-run/)
      assert.strictEqual(Bot.count(file), 5)
      assert.lengthOf(Bot.names(backups), 1)
    })
  )

  it.scopedLive("shows progress on a terminal, and leaves nothing of it on the last line", () =>
    Effect.gen(function* () {
      const bot = yield* Bot.make(1000)
      const result = yield* Cli.pty(["backup", "create"], bot)
      well(result)
      assert.match(result.stdout, /\r\u001b\[K(Reading the database|Compressing|Verifying)/)
      assert.match(result.stdout, /\r\u001b\[K(\u001b\[\d+m)?✅ Backed up/)
    })
  )
})

describe.concurrent("holter backup, when something is wrong", () => {
  it.scopedLive("is 1 for a backup that was cut off, and leaves the database alone", () =>
    Effect.gen(function* () {
      const { backups, file, holter } = yield* Bot.make(1000)
      well(yield* holter("create"))
      const [made = ""] = Bot.names(backups)
      truncateSync(path.join(backups, made), 100)
      Bot.write(file, 5)
      const listed = yield* holter("list")
      assert.match(listed.stdout, /^❌ .*no backup that could be restored, 1 with a problem/)
      const verified = yield* holter("verify", "--all")
      assert.strictEqual(verified.code, 1)
      assert.include(verified.stdout, `❌ ${made}`)
      const restored = yield* holter("restore", "--backup-file", made, "--yes")
      assert.strictEqual(restored.code, 1)
      assert.match(restored.stderr, /^holter: dmarket_bot_sqlite_.*expected/)
      assert.strictEqual(Bot.count(file), 5)
      assert.lengthOf(Bot.names(backups), 1)
    })
  )

  it.scopedLive("tells of each of many, and nothing else", () =>
    Effect.gen(function* () {
      const { backups, holter } = yield* Bot.make(10)
      mkdirSync(backups)
      for (let day = 10; day < 22; day++) {
        writeFileSync(path.join(backups, `bot_postgresql_202512${day}.dump`), "no dump")
      }
      const verified = yield* holter("verify", "--all")
      assert.strictEqual(verified.code, 1)
      assert.lengthOf(verified.stdout.match(/^❌ bot_postgresql_/gm) ?? [], 12)
      assert.notInclude(verified.stderr, "MaxListeners")
    })
  )

  it.scopedLive("says that another run is at work", () =>
    Effect.gen(function* () {
      const bot = yield* Bot.make(10)
      well(yield* bot.holter("create"))
      const started = yield* Cli.startPty(["backup", "restore", "--latest"], bot)
      yield* started.awaitStdout(/Type "yes"/)
      const second = yield* bot.holter("create")
      assert.strictEqual(second.code, 1)
      assert.match(second.stderr, /restore a backup by process \d+/)
      yield* started.type("no\n")
      yield* started.exit
      well(yield* bot.holter("create"))
    })
  )

  it.scopedLive("is 143 after SIGTERM, leaves nothing at all, and the next run is well", () =>
    Effect.gen(function* () {
      const bot = yield* Bot.make(300_000)
      mkdirSync(bot.backups, { mode: 0o700 })
      const begun = yield* Effect.fork(Bot.awaitPartial(bot.backups))
      const started = yield* Cli.start(["backup", "create"], bot)
      yield* Fiber.join(begun)
      const children = ProcessTree.descendants(started.pid)
      assert.isNotEmpty(children)
      yield* started.signal("SIGTERM")
      const result = yield* started.exit
      assert.deepInclude(result, { code: 143, signal: null, stdout: "" })
      assert.isEmpty(Bot.names(bot.backups))
      for (const child of children) assert.isFalse(ProcessTree.isAlive(child))
      const next = yield* bot.holter("create")
      well(next)
      assert.lengthOf(Bot.names(bot.backups), 1)
      assert.strictEqual(Bot.count(bot.file), 300_000)
    })
  )
})

describe.concurrent("holter backup, of what looks as if data were lost", () => {
  it.scopedLive(
    "warns every night, in the list and in the check too, until the loss is accepted",
    () =>
      Effect.gen(function* () {
        const { backups, cwd, holter } = yield* Bot.make(10)
        well(yield* holter("create"))
        const [good = ""] = Bot.names(backups)
        Bot.shell("sqlite3 dmarket_bot.db 'delete from users'", cwd)
        for (const _ of [1, 2, 3]) {
          const suspect = yield* holter("create", "--keep", "1")
          well(suspect)
          assert.match(suspect.stderr, /Table users has no rows; it had 10 in the last good backup/)
          assert.include(suspect.stderr, "--accept-loss")
          assert.include(Bot.names(backups), good)
        }
        const listed = yield* holter("list")
        assert.match(listed.stdout, /^⚠️ .*the newest from .*, which may not hold all\n/)
        assert.match(listed.stdout, /verified, suspect/)
        const files = { "holter.config.yaml": "checks: { backups: { type: backup_freshness } }\n" }
        const check = Cli.run(["check"], { cwd, files })
        const degraded = yield* check
        assert.strictEqual(degraded.code, 1)
        assert.include(degraded.stdout, "data seem to be lost: Table users has no rows")
        const plan = yield* holter("restore", "--latest", "--dry-run")
        assert.include(plan.stdout, `without such a doubt is ${good}`)
        well(yield* holter("create", "--accept-loss"))
        const after = yield* holter("create", "--keep", "1")
        well(after)
        assert.isEmpty(after.stderr)
        assert.notInclude(Bot.names(backups), good)
        assert.strictEqual((yield* check).code, 0)
      }),
    60_000
  )
})

describe.concurrent("holter backup, at another place", () => {
  it.scopedLive(
    "is refused by --latest, dry run or not, and done as docs/backup-and-restore.md practises it",
    () =>
      Effect.gen(function* () {
        const { cwd, file, holter } = yield* Bot.make(10)
        well(yield* holter("create"))
        mkdirSync(path.join(cwd, "moved"))
        const moved = path.join(cwd, "moved", "dmarket_bot.db")
        renameSync(file, moved)
        const url = ["--database-url", `sqlite:///${moved}`]
        for (const flag of ["--dry-run", "--yes"]) {
          const refused = yield* holter("restore", "--latest", flag, ...url)
          assert.strictEqual(refused.code, 1)
          assert.match(refused.stderr, /expected a verified backup of dmarket_bot\.db at .*moved/)
          assert.match(refused.stderr, /say so with --allow-other\.\n$/)
        }
        Bot.write(moved, 5)
        well(yield* holter("restore", "--latest", "--yes", "--allow-other", ...url))
        assert.strictEqual(Bot.count(moved), 10)
        // A database that is not there yet.
        const practice = path.join(cwd, "practice.db")
        const place = ["--database-url", `sqlite:///${practice}`, "--allow-other"]
        well(yield* holter("restore", "--latest", "--yes", ...place))
        assert.strictEqual(Bot.count(practice), 10)
      }),
    60_000
  )

  it.scopedLive("says quickly that there is none in /proc", () =>
    Effect.gen(function* () {
      const { cwd, env } = yield* Bot.make(1)
      for (const args of [["create"], ["restore", "--latest", "--yes"], ["prune"]]) {
        const result = yield* Cli.run(["backup", ...args, "--backup-dir", "/proc/holter"], {
          cwd,
          env
        })
        assert.deepInclude(result, { code: 1, timedOut: false })
        assert.match(
          result.stderr,
          /^holter: \/proc\/holter: expected a directory, or a place for one/
        )
      }
      const files = {
        "holter.config.yaml": "backup: { stores: [{ type: directory, path: /proc/x }] }\n"
      }
      const copied = yield* Cli.run(["backup", "create"], { cwd, env, files })
      assert.deepInclude(copied, { code: 1, timedOut: false })
      assert.match(copied.stderr, /No copy in directory \/proc\/x: /)
    })
  )
})

describe.concurrent("holter check, of backups", () => {
  it.scopedLive(
    "is unhealthy without one, healthy with one, and degraded while one is broken",
    () =>
      Effect.gen(function* () {
        const { backups, cwd, holter } = yield* Bot.make(10)
        const files = { "holter.config.yaml": "checks: { backups: { type: backup_freshness } }\n" }
        const check = Effect.map(Cli.run(["check"], { cwd, files }), ({ code, stdout }) => ({
          code,
          stdout
        }))
        const none = yield* check
        assert.strictEqual(none.code, 2)
        assert.match(none.stdout, /Backups in backups: there is none\. Look at the last run/)
        well(yield* holter("create"))
        const one = yield* check
        assert.strictEqual(one.code, 0, one.stdout)
        assert.match(one.stdout, /Newest backup is 0 minutes old/)
        writeFileSync(path.join(backups, "dmarket_bot_sqlite_20251211_120000_123.db.gz"), "")
        const broken = yield* check
        assert.strictEqual(broken.code, 1)
        assert.include(
          broken.stdout,
          "not good: dmarket_bot_sqlite_20251211_120000_123.db.gz (empty)"
        )
      })
  )
})

describe.concurrent("holter backup and the plain tools", () => {
  it.scopedLive("writes what gunzip and sqlite3 read", () =>
    Effect.gen(function* () {
      const { backups, cwd, holter } = yield* Bot.make(1000)
      well(yield* holter("create"))
      const [made = ""] = Bot.names(backups)
      const rows = Bot.shell(
        `gunzip -c 'backups/${made}' > plain.db && sqlite3 plain.db 'select count(*) from users'`,
        cwd
      )
      assert.strictEqual(rows, "1000\n")
    })
  )

  it.scopedLive(
    "lists, verifies and restores what the Python script wrote",
    () =>
      Effect.gen(function* () {
        const { backups, cwd, file, holter } = yield* Bot.make(1000)
        const script = [
          "import gzip, shutil, sqlite3, os",
          "os.makedirs('backups', exist_ok=True)",
          "plain = 'backups/dmarket_bot_sqlite_20251211_120000_123.db'",
          "db = sqlite3.connect('dmarket_bot.db')",
          'db.execute("VACUUM INTO \'" + plain + "\'")',
          "db.close()",
          "shutil.copy(plain, 'backups/dmarket_bot_sqlite_20251209.db')",
          "with open(plain, 'rb') as f, gzip.open(plain + '.gz', 'wb') as g: shutil.copyfileobj(f, g)",
          "shutil.copy(plain + '.gz', 'backups/dmarket_bot_sqlite_20251210.db.gz')",
          "os.remove(plain)"
        ].join("\n")
        writeFileSync(path.join(cwd, "old.py"), script)
        Bot.shell("/usr/bin/python3 old.py", cwd)
        const olds = [
          "dmarket_bot_sqlite_20251211_120000_123.db.gz",
          "dmarket_bot_sqlite_20251210.db.gz",
          "dmarket_bot_sqlite_20251209.db"
        ]
        const listed = yield* holter("list")
        well(listed)
        for (const old of olds) assert.include(listed.stdout, old)
        well(yield* holter("verify", "--all"))
        // The newest of them is the latest, as long as Holter has made none.
        const [newest = ""] = olds
        const drilled = yield* holter("drill")
        well(drilled)
        assert.include(drilled.stdout, `${newest} restores: 1 table, 1,000 rows`)
        assert.include(drilled.stderr, "no manifest")
        for (const old of olds) well(yield* holter("drill", old))
        Bot.write(file, 5)
        const latest = yield* holter("restore", "--latest", "--yes")
        well(latest)
        assert.include(latest.stdout, `from ${newest}`)
        assert.strictEqual(Bot.count(file), 1000)
        for (const old of olds) {
          Bot.write(file, 5)
          const restored = yield* holter("restore", "--backup-file", `backups/${old}`, "--yes")
          well(restored)
          assert.include(restored.stderr, "no manifest")
          assert.strictEqual(Bot.count(file), 1000, old)
        }
        // Retention leaves them alone.
        for (const _ of [1, 2]) well(yield* holter("create", "--keep", "1"))
        for (const old of olds) assert.include(Bot.names(backups), old)
      }),
    120_000
  )

  it.scopedLive("restores a file that was carried here from elsewhere, with its manifest", () =>
    Effect.gen(function* () {
      const from = yield* Bot.make(77)
      well(yield* from.holter("create"))
      const [made = ""] = Bot.names(from.backups)
      const to = yield* Bot.make(5)
      for (const one of [made, `${made}.manifest.json`]) {
        copyFileSync(path.join(from.backups, one), path.join(to.cwd, one))
      }
      well(yield* to.holter("restore", "--backup-file", made, "--yes"))
      assert.strictEqual(Bot.count(to.file), 77)
      // Of another name it is of another database.
      renameSync(to.file, path.join(to.cwd, "other.db"))
      const url = ["--database-url", "sqlite:///other.db"]
      const refused = yield* to.holter("restore", "--backup-file", made, "--yes", ...url)
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, "--allow-other")
      well(yield* to.holter("restore", "--backup-file", made, "--yes", "--allow-other", ...url))
    })
  )

  it.scopedLive("keeps manifests that a person can read", () =>
    Effect.gen(function* () {
      const { backups, holter } = yield* Bot.make(10)
      well(yield* holter("create"))
      const [made = ""] = Bot.names(backups)
      const text = readFileSync(path.join(backups, `${made}.manifest.json`), "utf8")
      const manifest = JSON.parse(text) as { readonly holter: string; readonly name: string }
      assert.deepInclude(manifest, { name: made, holter: "0.1.0" })
      assert.include(text, "\n")
    })
  )
})
