/** `holter alerts test`: does a channel work, and is one that was disabled used again. */
import { assert, describe, it } from "@effect/vitest"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { existsSync } from "node:fs"
import * as path from "node:path"
import * as AlertPolicy from "../../src/Alert/AlertPolicy.js"
import * as JournalAccess from "../../src/Cli/Journal/JournalAccess.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as Cli from "../support/Cli.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as TempDir from "../support/TempDir.js"
import * as Bot from "./bot.js"
import * as Leaks from "./leaks.js"

const file = `
name: DMarket Bot
checks: { memory: { type: memory } }
alerts:
  channels:
    ops: { type: telegram }
    hook: { type: webhook, url: "\${HOOK_URL}/s3cr3t-path", secret: s3cr3t-canary }
    page: { type: command, command: [/bin/sh, -c, 'cat > alert.json'] }
  routes: [{ severity: unhealthy, to: [ops, hook, page] }]
`

const bench = Effect.gen(function* () {
  const telegram = yield* TelegramDouble.makeProcess()
  const hook = yield* HttpDouble.makeProcess({ routes: { "*": Behaviour.text(200, "") } })
  const cwd = yield* TempDir.make("alerts")
  const options = {
    cwd,
    env: { ...Bot.telegramEnv(telegram), HOOK_URL: hook.url },
    files: { "holter.config.yaml": file }
  }
  const test = (...args: ReadonlyArray<string>) => Cli.run(["alerts", "test", ...args], options)
  return { telegram, hook, cwd, test }
})

describe.concurrent("a secret of a channel", () => {
  it.scopedLive("is in no output, also where a service says it", () =>
    Effect.gen(function* () {
      const canary = "literal-p4ger-canary"
      const double = yield* HttpDouble.makeProcess({
        routes: { "*": Behaviour.json(200, { said: canary }) }
      })
      const config = {
        checks: { web: { type: "http", url: double.url, expect: { json: { "$.said": "ok" } } } },
        alerts: {
          channels: { page: { type: "command", command: ["/bin/true"], env: { A: canary } } }
        }
      }
      const files = { "holter.config.json": JSON.stringify(config) }
      for (const args of [["check"], ["check", "--json"]]) {
        const result = yield* Cli.run(args, { files })
        assert.strictEqual(result.code, 2, result.stderr)
        assert.include(result.stdout, "<redacted>")
        Leaks.assertNone(Leaks.traces(result), [canary], args.join(" "))
      }
    })
  )
})

describe.concurrent("holter alerts test", () => {
  it.scopedLive("sends one alert to one channel, now", () =>
    Effect.gen(function* () {
      const { cwd, hook, telegram, test } = yield* bench
      const result = yield* test("ops")
      assert.deepInclude(result, { code: 0, stderr: "" })
      assert.match(result.stdout, /^✅ ops \(telegram\) took the test alert in \d+ ms\n$/)
      const [message] = yield* telegram.messages
      assert.strictEqual(
        message?.plain,
        "DMarket Bot: A test: alerts of DMarket Bot arrive here\nSent by `holter alerts test ops`. Nothing is wrong."
      )
      assert.isEmpty(yield* hook.requests)
      // There is no journal, and nobody asked for one.
      assert.isFalse(existsSync(path.join(cwd, "data")))
    })
  )

  it.scopedLive("is 1 when a channel does not take it, and says why without a secret", () =>
    Effect.gen(function* () {
      const { cwd, hook, test } = yield* bench
      yield* hook.on("*", Behaviour.text(401, "who is s3cr3t-canary?"))
      const result = yield* test("--all")
      assert.strictEqual(result.code, 1)
      const [first, second, third, fourth] = result.stdout.split("\n")
      assert.match(first ?? "", /^✅ ops /)
      assert.match(
        second ?? "",
        /^❌ hook \(webhook\) did not take .* found HTTP 401.*: who is <redacted>\?$/
      )
      assert.match(third ?? "", /^✅ page \(command\) /)
      assert.match(fourth ?? "", /^✅ log \(log\) /)
      assert.notInclude(result.stdout + result.stderr, "s3cr3t")
      assert.deepInclude(Bot.readJson(path.join(cwd, "alert.json")) as object, {
        type: "alert.test",
        channel: "page"
      })
    })
  )

  it.scopedLive("lets a channel that was disabled be used again", () =>
    Effect.gen(function* () {
      const { cwd, hook, test } = yield* bench
      const journal = Layer.provide(
        JournalAccess.layer({
          url: { _tag: "Sqlite", path: path.join(cwd, "data/holter.db") },
          retain: undefined
        }),
        NodeContext.layer
      )
      const event: AlertPolicy.Event.Event = {
        _tag: "ChannelDisabled",
        at: 1,
        channel: "hook",
        why: "gone",
        pending: []
      }
      const [after, decisions] = AlertPolicy.step(AlertPolicy.make(), AlertPolicy.initial, event)
      yield* Effect.flatMap(Journal.Journal, ({ commit }) =>
        commit({ event, before: AlertPolicy.initial, after, decisions })
      ).pipe(Effect.provide(journal))
      const requests = Effect.flatMap(Journal.Journal, ({ requests: left }) => left).pipe(
        Effect.map(({ known }) => known.map(({ event: one }) => one)),
        Effect.provide(journal)
      )

      yield* hook.on("*", Behaviour.text(410, ""), Behaviour.text(200, ""))
      assert.strictEqual((yield* test("hook")).code, 1)
      assert.isEmpty(yield* requests)
      const passed = yield* test("--all")
      assert.strictEqual(passed.code, 0, passed.stdout + passed.stderr)
      assert.include(passed.stdout, "hook was disabled; `holter watch` uses it again from now on\n")
      const left = yield* requests
      assert.deepStrictEqual(
        left.map((one) => [one._tag, "channel" in one ? one.channel : undefined]),
        [["ChannelEnabled", "hook"]]
      )
    })
  )

  it.scopedLive("is 78 for a wrong section, as a check is", () =>
    Effect.gen(function* () {
      const files = {
        "holter.config.yaml":
          "checks: { memory: { type: memory } }\nalerts: { routes: [{ severity: unhealthy, to: [ops] }] }\n"
      }
      for (const args of [["alerts", "test", "log"], ["check"]]) {
        const result = yield* Cli.run(args, { files })
        assert.strictEqual(result.code, 78, result.stderr)
        assert.include(
          result.stderr,
          'alerts.routes.0.to.0: expected the name of a channel (known: log), found "ops"'
        )
      }
    })
  )
})
