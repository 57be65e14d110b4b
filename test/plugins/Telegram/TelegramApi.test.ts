import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, FastCheck, Layer, Logger, Redacted } from "effect"
import { layerClientUndici } from "../../../src/plugins/shared/HttpExchange.js"
import * as TelegramApi from "../../../src/plugins/Telegram/TelegramApi.js"
import * as TelegramHtml from "../../../src/plugins/Telegram/TelegramHtml.js"
import { parse } from "../../support/doubles/TelegramHtml.js"
import * as TelegramDouble from "../../support/TelegramDouble.js"

const connect = (double: TelegramDouble.TelegramDouble) =>
  TelegramApi.make({ token: Redacted.make(double.token), apiUrl: double.url })

describe("TelegramApi", () => {
  it.scopedLive("sends HTML, escaped where it must be", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const api = yield* connect(double)
      const text = `a < b & "c" > 'd'`
      const html = `<b>${TelegramApi.escapeHtml(text)}</b>`
      assert.strictEqual(yield* api.sendMessage({ chatId: double.chatId, html }), 1)
      const [message] = yield* double.messages
      assert.strictEqual(message?.plain, text)
      assert.strictEqual(message?.parse_mode, "HTML")
    }).pipe(Effect.provide(layerClientUndici))
  )

  it.scopedLive("a long message is cut to what Telegram takes", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const api = yield* connect(double)
      const html = `<b>${TelegramApi.escapeHtml("<&>".repeat(3000))}</b> <i>end</i>`
      yield* api.sendMessage({ chatId: double.chatId, html })
      const [message] = yield* double.messages
      assert.strictEqual(message?.plain.length, TelegramApi.longestMessage)
      assert.isTrue(message?.plain.endsWith("…"))
    }).pipe(Effect.provide(layerClientUndici))
  )

  it.scopedLive("errors have reasons", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({ blockedBy: ["7"], chats: ["1", "7"] })
      const api = yield* connect(double)
      const send = (chatId: string, html = "hi") => Effect.flip(api.sendMessage({ chatId, html }))
      assert.strictEqual((yield* send("99")).reason, "ChatNotFound")
      assert.strictEqual((yield* send("7")).reason, "Forbidden")
      const moved = (to: number) =>
        TelegramDouble.error(400, "Bad Request: group chat was upgraded to a supergroup chat", {
          migrate_to_chat_id: to
        })
      // It moves on and on while it is followed.
      yield* double.fault("sendMessage", ...[-1005, -1006, -1007, -1008].map(moved))
      const migrated = yield* send("-5")
      assert.strictEqual(migrated.reason, "ChatMigrated")
      assert.strictEqual(migrated.migrateToChatId, "-1008")
      assert.strictEqual((yield* send("1", "<b>")).reason, "Unacceptable")
      yield* double.fault(
        "sendMessage",
        TelegramDouble.tooManyRequests(7),
        TelegramDouble.internalError
      )
      const limited = yield* send("1")
      assert.strictEqual(limited.reason, "RateLimited")
      assert.deepStrictEqual(limited.retryAfter, Duration.seconds(7))
      assert.strictEqual((yield* send("1")).reason, "ServerError")
      yield* double.set({ revoked: true })
      assert.strictEqual((yield* send("1")).reason, "Unauthorized")
      yield* double.stop
      const gone = yield* send("1")
      assert.strictEqual(gone.reason, "Network")
      for (const error of [limited, gone, migrated]) {
        assert.notInclude(JSON.stringify(error) + error.message, double.token)
      }
    }).pipe(Effect.provide(Layer.merge(layerClientUndici, Logger.remove(Logger.defaultLogger))))
  )

  it("clip: never longer, always well formed, the same where it fits", () => {
    const part = FastCheck.oneof(
      FastCheck.string({ unit: "grapheme" }).map(TelegramHtml.escape),
      FastCheck.string().map((text) => `<b>${TelegramHtml.escape(text)}</b>`),
      FastCheck.string().map((text) => `<i><code>${TelegramHtml.escape(text)}</code>!</i>`)
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(part),
        FastCheck.integer({ min: 1, max: 40 }),
        (parts, limit) => {
          const html = parts.join("")
          const clipped = TelegramHtml.clip(html, limit)
          const before = parse(html)
          const after = parse(clipped)
          assert.isTrue(before.ok && after.ok)
          if (!before.ok || !after.ok) return
          if (before.text.length <= limit) assert.strictEqual(clipped, html)
          else {
            assert.isAtMost(after.text.length, limit)
            assert.isTrue(before.text.startsWith(after.text.slice(0, -1)))
          }
        }
      )
    )
  })
})
