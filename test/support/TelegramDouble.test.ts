import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Behaviour from "./doubles/Behaviour.js"
import { parse } from "./doubles/TelegramHtml.js"
import * as TelegramDouble from "./TelegramDouble.js"

interface Reply {
  readonly ok: boolean
  readonly error_code?: number
  readonly description?: string
  readonly parameters?: Readonly<Record<string, number>>
  readonly result?: Readonly<Record<string, unknown>>
}

const call = (
  double: TelegramDouble.TelegramDouble,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  token = double.token
) =>
  Effect.promise(async () => {
    const response = await fetch(`${double.url}/bot${token}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(params)
    })
    const reply = (await response.json()) as Reply
    return { status: response.status, retryAfter: response.headers.get("retry-after"), ...reply }
  })

const send = (double: TelegramDouble.TelegramDouble, text: string, chat_id: string | number) =>
  call(double, "sendMessage", { chat_id, text, parse_mode: "HTML" })

describe("TelegramDouble", () => {
  it.scopedLive("names the bot and its webhook", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({ username: "holter_bot", pendingUpdates: 12 })
      const me = yield* call(double, "getMe")
      assert.deepInclude(me, { status: 200, ok: true })
      assert.deepInclude(me.result, { is_bot: true, username: "holter_bot", id: 123456789 })
      const info = yield* call(double, "getWebhookInfo")
      assert.deepInclude(info.result, { url: "", pending_update_count: 12 })
      yield* double.set({ webhook: { url: "https://a.example", last_error_message: "timed out" } })
      const set = yield* call(double, "getwebhookinfo")
      assert.deepInclude(set.result, { last_error_message: "timed out", pending_update_count: 12 })
      assert.strictEqual((yield* call(double, "getNothing")).status, 404)
    })
  )

  it.scopedLive("refuses a wrong token, a malformed one, and a revoked one", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      const wrong = yield* call(double, "getMe", {}, "987654321:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
      assert.deepInclude(wrong, { status: 401, description: "Unauthorized", error_code: 401 })
      const malformed = yield* call(double, "getMe", {}, "nonsense")
      assert.deepInclude(malformed, { status: 404, description: "Not Found" })
      yield* double.set({ revoked: true })
      assert.strictEqual((yield* call(double, "getMe")).status, 401)
    })
  )

  it.scopedLive("takes good messages, and records them", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({ chats: [42, "@alerts"] })
      const sent = yield* send(double, "<b>Bot</b>: 1 &lt; 2 &amp; <code>x</code>", double.chatId)
      assert.deepInclude(sent.result, { message_id: 1, text: "Bot: 1 < 2 & x" })
      const form = yield* Effect.promise(() =>
        fetch(`${double.url}/bot${double.token}/sendMessage`, {
          method: "POST",
          body: new URLSearchParams({ chat_id: "@alerts", text: "a < b" })
        })
      )
      assert.strictEqual(form.status, 200)
      const [first, second] = yield* double.awaitMessages(2)
      assert.deepInclude(first, { chat_id: "42", parse_mode: "HTML", plain: "Bot: 1 < 2 & x" })
      assert.deepInclude(second, { chat_id: "@alerts", parse_mode: undefined, plain: "a < b" })
    })
  )

  it.scopedLive("refuses messages as the real server does", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make({
        chats: [42, -5],
        blockedBy: ["42"],
        migrated: { "-5": "-1005" }
      })
      const description = (text: string, chat: string | number = -1005) =>
        Effect.map(
          send(double, text, chat),
          ({ description, status }) => `${status} ${description}`
        )
      assert.strictEqual(
        yield* description("<script>x</script>"),
        '400 Bad Request: can\'t parse entities: Unsupported start tag "script" at byte offset 0'
      )
      assert.strictEqual(
        yield* description("x".repeat(4097)),
        "400 Bad Request: message is too long"
      )
      assert.strictEqual(yield* description(`<b>${"x".repeat(4096)}</b>`), "200 undefined")
      assert.strictEqual(yield* description("<b> </b>"), "400 Bad Request: message text is empty")
      assert.strictEqual(yield* description("hi", 7), "400 Bad Request: chat not found")
      assert.strictEqual(yield* description("hi", 42), "403 Forbidden: bot was blocked by the user")
      const moved = yield* send(double, "hi", -5)
      assert.deepStrictEqual(moved.parameters, { migrate_to_chat_id: -1005 })
      assert.lengthOf(yield* double.messages, 1)
    })
  )

  it.scopedLive("fails when told to, once or until healed", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.make()
      yield* double.fault("sendMessage", TelegramDouble.tooManyRequests(3), Behaviour.reset)
      const limited = yield* send(double, "hi", double.chatId)
      assert.deepInclude(limited, { status: 429, retryAfter: "3" })
      assert.deepStrictEqual(limited.parameters, { retry_after: 3 })
      assert.isTrue((yield* call(double, "getMe")).ok)
      const reset = yield* Effect.exit(Effect.sandbox(send(double, "hi", double.chatId)))
      assert.strictEqual(reset._tag, "Failure")
      assert.isTrue((yield* send(double, "hi", double.chatId)).ok)
      yield* double.faultAlways("*", TelegramDouble.internalError)
      assert.strictEqual((yield* call(double, "getMe")).status, 500)
      assert.strictEqual((yield* call(double, "getMe")).status, 500)
      yield* double.heal
      assert.strictEqual((yield* call(double, "getMe")).status, 200)
    })
  )

  it.scopedLive("as a process it is the same", () =>
    Effect.gen(function* () {
      const double = yield* TelegramDouble.makeProcess()
      yield* double.fault("getMe", TelegramDouble.unauthorized)
      assert.strictEqual((yield* call(double, "getMe")).status, 401)
      yield* send(double, "<i>hi</i>", double.chatId)
      assert.deepInclude((yield* double.awaitMessages(1))[0], { plain: "hi" })
    })
  )

  describe("HTML", () => {
    const cases: ReadonlyArray<readonly [html: string, said: string]> = [
      ["a < b", 'Unsupported start tag "" at byte offset 2'],
      ["a <", "Unclosed start tag at byte offset 2"],
      [
        "a <b and c> d",
        'Expected equal sign in declaration of an attribute of the tag "b" at byte offset 2'
      ],
      ["<<b>", 'Unsupported start tag "<b" at byte offset 0'],
      ["\u00e9<x>", 'Unsupported start tag "x" at byte offset 2'],
      ["<b>bold", 'Can\'t find end tag corresponding to start tag "b"'],
      ["</b>", "Unexpected end tag at byte offset 0"],
      ["<i><b>x</i></b>", 'Unmatched end tag at byte offset 7, expected "</b>", found "</i>"'],
      ["<b", "Unclosed start tag at byte offset 0"],
      ["<b>x</b", "Unclosed end tag at byte offset 4"],
      ["<a href=http://x>y</a>", "Unexpected end of name token at byte offset 8"],
      ['<a href="x>y</a>', "Unclosed start tag at byte offset 0"],
      ["<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
      ["<b>1</b> &lt;2 &unknown; &#65;&#x42", "1 <2 &unknown; AB"],
      ['<PRE><code class="language-ts">x</code></PRE>', "x"],
      ["<a href='http://x/?a=1&amp;b'>y</a>", "y"],
      ["<blockquote expandable>q</blockquote>", "q"],
      ['<span class="tg-spoiler">s</span>', "s"]
    ]
    it.each(cases)("%s", (html, said) => {
      const parsed = parse(html)
      assert.strictEqual(parsed.ok ? parsed.text : parsed.problem, said)
    })
  })
})
