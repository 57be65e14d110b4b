/** `--cron` and `--notify`: who is told what, and when. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as TempDir from "../support/TempDir.js"
import * as Bot from "./bot.js"

/** Runs from one working directory, as from a line of crontab. */
const bench = Effect.gen(function* () {
  const bot = yield* Bot.make
  const cwd = yield* TempDir.make("cron")
  const run = (...flags: ReadonlyArray<string>) =>
    Cli.run(["check", ...flags], { env: bot.env, cwd })
  const told = Effect.map(bot.telegram.messages, (all) => all.map(({ plain }) => plain))
  return { ...bot, cwd, run, told, cron: run("--cron") }
})

describe.concurrent("holter check --cron", () => {
  it.scopedLive("is silent while all is well, tells a problem once, and its end", () =>
    Effect.gen(function* () {
      const { cron, cwd, dmarket, told } = yield* bench
      const well = yield* cron
      assert.deepInclude(well, { code: 0, stdout: "", stderr: "" })
      assert.isEmpty(yield* told)

      yield* dmarket.stop
      const down = yield* cron
      assert.strictEqual(down.code, 2)
      assert.include(down.stdout, "Unhealthy: dmarket_api")
      const [problem, ...others] = yield* told
      assert.isEmpty(others)
      assert.include(problem, "DMarket Bot: Unhealthy: dmarket_api")
      assert.include(problem, "dmarket_api is unhealthy: ")

      assert.strictEqual((yield* cron).code, 2)
      assert.lengthOf(yield* told, 1)

      yield* dmarket.start
      const again = yield* cron
      assert.deepInclude(again, { code: 0, stdout: "", stderr: "" })
      assert.deepStrictEqual((yield* told).slice(1), [
        "DMarket Bot: All health checks passed!\n• dmarket_api is healthy again"
      ])
      yield* cron
      assert.lengthOf(yield* told, 2)
      assert.deepInclude(Bot.readJson(path.join(cwd, "data", "last-verdict.json")) as object, {
        overall_status: "healthy"
      })
    })
  )

  it.scopedLive("tells again what could not be told", () =>
    Effect.gen(function* () {
      const { cron, dmarket, telegram, told } = yield* bench
      yield* cron
      yield* dmarket.stop
      yield* telegram.fault("sendMessage", TelegramDouble.blocked)
      const lost = yield* cron
      assert.strictEqual(lost.code, 2)
      assert.match(lost.stderr, /The notification failed: .*blocked/)
      assert.isEmpty(yield* told)
      const sent = yield* cron
      assert.strictEqual(sent.code, 2)
      assert.isEmpty(sent.stderr)
      assert.lengthOf(yield* told, 1)
    })
  )
})

const later = "shutdown: {}\nstatus: {}\n"

describe.concurrent("holter check --cron, beside the verdict", () => {
  it.scopedLive("gives no advice on the file each time, which others get", () =>
    Effect.gen(function* () {
      const { cwd, env, run } = yield* bench
      writeFileSync(path.join(cwd, "holter.config.yaml"), later)
      assert.deepInclude(yield* run("--cron"), { code: 0, stdout: "", stderr: "" })
      for (const flags of [[], ["--json"]]) {
        const { stderr } = yield* Cli.run(["check", ...flags], { cwd, env })
        assert.match(stderr, /"status" is not used/)
      }
    })
  )

  it.scopedLive("says that nothing is configured, with the variables that are missing", () =>
    Effect.gen(function* () {
      const result = yield* Cli.run(["check", "--cron"])
      assert.deepInclude(result, { code: 0, stdout: "" })
      assert.match(
        result.stderr,
        /^holter: no service is configured, .*DATABASE_URL.*--config\.\n$/
      )
      const person = yield* Cli.run(["check"])
      assert.isEmpty(person.stderr)
    })
  )

  it.scopedLive("keeps the verdict though nobody can be told", () =>
    Effect.gen(function* () {
      const { cwd, dmarket, env } = yield* bench
      yield* dmarket.stop
      const options = { cwd, env: { ...env, ADMIN_TELEGRAM_CHAT_ID: "" } }
      const first = yield* Cli.run(["check", "--cron"], options)
      assert.include(first.stderr, "The notification failed: ADMIN_TELEGRAM_CHAT_ID is not set")
      const second = yield* Cli.run(["check", "--cron"], options)
      assert.isEmpty(second.stderr)
      assert.deepStrictEqual([first.code, second.code], [2, 2])
    })
  )

  it.scopedLive("does not mix up two lines of a crontab", () =>
    Effect.gen(function* () {
      const { cron, dmarket, run, told } = yield* bench
      const database = run("--cron", "--only", "database")
      yield* cron
      yield* database
      yield* dmarket.stop
      yield* cron
      for (let line = 0; line < 2; line++) {
        assert.deepInclude(yield* database, { code: 0, stdout: "", stderr: "" })
        assert.strictEqual((yield* cron).code, 2)
      }
      assert.lengthOf(yield* told, 1)
    })
  )

  it.scopedLive("tells whatever the verdict is with --notify, and keeps it", () =>
    Effect.gen(function* () {
      const { cron, dmarket, run, told } = yield* bench
      yield* run("--cron", "--notify")
      assert.deepStrictEqual(yield* told, ["DMarket Bot: All health checks passed!"])
      yield* dmarket.stop
      yield* run("--cron", "--notify")
      assert.lengthOf(yield* told, 2)
      yield* cron
      assert.lengthOf(yield* told, 2)
    })
  )

  it.scopedLive("tells of a service that is no longer checked, and not of a healthy new one", () =>
    Effect.gen(function* () {
      const { cwd, env, told } = yield* bench
      const { DATABASE_URL, ...others } = env
      const withDatabase = Cli.run(["check", "--cron"], { cwd, env: { ...others, DATABASE_URL } })
      const without = Cli.run(["check", "--cron"], { cwd, env: others })
      yield* without
      yield* withDatabase
      assert.isEmpty(yield* told)
      yield* without
      assert.deepStrictEqual(yield* told, [
        "DMarket Bot: All health checks passed!\n• database is no longer checked"
      ])
    })
  )
})

describe.concurrent("holter check --notify", () => {
  it.scopedLive("tells whatever the verdict is, each time", () =>
    Effect.gen(function* () {
      const { run, told } = yield* bench
      assert.strictEqual((yield* run("--notify")).code, 0)
      const json = yield* run("--notify", "--json")
      assert.strictEqual(Bot.summaryOf(json).overall_status, "healthy")
      const well = "DMarket Bot: All health checks passed!"
      assert.deepStrictEqual(yield* told, [well, well])
    })
  )

  it.scopedLive("escapes what HTML would take for markup", () =>
    Effect.gen(function* () {
      const { dmarket, env, telegram } = yield* bench
      yield* dmarket.fault("*", Behaviour.text(500, "<b>&\"bold'</i>"))
      yield* dmarket.fault("*", Behaviour.text(500, "<b>&\"bold'</i>"))
      const result = yield* Cli.run(["check", "--notify"], {
        env: { ...env, HOLTER_NAME: "<b>Bot & Sons</a>" },
        files: {
          "holter.config.yaml": "checks:\n  'a<b>&c': { type: tcp, host: 127.0.0.1, port: 1 }\n"
        }
      })
      assert.isEmpty(result.stderr)
      // The double refuses broken markup as Telegram does, and gives back what a reader sees.
      const [message] = yield* telegram.messages
      assert.strictEqual(message?.parse_mode, "HTML")
      assert.include(message?.plain, "<b>Bot & Sons</a>: Unhealthy: ")
      assert.include(message?.plain, "a<b>&c is unhealthy: ")
    })
  )

  it.scopedLive("keeps within what Telegram takes, however much is wrong", () =>
    Effect.gen(function* () {
      const { env, telegram } = yield* bench
      const checks = Array.from(
        { length: 80 },
        (_, index) =>
          `  service_&_${index}_${"x".repeat(40)}: { type: tcp, host: 127.0.0.1, port: 1 }`
      )
      const result = yield* Cli.run(["check", "--notify"], {
        env,
        files: { "holter.config.yaml": `checks:\n${checks.join("\n")}\n` }
      })
      assert.strictEqual(result.code, 2)
      assert.isEmpty(result.stderr)
      const messages = yield* telegram.messages
      assert.isNotEmpty(messages)
      assert.include(messages[0]?.plain, "DMarket Bot: Unhealthy: ")
    })
  )

  it.scopedLive("says on stderr why it failed, and ends as the checks say", () =>
    Effect.gen(function* () {
      const { env, run, telegram } = yield* bench
      for (const [fault, text] of [
        [TelegramDouble.chatNotFound, "the chat is not known"],
        [TelegramDouble.kicked, "the bot may not do this"],
        [TelegramDouble.tooManyRequests(7), "7"],
        [Behaviour.json(200, { ok: false, error_code: 400, description: "no" }), "no"],
        [Behaviour.badJson(), ""],
        [Behaviour.reset, ""]
      ] as const) {
        yield* telegram.heal
        yield* telegram.faultAlways("sendMessage", fault)
        const result = yield* run("--notify", "--json")
        assert.strictEqual(result.code, 0, result.stderr)
        assert.strictEqual(Bot.summaryOf(result).overall_status, "healthy")
        assert.include(result.stderr, "The notification failed: ")
        assert.include(result.stderr, text, result.stderr)
      }
      for (const missing of ["TELEGRAM_BOT_TOKEN", "ADMIN_TELEGRAM_CHAT_ID"]) {
        const result = yield* Cli.run(["check", "--notify", "--json"], {
          env: { ...env, [missing]: "" }
        })
        assert.strictEqual(result.code, 0)
        assert.include(result.stderr, `The notification failed: ${missing} is not set`)
      }
    })
  )
})
