/** The Telegram channel against a local server that speaks the Bot API. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Logger, Redacted } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import { formatIssue } from "../../src/Check/CheckError.js"
import { TelegramChannel } from "../../src/plugins/Telegram.js"
import { alert } from "../Alert/alerts.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import { openChannel } from "./openChannel.js"

const open = (
  double: TelegramDouble.TelegramDouble,
  more: Partial<Parameters<typeof TelegramChannel.layerStandalone>[0]> = {}
) =>
  openChannel(
    TelegramChannel.layerStandalone(
      {
        token: Redacted.make(double.token),
        chatId: double.chatId,
        apiUrl: double.url,
        ...more
      },
      { name: "ops", installation: "A & B <bot>" }
    )
  )

const opened = alert("opened", "redis")
const says = (message: string): Alert => ({
  ...opened,
  subjects: [{ ...opened.subjects[0], message }]
})

describe("the Telegram channel", () => {
  it.scopedLive("sends the title in bold and what happened, with nothing read as markup", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { send } = yield* open(double)
      yield* send(says(`<b>5 < 6</b> & "quoted" &amp; 😀`))
      const [message] = yield* double.messages
      assert.strictEqual(message?.chat_id, double.chatId)
      assert.strictEqual(message?.parse_mode, "HTML")
      const [title, line] = message?.plain.split("\n") ?? []
      assert.strictEqual(title, "A & B <bot>: redis is unhealthy")
      assert.match(line ?? "", /^redis: unhealthy since .* <b>5 < 6<\/b> & "quoted" &amp; 😀$/)
      assert.isTrue(message?.text.startsWith("<b>A &amp; B &lt;bot&gt;: redis is unhealthy</b>"))
      assert.notProperty(message?.params, "disable_notification")
    })
  )

  it.scopedLive("cuts what is longer than Telegram takes, as Telegram counts", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { send } = yield* open(double, { silent: true, thread: 7 })
      // Each of these is two units, one unit and, escaped, five characters.
      for (const long of ["😀", "é", "&"]) yield* send(says(long.repeat(5000)))
      const messages = yield* double.messages
      assert.lengthOf(messages, 3)
      for (const { plain } of messages) {
        assert.isAtLeast(plain.length, 4095)
        assert.isAtMost(plain.length, 4096)
        assert.isTrue(plain.endsWith("…"))
        assert.notMatch(plain, /\p{Surrogate}/u)
      }
      assert.deepInclude(messages[0]?.params, {
        disable_notification: "true",
        message_thread_id: "7"
      })
    })
  )

  it.scopedLive("knows what passes from what does not", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { refused } = yield* open(double)
      const cases = [
        [TelegramDouble.tooManyRequests(17), "Transient"],
        [TelegramDouble.internalError, "Transient"],
        [TelegramDouble.badGateway, "Transient"],
        [Behaviour.text(200, "<html>"), "Transient"],
        [{ _tag: "Reset" }, "Transient"],
        [TelegramDouble.blocked, "Permanent"],
        [TelegramDouble.kicked, "Permanent"],
        [TelegramDouble.chatNotFound, "Permanent"],
        [TelegramDouble.error(400, "Bad Request: TOPIC_CLOSED"), "Permanent"],
        [TelegramDouble.unauthorized, "Misconfigured"]
      ] as const
      for (const [fault, reason] of cases) {
        yield* double.fault("sendMessage", fault)
        const error = yield* refused(opened)
        assert.strictEqual(error.reason, reason, error.message)
        assert.match(error.message, /^Channel ops: Telegram API: \S/)
        assert.notInclude(JSON.stringify(error) + error.message, double.token)
        const rest = error.retryAfter === undefined ? 0 : Duration.toSeconds(error.retryAfter)
        assert.strictEqual(rest, fault === cases[0][0] ? 17 : 0)
      }
      assert.isEmpty(yield* double.messages)
      yield* double.stop
      assert.strictEqual((yield* refused(opened)).reason, "Transient")
    })
  )

  it.scopedLive("follows a group that became a supergroup, and says its new id", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({
        chats: ["-5"],
        migrated: { "-5": "-1005" }
      })
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const { send } = yield* open(double)
      yield* Effect.provide(send(opened), Logger.replace(Logger.defaultLogger, logger))
      assert.deepStrictEqual(
        (yield* double.messages).map(({ chat_id }) => chat_id),
        ["-1005"]
      )
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /group -5 .* new chat id, -1005/)
    })
  )

  it("takes a chat id as a number, a text or a name, and refuses what is none", () => {
    const token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
    for (const chatId of [42, -1_001_234_567_890, "-1001234567890", "@ops"]) {
      assert.isTrue(Either.isRight(TelegramChannel.decode({ token, chatId })), String(chatId))
    }
    for (const chatId of ["ops", 4.5, "", "https://t.me/ops"]) {
      const issues = Either.flip(TelegramChannel.decode({ token, chatId }))
      const text = Either.getOrElse(issues, () => [])
        .map(formatIssue)
        .join()
      assert.match(text, /^chatId: expected a chat id such as 424242/, String(chatId))
    }
  })
})
