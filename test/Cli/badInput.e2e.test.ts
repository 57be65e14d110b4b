/** Wrong configuration: 78, with the path, what was expected, what was found, and no secret. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as TempDir from "../support/TempDir.js"
import * as Bot from "./bot.js"
import * as Leaks from "./leaks.js"

const canary = "c@nary%2F/p w:d<1>"
const token = "123456789:AAcanaryTokenCanaryTokenCanaryToken"

interface Case {
  readonly what: string
  readonly file?: string
  readonly name?: string
  readonly env?: Readonly<Record<string, string>>
  readonly args?: ReadonlyArray<string>
  /** All of these stand in the message. */
  readonly says: ReadonlyArray<string>
}

const tcp = (fields: string) => `checks:\n  gateway: { type: tcp, host: h, ${fields} }\n`

const cases: ReadonlyArray<Case> = [
  {
    what: "an unknown type of check",
    file: "checks:\n  a: { type: mysql }\n",
    says: ["checks.a.type: expected one of telegram, ", 'found "mysql"']
  },
  {
    what: "an unknown plugin",
    file: 'plugins: ["@acme/nope"]\n',
    says: [
      "plugins.0: expected a package or a file that exports",
      '"@acme/nope"',
      "cannot be found"
    ]
  },
  {
    what: "an unknown option of a check",
    file: tcp("port: 1, prot: 2"),
    says: ["checks.gateway.prot: expected no such key (known: host, port, ", "timeout", "found 2"]
  },
  {
    what: "an unknown section",
    file: "chekcs: {}\n",
    says: ["chekcs: expected no such key (known: ", "checks"]
  },
  {
    what: "a wrong type",
    file: tcp("port: http"),
    says: [
      "checks.gateway.port: expected a port number from 1 to 65535 (the TCP port)",
      'found "http"'
    ]
  },
  {
    what: "a bare number where a duration is expected",
    file: tcp("port: 1, timeout: 10"),
    says: ['checks.gateway.timeout: expected a duration such as "10 seconds", found 10']
  },
  {
    what: "a missing variable",
    file: "checks:\n  db: { type: database, url: '${NOWHERE}' }\n",
    says: ["checks.db.url: expected the environment variable NOWHERE", "found nothing"]
  },
  {
    what: "two checks of one name",
    file: `checks:\n  a: { type: redis, url: "redis://:${canary}@h" }\n  a: { type: tcp }\n`,
    says: ["line 3, column 3", "every key once (two checks need two names)", 'found "a" a second']
  },
  {
    what: "YAML that does not parse",
    file: `checks:\n  a: { type: redis, url: "redis://:${canary}@h }\n`,
    says: ["line ", "expected valid YAML", "closing"]
  },
  {
    what: "YAML whose parser would quote it",
    file: `checks: {}\n]${canary}\n`,
    says: ["line 2", "expected valid YAML"]
  },
  {
    what: "JSON that does not parse",
    name: "holter.config.json",
    file: `{ "checks": { "a": { "url": "redis://:${canary}@h" }\n`,
    says: ["line ", "expected valid YAML"]
  },
  {
    what: "a file that is not there",
    args: ["--config", "no/such.yaml"],
    says: ["no/such.yaml", "--config: expected a configuration file that can", "no such file"]
  },
  {
    what: "a variable that names a directory",
    env: { HOLTER_CONFIG: "/" },
    says: [
      "HOLTER_CONFIG: expected a configuration file that can be read, of 262144 bytes at most, found a directory"
    ]
  },
  {
    what: "a file without checks",
    file: "name: Bot\n",
    says: ["checks: expected at least one check, such as", "DATABASE_URL", "found neither"]
  },
  {
    what: "two documents",
    file: `a: 1\n---\nb: ${canary}\n`,
    says: ["line 2, column 1: expected valid YAML of one document, found another"]
  },
  {
    what: "a URL of an unsupported kind",
    env: { DATABASE_URL: `mysql://bot:${encodeURIComponent(canary)}@h/d` },
    says: ["DATABASE_URL: expected", "sqlite", "postgresql"]
  },
  {
    what: "a URL of an unsupported kind in the file",
    file: `checks:\n  redis: { type: redis, url: "http://:${canary}@h" }\n`,
    says: ["checks.redis.url: expected redis, rediss or unix", 'found "http"']
  },
  {
    what: "a token with a newline",
    env: { TELEGRAM_BOT_TOKEN: `${token}\n` },
    says: ["TELEGRAM_BOT_TOKEN: expected", "found a string with a line break (not shown"]
  },
  {
    what: "a token with a newline inside",
    env: { TELEGRAM_BOT_TOKEN: `${token}\r\nX-Injected: 1` },
    says: ["TELEGRAM_BOT_TOKEN: expected", "found a string with a line break (not shown"]
  },
  {
    what: "line breaks in values and keys",
    file: 'checks:\n  "a\\nb": { type: tcp, host: "h\\nx", port: 1 }\n',
    says: ['  checks."a\\nb".host: expected ', "found a string with a line break\n"]
  },
  {
    what: "a URL of an unsupported kind for a web page",
    file: `checks:\n  web: { type: http, url: "ftp://u:${canary}@h" }\n`,
    says: ["checks.web.url: expected a URL", "found a string that starts with ftp://"]
  },
  {
    what: "a key that is none",
    env: { DMARKET_PUBLIC_KEY: "ab".repeat(32), DMARKET_SECRET_KEY: canary },
    says: ["DMARKET_SECRET_KEY: expected", "hex"]
  },
  {
    what: "a variable in both forms",
    env: { REDIS_URL: `redis://:${canary}@h`, REDIS_URL_FILE: "/nowhere" },
    says: ["REDIS_URL: expected only one of REDIS_URL and REDIS_URL_FILE to be set, found both"]
  },
  {
    what: "a file of a variable that is not there",
    env: { TELEGRAM_BOT_TOKEN_FILE: "/nowhere/token" },
    says: [
      "TELEGRAM_BOT_TOKEN_FILE: expected the path of a file",
      "a path that leads to none (NotFound)"
    ]
  },
  {
    what: "a secret itself where the path of its file belongs",
    env: { DATABASE_URL_FILE: `postgresql://bot:${canary}@localhost/bot` },
    says: ["DATABASE_URL_FILE: expected the path of a file", "a path that leads to none"]
  },
  {
    what: "a reference that is none",
    file: "name: ${1}\n",
    says: ["name: expected ${NAME} or ${NAME:-default}"]
  }
]

describe.concurrent("holter check with a wrong configuration", () => {
  it.scopedLive("is 78, and says where, what was expected and what was found", () =>
    Effect.forEach(
      cases,
      ({ args = [], env = {}, file, name = "holter.config.yaml", says, what }) =>
        Effect.gen(function* () {
          const files = file === undefined ? {} : { [name]: file }
          const result = yield* Cli.run(["check", "--json", ...args], { env, files })
          assert.strictEqual(result.code, 78, `${what}\n${result.stdout}${result.stderr}`)
          assert.isEmpty(result.stdout, what)
          for (const text of says) assert.include(result.stderr, text, what)
          Leaks.assertNone(Leaks.traces(result), [canary, token], what)
          assert.isFalse(existsSync(path.join(result.cwd, "data")), what)
        }),
      { concurrency: 3, discard: true }
    )
  )

  it.scopedLive("is 78 for a directory and for a binary file", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("config")
      mkdirSync(path.join(folder, "holter.config.yaml"))
      writeFileSync(path.join(folder, "binary"), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]))
      const directory = yield* Cli.run(["check"], { cwd: folder })
      assert.strictEqual(directory.code, 78)
      assert.include(directory.stderr, path.join(folder, "holter.config.yaml"))
      assert.include(directory.stderr, "found a directory")
      const binary = yield* Cli.run(["check", "--config", "binary"], { cwd: folder })
      assert.strictEqual(binary.code, 78)
      assert.include(binary.stderr, "expected a text file, found binary data")
    })
  )

  it.scopedLive("tells everything at once", () =>
    Effect.gen(function* () {
      const result = yield* Cli.run(["check"], {
        env: { DATABASE_URL: "mysql://h/d", REDIS_URL_FILE: "/nowhere" },
        files: {
          "holter.config.yaml":
            "nam: x\nchecks:\n  a: { type: tcp, port: 0 }\n  b: { type: nope }\n  c: { type: tcp, host: '${NO}', port: 1 }\n"
        }
      })
      assert.strictEqual(result.code, 78)
      const paths = [...result.stderr.matchAll(/^ {2}(\S+): expected /gm)].map(([, one]) => one)
      assert.sameMembers(paths, [
        ...["REDIS_URL_FILE", "checks.c.host", "nam", "DATABASE_URL"],
        ...["checks.a.host", "checks.a.port", "checks.b.type"]
      ])
    })
  )

  it.scopedLive("says that its own database cannot be kept where it is needed", () =>
    Effect.gen(function* () {
      const cwd = yield* TempDir.make("cwd")
      writeFileSync(path.join(cwd, "data"), "a file where the folder should be")
      const result = yield* Cli.run(["check"], { cwd })
      assert.strictEqual(result.code, 78, result.stdout)
      assert.include(result.stderr, "database: expected DATABASE_URL to be set, or data/holter.db")
    })
  )
})

describe.concurrent("holter check with passwords as people type them", () => {
  it.scopedLive("reads @, %, / and spaces, raw or encoded, and shows none of them", () =>
    Effect.gen(function* () {
      const env = {
        DATABASE_URL: `postgresql://bot:${canary}@127.0.0.1:1/bot`,
        REDIS_URL: `redis://:${encodeURIComponent(canary)}@127.0.0.1:1/0`
      }
      const result = yield* Cli.run(["check", "--json"], { env })
      assert.strictEqual(result.code, 2, result.stderr)
      const { services } = Bot.summaryOf(result)
      assert.match(services["database"]?.message ?? "", /127\.0\.0\.1:1/)
      assert.match(services["redis"]?.message ?? "", /127\.0\.0\.1:1/)
      Leaks.assertNone(Leaks.traces(result), [canary], "typed")
    })
  )
})
