/** The Telegram check against a local server that speaks the Bot API. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Either, Redacted } from "effect"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
import { layerClientUndici, Telegram } from "../../src/plugins/Telegram.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import { registered } from "./registered.js"

const open = (
  double: { readonly url: string; readonly token: string },
  more: Partial<Parameters<typeof Telegram.layer>[0]> = {}
) =>
  registered(
    Telegram.layer({ token: Redacted.make(double.token), apiUrl: double.url, ...more }),
    layerClientUndici
  )

describe("Telegram", () => {
  it.scopedLive("a good token: the bot's name and its pending updates, on one connection", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({ pendingUpdates: 3 })
      const { run } = yield* open(double)
      const result = yield* run
      assert.strictEqual(result.service, "telegram_api")
      assert.strictEqual(result.status, "healthy", result.message)
      assert.strictEqual(result.message, "Telegram API accessible")
      assert.strictEqual(result.note, "@dmarket_bot")
      assert.deepStrictEqual(result.details, { bot_username: "dmarket_bot", pending_updates: 3 })
      assert.strictEqual((yield* double.connections).total, 1)
    })
  )

  it.scopedLive("pending updates, webhook errors and slow answers are degraded", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({ pendingUpdates: 1000 })
      const { run } = yield* open(double)
      assert.strictEqual((yield* run).status, "healthy", "the limit itself is well")
      yield* double.set({ pendingUpdates: 1001 })
      const many = yield* run
      assert.strictEqual(many.status, "degraded")
      assert.include(many.message, "1001 updates wait for the bot (limit 1000)")
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const error = { last_error_message: "Wrong response: 502", last_error_date: now - 60 }
      yield* double.set({ pendingUpdates: 0, webhook: error })
      const failing = yield* run
      assert.strictEqual(failing.status, "degraded")
      assert.match(failing.message, /its webhook failed 1m( 1s)? ago: Wrong response: 502/)
      yield* double.set({ webhook: { ...error, last_error_date: now - 660 } })
      assert.strictEqual((yield* run).status, "healthy", "an old error is forgotten")
      yield* double.fault(
        "getMe",
        Behaviour.slowHeaders(30, Behaviour.json(200, { ok: true, result: { id: 1 } }))
      )
      const slow = yield* open(double, { slow: "20 millis" })
      assert.include((yield* slow.run).message, "longer than 20ms")
    })
  )

  it.scopedLive("429 is degraded; 401, 5xx and nonsense are unhealthy; none is retried", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { run } = yield* open(double)
      const cases = [
        [TelegramDouble.tooManyRequests(12), "degraded", "RateLimited"],
        [Behaviour.tooManyRequests(12), "degraded", "RateLimited"],
        [TelegramDouble.unauthorized, "unhealthy", "Unauthorized"],
        [TelegramDouble.internalError, "unhealthy", "ServerError"],
        [TelegramDouble.badGateway, "unhealthy", "ServerError"],
        [Behaviour.text(200, "<html>"), "unhealthy", "Malformed"],
        [Behaviour.text(404, "<html>"), "unhealthy", "Malformed"],
        [Behaviour.badJson(), "unhealthy", "Malformed"]
      ] as const
      for (const [fault, status, reason] of cases) {
        yield* double.clear
        yield* double.fault("getMe", fault)
        const result = yield* run
        assert.strictEqual(result.status, status)
        assert.strictEqual(result.reason, reason)
        assert.strictEqual((yield* double.requests).length, 1)
        if (reason === "RateLimited") {
          assert.deepStrictEqual(result.retryAfter, Duration.seconds(12))
        }
      }
      yield* double.set({ revoked: true })
      const revoked = yield* run
      assert.strictEqual(revoked.reason, "Unauthorized")
      assert.include(revoked.message, "@BotFather")
    })
  )

  it.scopedLive("down, reset once, and back", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      yield* double.stop
      const { run } = yield* open(double)
      const down = yield* run
      assert.strictEqual(down.status, "unhealthy")
      assert.strictEqual(down.reason, "Network")
      yield* double.start
      assert.strictEqual((yield* run).status, "healthy")
      yield* double.fault("getWebhookInfo", Behaviour.reset)
      assert.strictEqual((yield* run).status, "healthy")
    })
  )

  it.scopedLive("the token is in no result and in no configuration error", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { run } = yield* open(double)
      yield* double.fault(
        "getMe",
        TelegramDouble.error(400, `Bad token ${double.token}`),
        Behaviour.reset,
        Behaviour.reset,
        Behaviour.text(500, double.token)
      )
      const results = yield* Effect.all([run, run, run, run])
      assert.notInclude(JSON.stringify(results), double.token)
      for (const token of ["canary-token", "123:canary token", "123:canary\n", ":canary", ""]) {
        const decoded = Telegram.decode({ token })
        const text = Either.isLeft(decoded) ? decoded.left.map(formatIssue).join("\n") : ""
        assert.match(text, /^token: expected a bot token .*, found (another|an empty|a) string/)
        assert.notInclude(text, "canary")
      }
    })
  )
})
