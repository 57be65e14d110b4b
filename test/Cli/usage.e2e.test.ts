/** Wrong usage, help, and the commands beside `check`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as TempDir from "../support/TempDir.js"
import * as Bot from "./bot.js"

const ansi = /\u001b/

/** Two at a time: that is how many cores there are to expect. */
const each = <A, B, E, R>(all: ReadonlyArray<A>, f: (one: A) => Effect.Effect<B, E, R>) =>
  Effect.forEach(all, f, { concurrency: 2, discard: true })

/** Starts the bin in a directory that is gone by then. */
const nowhere = Effect.gen(function* () {
  const folder = yield* TempDir.make("nowhere")
  const bin = path.join(folder, "bin.cjs")
  writeFileSync(
    bin,
    [
      'const { mkdirSync, rmdirSync } = require("node:fs")',
      "const gone = `${__dirname}/gone-${process.pid}`",
      "mkdirSync(gone)",
      "process.chdir(gone)",
      "rmdirSync(gone)",
      `require(${JSON.stringify(Cli.bin())})`
    ].join("\n")
  )
  return { bin, folder }
})

describe.concurrent("holter in a directory that was removed", () => {
  it.scopedLive("is 78 and says what to do, and works where all paths are absolute", () =>
    Effect.gen(function* () {
      const { bin, folder } = yield* nowhere
      yield* each(
        [
          ["check"],
          ["check", "--cron"],
          ["watch"],
          ["status"],
          ["why", "redis"],
          ["silence", "--all", "--for", "1h"],
          ["simulate"],
          ["backup", "list"],
          ["plugins", "list"],
          ["alerts", "test", "--all"],
          ["init"]
        ],
        (args) =>
          Effect.gen(function* () {
            const result = yield* Cli.run(args, { bin })
            assert.strictEqual(result.code, 78, `${args.join(" ")}: ${result.stderr}`)
            assert.match(result.stderr, /^holter: the working directory: .*`cd`/)
            assert.isEmpty(result.stdout)
          })
      )
      const file = path.join(folder, "holter.yaml")
      writeFileSync(
        file,
        `checks: { memory: { type: memory } }\njournal: { url: "sqlite:///${folder}/j.db" }`
      )
      const check = yield* Cli.run(["check", "--config", file], { bin })
      assert.notInclude([70, 78], check.code, check.stderr)
      const status = yield* Cli.run(["status", "--config", file], { bin })
      assert.strictEqual(status.code, 3, status.stderr)
    })
  )
})

describe.concurrent("holter", () => {
  it.scopedLive("is 64 for flags, arguments and commands that there are not", () =>
    each(
      [
        ["check", "--nope"],
        ["check", "extra"],
        ["check", "--only"],
        ["check", "--jso"],
        ["nope"],
        ["plugins", "nope"],
        ["plugins", "describe"],
        ["plugins", "describe", "nope"],
        ["plugins", "list", "extra"],
        ["init", "--force"],
        ["alerts", "test"],
        ["alerts", "test", "nope"],
        ["alerts", "test", "log", "--all"],
        ["--nope"],
        ["--trust-config"],
        ["init", "--trust-config"],
        ["backup", "list", "--trust-config"]
      ],
      (args) =>
        Effect.gen(function* () {
          const result = yield* Cli.run(args)
          const line = args.join(" ")
          assert.strictEqual(result.code, 64, `${line}\n${result.stdout}${result.stderr}`)
          assert.isNotEmpty(result.stderr, line)
          assert.isEmpty(result.stdout, line)
          assert.notMatch(result.stderr, ansi, line)
        })
    )
  )

  it.scopedLive("is 64 for what a SQLite database has nothing of, and 78 in the file", () =>
    Effect.gen(function* () {
      const cwd = yield* TempDir.make("usage")
      const url = `sqlite:///${path.join(cwd, "bot.db")}`
      yield* each(
        [
          ["create", "--globals"],
          ["restore", "--latest", "--yes", "--allow-incomplete"],
          ["restore", "--latest", "--yes", "--no-owner"],
          ["drill", "--allow-incomplete"],
          ["drill", "--no-owner"]
        ],
        (args) =>
          Effect.gen(function* () {
            const result = yield* Cli.run(["backup", ...args, "--database-url", url], { cwd })
            const [flag = ""] = args.slice(-1)
            assert.strictEqual(result.code, 64, `${flag}\n${result.stdout}${result.stderr}`)
            assert.include(result.stderr, `holter: ${flag}: expected a PostgreSQL database`)
          })
      )
      writeFileSync(path.join(cwd, "holter.config.yaml"), "backup: { globals: true }\n")
      for (const command of [["backup", "create"], ["watch"]]) {
        const wrong = yield* Cli.run(command, { cwd, env: { DATABASE_URL: url } })
        assert.strictEqual(wrong.code, 78, command.join(" "))
        assert.include(wrong.stderr, "backup.globals")
      }
    })
  )

  it.scopedLive("says which flag lacks its value", () =>
    each(["--only", "--config", "-c"], (flag) =>
      Effect.gen(function* () {
        const none = yield* Cli.run(["check", flag])
        assert.strictEqual(none.code, 64)
        assert.strictEqual(
          none.stderr,
          `holter: ${flag}: expected a value after it, found nothing\n`
        )
        const empty = yield* Cli.run(["check", flag, ""])
        assert.strictEqual(empty.code, 64)
        assert.match(
          empty.stderr,
          /^holter: --(only|config): expected .*, found (""|an empty string)\n$/
        )
      })
    )
  )

  it.scopedLive("has help for every command, without ANSI where it is piped", () =>
    each(helped, (words) =>
      Effect.gen(function* () {
        const result = yield* Cli.run([...words, "--help"])
        assert.strictEqual(result.code, 0, words.join(" "))
        assert.isEmpty(result.stderr)
        assert.notMatch(result.stdout, ansi, words.join(" "))
        assert.include(result.stdout, "USAGE")
        for (const flag of words[0] === "check" ? ["--json", "--cron", "--only", "--config"] : []) {
          assert.include(result.stdout, flag)
        }
      })
    )
  )

  it.scopedLive("--version is the version, and nothing else", () =>
    Effect.gen(function* () {
      const manifest = Bot.readJson(path.join(path.dirname(Cli.bin()), "..", "package.json"))
      const result = yield* Cli.run(["--version"])
      assert.deepInclude(result, {
        code: 0,
        stderr: "",
        stdout: `${(manifest as { version: string }).version}\n`
      })
    })
  )

  it.scopedLive("shows help in colour on a terminal, and not with NO_COLOR", () =>
    Effect.gen(function* () {
      assert.match((yield* Cli.pty(["--help"])).stdout, ansi)
      assert.notMatch((yield* Cli.pty(["--help"], { env: { NO_COLOR: "1" } })).stdout, ansi)
    })
  )
})

const helped = [
  ...[[], ["check"], ["plugins"], ["plugins", "list"], ["init"], ["alerts", "test"]],
  ...[
    ["config"],
    ["config", "check"],
    ["maintenance", "start"],
    ["maintenance", "stop"],
    ["reload"]
  ]
]

const types = [
  ...["telegram", "dmarket", "database", "redis", "http", "tcp"],
  ...["dns", "tls", "disk", "memory", "event_loop", "backup_freshness"]
]

const channels = ["log", "telegram", "webhook", "command"]

describe.concurrent("holter plugins", () => {
  it.scopedLive("lists every type with what it does", () =>
    Effect.gen(function* () {
      const result = yield* Cli.run(["plugins", "list"])
      assert.strictEqual(result.code, 0, result.stderr)
      const lines = result.stdout.trimEnd().split("\n")
      assert.deepStrictEqual(
        lines.map((line) => line.trim().split(/ {2,}/, 1)[0]),
        ["Checks:", ...types, "", "Channels of alerts:", ...channels]
      )
      for (const line of lines) assert.match(line, /^( {2}\w+ {2,}\S.{10,}|[A-Z].*:|)$/)
    })
  )

  it.scopedLive("describes every type: its fields, which are needed, what they take", () =>
    each([...new Set([...types, ...channels])], (type) =>
      Effect.gen(function* () {
        const result = yield* Cli.run(["plugins", "describe", type])
        assert.strictEqual(result.code, 0, result.stderr)
        assert.match(result.stdout, new RegExp(`^${type}: \\S`))
        if (types.includes(type)) assert.include(result.stdout, "Service name: ")
        if (channels.includes(type)) assert.include(result.stdout, "A channel of alerts: ")
        const [, ...parts] = result.stdout.split("Fields:\n")
        const fields = parts.flatMap((part) => part.split("\n\n", 1).join("").trimEnd().split("\n"))
        assert.isNotEmpty(fields)
        for (const field of fields) {
          assert.match(field, /^ {2}(none|\w+ +(required|optional) {2}\S.*)$/, type)
          assert.notInclude(field, "see the documentation", type)
          // The words of a kind alone, where the field says what it is for.
          assert.notMatch(field, / {2}(an integer|a number|a string)( \(|$)/, type)
        }
      })
    )
  )

  it.scopedLive("works while other parts of the configuration are wrong", () =>
    Effect.gen(function* () {
      const files = { "holter.config.yaml": "checks:\n  a: { type: redis, url: '${NOWHERE}' }\n" }
      const result = yield* Cli.run(["plugins", "describe", "redis"], { files })
      assert.strictEqual(result.code, 0, result.stderr)
    })
  )
})

describe.concurrent("holter init", () => {
  it.scopedLive("writes a configuration that check accepts, and never overwrites one", () =>
    Effect.gen(function* () {
      const { env } = yield* Bot.make
      const first = yield* Cli.run(["init"], { env })
      assert.strictEqual(first.code, 0, first.stderr)
      const file = path.join(first.cwd, "holter.config.yaml")
      assert.include(first.stdout, file)
      assert.include(first.stdout, "(services: telegram_api, dmarket_api, database)")
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      const text = readFileSync(file, "utf8")
      for (const [name, value] of Object.entries(env)) {
        if (/KEY|TOKEN|URL/.test(name)) assert.notInclude(text, value, name)
      }
      assert.match(text, /^ {2}# redis:$/m)
      assert.match(text, /^backup:\n {2}url: "\$\{DATABASE_URL\}"$/m)

      const { cwd } = first
      const check = yield* Cli.run(["check", "--json"], { cwd, env })
      assert.strictEqual(check.code, 0, check.stdout + check.stderr)
      assert.deepStrictEqual(Bot.statusesOf(check), {
        telegram_api: "healthy",
        dmarket_api: "healthy",
        database: "healthy"
      })
      const page = yield* Cli.run(["check"], { cwd, env })
      assert.include(page.stdout, "DMarket Bot - Health Check")

      const again = yield* Cli.run(["init"], { cwd, env })
      assert.strictEqual(again.code, 1)
      assert.isEmpty(again.stdout)
      assert.include(again.stderr, `${file} exists`)
      assert.strictEqual(readFileSync(file, "utf8"), text)
    })
  )

  it.scopedLive("writes what check accepts where nothing, or not all of a service, is set", () =>
    each(
      [
        {},
        { DMARKET_API_URL: "http://127.0.0.1:1" },
        { TELEGRAM_API_URL: "http://127.0.0.1:1" },
        { DATABASE_URL: "sqlite:///none.db" },
        { REDIS_URL: "redis://127.0.0.1:1" }
      ],
      (env) =>
        Effect.gen(function* () {
          const { code, cwd, stderr } = yield* Cli.run(["init"], { env })
          assert.strictEqual(code, 0, stderr)
          const check = yield* Cli.run(["check", "--json"], { cwd, env })
          assert.notInclude([64, 70, 78], check.code, JSON.stringify(env) + check.stderr)
          const list = yield* Cli.run(["backup", "list"], { cwd, env })
          assert.strictEqual(list.code, 0, list.stderr)
          // Never a database of Holter's own in the place of what the file is for.
          assert.isFalse(existsSync(path.join(cwd, "data")))
        })
    )
  )

  it.scopedLive("leaves another form of the file alone too", () =>
    Effect.gen(function* () {
      const files = { "holter.config.json": "{}" }
      const result = yield* Cli.run(["init"], { files })
      assert.strictEqual(result.code, 1)
      assert.include(result.stderr, "holter.config.json exists")
    })
  )
})
