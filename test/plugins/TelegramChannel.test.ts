/** The Telegram channel against a local server that speaks the Bot API. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Logger, Redacted } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import { shortened } from "../../src/Alert/AlertChannelError.js"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
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
const moved = (to: number) =>
  TelegramDouble.error(400, "Bad Request: group chat was upgraded to a supergroup chat", {
    migrate_to_chat_id: to
  })
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

  it.scopedLive("has a runbook and a link to press, and a runbook of words as words", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { send } = yield* open(double)
      const [subject] = opened.subjects
      const link = 'https://g.example.com/?a=1&b="2"&c=<3>'
      yield* send({ ...opened, subjects: [{ ...subject, link, runbook: "first <this> & that" }] })
      yield* send({ ...opened, subjects: [{ ...subject, runbook: "https://wiki.example.com/" }] })
      const [both, one] = yield* double.messages
      const href = "https://g.example.com/?a=1&amp;b=&quot;2&quot;&amp;c=&lt;3&gt;"
      assert.deepStrictEqual(both?.text.split("\n").slice(2), [
        "Runbook: first &lt;this&gt; &amp; that",
        `<a href="${href}">Link</a>`
      ])
      assert.include(one?.text, '\n<a href="https://wiki.example.com/">Runbook</a>')
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

  it.scopedLive("goes without its topic where that is not there, once, and says so", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const warnings: Array<string> = []
      const logger = Logger.make(({ message }) => void warnings.push(String(message)))
      const { send } = yield* open(double, { thread: 7 })
      yield* Effect.gen(function* () {
        for (const gone of ["message thread not found", "TOPIC_DELETED", "TOPIC_CLOSED"]) {
          yield* double.fault("sendMessage", TelegramDouble.error(400, `Bad Request: ${gone}`))
          yield* send(opened)
        }
        yield* send(opened)
      }).pipe(Effect.provide(Logger.add(logger)))
      const messages = yield* double.messages
      assert.deepStrictEqual(
        messages.map(({ params }) => params["message_thread_id"]),
        [undefined, undefined, undefined, "7"]
      )
      assert.match(
        messages[0]?.plain ?? "",
        /The topic 7 of this group is not there or is closed\.$/
      )
      assert.notMatch(messages[3]?.plain ?? "", /topic/)
      assert.lengthOf(warnings, 1)
      assert.match(warnings[0] ?? "", /topic 7 .* Set `thread`/)
    })
  )

  it.scopedLive("names no topic for General, whose number Telegram refuses", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { send } = yield* open(double, { thread: 1 })
      yield* send(opened)
      const [message] = yield* double.messages
      assert.notProperty(message?.params, "message_thread_id")
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
        [Behaviour.badJson(), "Transient"],
        [Behaviour.json(200, { ok: false }), "Transient"],
        [Behaviour.json(200, { ok: true, result: true }), "Transient"],
        [Behaviour.json(200, { ok: false, error_code: 500 }), "Transient"],
        [Behaviour.json(200, { ok: false, error_code: 403 }), "Permanent"],
        [Behaviour.redirect("https://example.com/elsewhere"), "Transient"],
        [Behaviour.truncate, "Transient"],
        [Behaviour.resetMidBody, "Transient"],
        [{ _tag: "Reset" }, "Transient"],
        [TelegramDouble.blocked, "Permanent"],
        [TelegramDouble.kicked, "Permanent"],
        [TelegramDouble.chatNotFound, "Permanent"],
        [TelegramDouble.error(400, "Bad Request: TOPIC_CLOSED"), "Permanent"],
        [TelegramDouble.error(400, "Bad Request: not enough rights to send text"), "Permanent"],
        [TelegramDouble.error(400, "Bad Request: can't parse entities: x"), "Refused"],
        [TelegramDouble.error(400, "Bad Request: message is too long"), "Refused"],
        [TelegramDouble.error(413, "Request Entity Too Large"), "Refused"],
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

  it.scopedLive("sends what was cut in the middle of a character, on one line", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { send } = yield* open(double)
      yield* send(says("cut \ud83d\nhere \ude00"))
      const [message] = yield* double.messages
      assert.match(message?.plain ?? "", /cut \ufffd here \ufffd$/)
    })
  )

  it.scopedLive("sends to a channel by its name", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({ chats: ["@ops_news"] })
      const { refused, send } = yield* open(double)
      yield* send(opened)
      assert.deepStrictEqual(
        (yield* double.messages).map(({ chat_id }) => chat_id),
        ["@ops_news"]
      )
      const error = TelegramDouble.error(403, "Forbidden: bot is not a member of the channel chat")
      yield* double.fault("sendMessage", error)
      assert.strictEqual((yield* refused(opened)).reason, "Permanent")
    })
  )

  it.scopedLive("says what a server said in a length that can be read", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { refused } = yield* open(double)
      const long = TelegramDouble.error(400, `Bad Request: ${"x".repeat(100_000)}`)
      yield* double.fault("sendMessage", long)
      assert.isAtMost(shortened(yield* refused(opened)).message.length, 500)
    })
  )

  it.scopedLive("follows a group that became a supergroup, and says its new id once", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({
        chats: ["-5"],
        migrated: { "-5": "-1005" }
      })
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const { send } = yield* open(double)
      yield* Effect.gen(function* () {
        for (const one of [opened, opened, opened]) yield* send(one)
        assert.deepStrictEqual(
          (yield* double.messages).map(({ chat_id }) => chat_id),
          ["-1005", "-1005", "-1005"]
        )
        // The old one was asked by the first message only.
        assert.lengthOf(yield* double.requests, 4)
        assert.lengthOf(lines, 1)
        assert.match(lines[0] ?? "", /group -5 .* new chat id, -1005/)

        // It is another one by now, and then it is gone: nothing is sent to where nobody is.
        yield* double.fault("sendMessage", moved(-1006))
        yield* double.set({ migrated: { "-5": "-1006" } })
        yield* send(opened)
        assert.strictEqual((yield* double.messages).at(-1)?.chat_id, "-1006")
        assert.lengthOf(lines, 2)
        yield* double.fault("sendMessage", TelegramDouble.chatNotFound)
        yield* Effect.flip(send(opened))
        yield* double.set({ migrated: { "-5": "-1007" } })
        yield* send(opened)
        assert.strictEqual((yield* double.messages).at(-1)?.chat_id, "-1007")

        // After a restart it is found as the first time, and told as the first time.
        yield* double.clear
        const again = yield* open(double)
        for (const one of [opened, opened]) yield* again.send(one)
        assert.lengthOf(yield* double.requests, 3)
        assert.lengthOf(lines, 4)
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    })
  )

  it.scopedLive("does not follow a group for ever", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const { refused } = yield* open(double)
      yield* double.faultAlways("sendMessage", moved(-1005))
      assert.strictEqual((yield* refused(opened)).reason, "Transient")
      assert.lengthOf(yield* double.requests, 4)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
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
