/** `holter check` as an operator types it, on services that are well. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, symlinkSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as TempDir from "../support/TempDir.js"
import * as Bot from "./bot.js"

const page = `============================================================
DMarket Bot - Health Check
============================================================

🔍 Checking Telegram API...
  ✅ Telegram API accessible (@dmarket_bot)
🔍 Checking DMarket API...
  ✅ DMarket API accessible (Balance: $100.00)
🔍 Checking database...
  ✅ Database accessible (sqlite)
ℹ️  Redis not configured (optional)

============================================================
✅ All health checks passed!
============================================================
`

describe.concurrent("holter check", () => {
  it.scopedLive("prints the agreed page", () =>
    Effect.gen(function* () {
      const { env } = yield* Bot.make
      const result = yield* Cli.run(["check"], { env })
      assert.strictEqual(result.stdout, page)
      assert.strictEqual(result.stderr, "")
      assert.strictEqual(result.code, 0)
    })
  )

  it.scopedLive("prints the same page on a terminal, and plain words where emoji do not show", () =>
    Effect.gen(function* () {
      const { env } = yield* Bot.make
      const terminal = yield* Cli.pty(["check"], { env })
      assert.strictEqual(terminal.stdout, page)
      assert.strictEqual(terminal.code, 0)
      const ascii = page.replaceAll("🔍 ", "").replaceAll("✅", "[ok]").replace("ℹ️  ", "[info] ")
      const locale = { ...env, LANG: "C" }
      const coloured = yield* Cli.pty(["check"], { env: locale })
      assert.strictEqual(coloured.stdout, ascii.replaceAll("[ok]", "\u001b[32m[ok]\u001b[0m"))
      const plain = [
        Cli.pty(["check"], { env: { ...locale, NO_COLOR: "1" } }),
        Cli.pty(["check"], { env: { ...env, TERM: "dumb" } }),
        Cli.run(["check"], { env: locale })
      ]
      for (const run of plain) assert.strictEqual((yield* run).stdout, ascii)
    })
  )

  it.scopedLive("--json is one document with the names of the contract", () =>
    Effect.gen(function* () {
      const { env } = yield* Bot.make
      const result = yield* Cli.run(["check", "--json"], { env })
      assert.strictEqual(result.code, 0)
      assert.strictEqual(result.stderr, "")
      const summary = Bot.summaryOf(result)
      assert.containsAllKeys(summary, [
        "overall_status",
        "timestamp",
        "services",
        "failure_counts",
        "success_counts"
      ])
      assert.strictEqual(summary.overall_status, "healthy")
      const names = ["telegram_api", "dmarket_api", "database", "redis"]
      assert.sameMembers(Object.keys(summary.services), names)
      assert.sameMembers(Object.keys(summary.failure_counts), names)
      assert.sameMembers(Object.keys(summary.success_counts), names)
      const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
      assert.match(summary.timestamp, iso)
      for (const [name, service] of Object.entries(summary.services)) {
        assert.containsAllKeys(service, [
          "status",
          "response_time_ms",
          "message",
          "last_check",
          "details"
        ])
        assert.strictEqual(service.status, name === "redis" ? "unknown" : "healthy")
        assert.isNumber(service.response_time_ms, name)
        assert.isNotEmpty(service.message, name)
        assert.match(service.last_check ?? "", iso, name)
        assert.isObject(service.details, name)
        assert.strictEqual(summary.failure_counts[name], 0)
        assert.strictEqual(summary.success_counts[name], name === "redis" ? 0 : 1)
      }
      assert.strictEqual(summary.services["redis"]?.message, "Redis not configured")
    })
  )

  it.scopedLive("--only checks these services, and refuses names that there are not", () =>
    Effect.gen(function* () {
      const { dmarket, env, telegram } = yield* Bot.make
      const result = yield* Cli.run(["check", "--json", "--only", "database, redis"], { env })
      assert.sameMembers(Object.keys(Bot.summaryOf(result).services), ["database", "redis"])
      assert.strictEqual(result.code, 0)
      assert.isEmpty(yield* telegram.requests)
      assert.isEmpty(yield* dmarket.requests)
      const wrong = yield* Cli.run(["check", "--only", "database,nope"], { env })
      assert.strictEqual(wrong.code, 64)
      assert.include(wrong.stderr, "--only: expected names out of telegram_api, dmarket_api")
      assert.include(wrong.stderr, 'found "nope"')
      assert.strictEqual(wrong.stdout, "")
      assert.strictEqual((yield* Cli.run(["check", "--only", ""], { env })).code, 64)
    })
  )

  it.scopedLive("is 3 when nothing is known", () =>
    Effect.gen(function* () {
      const env = { DATABASE_URL: yield* Bot.sqlite }
      const result = yield* Cli.run(["check", "--only", "redis"], { env })
      assert.strictEqual(result.code, 3)
      assert.include(result.stdout, "ℹ️  Redis not configured (optional)")
      assert.include(result.stdout, "Nothing is known: no service is configured")
    })
  )

  it.scopedLive("with nothing configured checks a database of its own, and the machine", () =>
    Effect.gen(function* () {
      const cwd = path.join(yield* TempDir.make("odd"), "100%25 odd?name #1")
      mkdirSync(cwd)
      const first = yield* Cli.run(["check"], { cwd })
      assert.include(first.stdout, "Holter - Health Check")
      assert.include(first.stdout, "✅ Database accessible (sqlite)")
      assert.include(first.stdout, "ℹ️  Telegram API not configured (optional)")
      assert.include(first.stdout, "ℹ️  Redis not configured (optional)")
      assert.include(first.stdout, "Checking memory...")
      assert.strictEqual(first.code, 0, first.stdout)
      assert.isTrue(existsSync(path.join(cwd, "data", "holter.db")))
      const again = yield* Cli.run(["check", "--json"], { cwd })
      assert.strictEqual(Bot.statusesOf(again)["database"], "healthy")
      assert.containsAllKeys(Bot.statusesOf(again), ["disk", "memory", "event_loop"])
    })
  )

  it.scopedLive("finds its configuration in the working directory, and itself through a link", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("links")
      const link = path.join(folder, "holter")
      symlinkSync(Cli.bin(), link)
      const cwd = yield* TempDir.make("project")
      const files = {
        "holter.config.yaml": `name: A Bot\nchecks:\n  main: { type: database, url: "${yield* Bot.sqlite}" }\n`
      }
      const result = yield* Cli.run(["check"], { cwd, files, env: { HOLTER_NAME: "Other" } })
      assert.include(result.stdout, "A Bot - Health Check")
      assert.include(result.stdout, "🔍 Checking main...")
      assert.strictEqual(result.code, 0)
      // What the file does not name, and no variable, is not shown.
      assert.notInclude(result.stdout, "Redis")
      const linked = yield* Cli.run(["check", "--json"], { cwd, bin: link })
      assert.deepStrictEqual(Bot.statusesOf(linked), { main: "healthy" })
      const elsewhere = yield* Cli.run([
        "check",
        "--json",
        "-c",
        path.join(cwd, "holter.config.yaml")
      ])
      assert.deepStrictEqual(Bot.statusesOf(elsewhere), { main: "healthy" })
      const variable = yield* Cli.run(["check", "--json"], {
        env: { HOLTER_CONFIG: path.join(cwd, "holter.config.yaml") }
      })
      assert.deepStrictEqual(Bot.statusesOf(variable), { main: "healthy" })
    })
  )
})
