/** The webhook channel against a local server. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Redacted, Schema } from "effect"
import { createHmac } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { AlertDocument } from "../../src/Alert/AlertDocument.js"
import { shortened } from "../../src/Alert/AlertChannelError.js"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
import { WebhookChannel } from "../../src/plugins/Webhook.js"
import { alert } from "../Alert/alerts.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as TempDir from "../support/TempDir.js"
import { openChannel } from "./openChannel.js"

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
const key = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64")

const open = (
  url: string,
  more: Partial<Parameters<typeof WebhookChannel.layerStandalone>[0]> = {},
  installation?: string
) =>
  openChannel(
    WebhookChannel.layerStandalone(
      { url: Redacted.make(url), secret: Redacted.make(secret), ...more },
      { name: "hook", installation }
    )
  )

const opened = alert("opened", "redis", { channel: "hook" })

describe("the webhook channel", () => {
  it.scopedLive("posts the alert as JSON, signed over what was sent", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "POST /in": Behaviour.text(202, "") } })
      const { send } = yield* open(`${double.url}/in?team=ops`, {}, "DMarket Bot")
      const [subject] = opened.subjects
      yield* send({ ...opened, subjects: [{ ...subject, link: "https://g.example.com/" }] })
      const [request] = yield* double.requests
      const { body = "", headers = {} } = request ?? {}
      assert.strictEqual(request?.url, "/in?team=ops")
      assert.strictEqual(headers["content-type"], "application/json")
      assert.strictEqual(headers["webhook-id"], "redis-1/hook/opened/0")
      assert.strictEqual(headers["idempotency-key"], headers["webhook-id"])
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`
      const expected = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`
      assert.strictEqual(headers["webhook-signature"], expected)

      const document = yield* Schema.decodeUnknown(Schema.parseJson(AlertDocument))(body)
      assert.deepInclude(document, {
        version: 1,
        type: "alert.opened",
        timestamp: "2026-01-01T00:00:00.000Z",
        key: "redis-1/hook/opened/0",
        channel: "hook",
        severity: "unhealthy",
        installation: "DMarket Bot",
        title: "redis is unhealthy"
      })
      assert.deepInclude(document.services[0], {
        service: "redis",
        label: "redis",
        link: "https://g.example.com/",
        runbook: null,
        status: "unhealthy",
        previous_status: "healthy",
        since: "2026-01-01T00:00:00.000Z",
        duration_ms: 0,
        over: false
      })
    })
  )

  it.scopedLive("has the same id at every attempt, free of dots and of what no header takes", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: { "*": [Behaviour.text(500, "no"), Behaviour.text(204, "")] }
      })
      const { refused, send } = yield* open(double.url)
      const odd = alert("opened", "api.eu-1 ✓", { channel: "hook" })
      yield* refused(odd)
      yield* send(odd)
      const ids = (yield* double.requests).map(({ headers }) => headers["webhook-id"])
      assert.deepStrictEqual(ids, Array(2).fill("api%2Eeu-1%20%E2%9C%93-1/hook/opened/0"))
    })
  )

  it.scopedLive("signs with a plain text as well, or not at all, and sends more headers", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "") } })
      const plain = yield* open(double.url, {
        secret: Redacted.make("a plain secret"),
        headers: { Authorization: Redacted.make("Bearer t0ken-of-ours") }
      })
      yield* plain.send(opened)
      const unsigned = yield* open(double.url, { secret: undefined })
      yield* unsigned.send(opened)
      const [first, second] = yield* double.requests
      const { headers = {} } = first ?? {}
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${first?.body}`
      assert.strictEqual(
        headers["webhook-signature"],
        `v1,${createHmac("sha256", "a plain secret").update(signed).digest("base64")}`
      )
      assert.strictEqual(headers["authorization"], "Bearer t0ken-of-ours")
      assert.notProperty(second?.headers, "webhook-signature")
      assert.property(second?.headers, "webhook-id")
    })
  )

  it.scopedLive("does not show the path that a receiver says back", () =>
    Effect.gen(function* () {
      const place = "/services/T0AAA/B0BBB/XyZsEcReTpAtH1234"
      const said = `{"message":"Route POST:${place} not found","last":"XyZsEcReTpAtH1234"}`
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(404, said) } })
      const { refused } = yield* open(`${double.url}${place}`)
      const { message } = yield* refused(opened)
      assert.include(message, "Route POST:<redacted> not found")
      assert.notInclude(message, "T0AAA")
      assert.notInclude(message, "XyZsEcReTpAtH1234")
    })
  )

  it.scopedLive("knows what passes from what does not", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make()
      const { refused } = yield* open(`${double.url}/in`)
      const cases = [
        [
          Behaviour.text(500, "Internal\n  trouble"),
          "Transient",
          /found HTTP 500: Internal trouble$/
        ],
        [Behaviour.text(503, "", { "retry-after": "30" }), "Transient", /found HTTP 503$/],
        [Behaviour.tooManyRequests(30), "Transient", /HTTP 429/],
        [Behaviour.text(408, ""), "Transient", /HTTP 408/],
        [Behaviour.text(425, ""), "Transient", /HTTP 425/],
        [Behaviour.text(400, "bad"), "Refused", /HTTP 400; .* does not take this alert: bad/],
        [Behaviour.text(413, ""), "Refused", /HTTP 413/],
        [Behaviour.text(422, ""), "Refused", /HTTP 422/],
        [Behaviour.text(401, ""), "Misconfigured", /does not accept the secret/],
        [Behaviour.text(403, ""), "Misconfigured", /does not accept the secret/],
        [Behaviour.text(404, ""), "Permanent", /nothing takes alerts/],
        [Behaviour.text(405, ""), "Permanent", /nothing takes alerts/],
        [Behaviour.text(410, ""), "Permanent", /nothing takes alerts/],
        [Behaviour.redirect(`${double.url}/there`), "Misconfigured", /redirects are not followed/],
        [{ _tag: "Reset" }, "Transient", /reset/],
        [{ _tag: "Truncate" }, "Transient", /closed/],
        [Behaviour.resetMidBody, "Transient", /reset|closed/],
        [Behaviour.raw("HTTP/1.1 200"), "Transient", /closed/],
        [Behaviour.raw("SSH-2.0-OpenSSH"), "Transient", /not HTTP/],
        [Behaviour.text(404, "no such page ".repeat(10_000)), "Permanent", /nothing takes alerts/],
        [Behaviour.text(500, "trouble ".repeat(10_000)), "Transient", /HTTP 500: trouble/]
      ] as const
      for (const [answer, reason, words] of cases) {
        yield* double.on("/in", answer)
        const error = yield* refused(opened)
        assert.match(error.message, words)
        assert.strictEqual(error.reason, reason, error.message)
        assert.notInclude(JSON.stringify(error) + error.message, "whsec_")
      }
      const urls = (yield* double.requests).map(({ url }) => url)
      assert.notInclude(urls, "/there")
      yield* double.stop
      const gone = yield* refused(opened)
      assert.strictEqual(gone.reason, "Transient")
      assert.match(gone.message, /^Channel hook: 127\.0\.0\.1:\d+: connection refused/)
    })
  )

  it.scopedLive("says of which attempt it is not clear whether it arrived", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make()
      const { refused } = yield* open(`${double.url}/in`)
      for (const [answer, unclear] of [
        [Behaviour.text(500, ""), true],
        [Behaviour.text(502, ""), true],
        [Behaviour.text(504, ""), true],
        [Behaviour.text(503, ""), false],
        [Behaviour.tooManyRequests(30), false],
        [Behaviour.text(400, ""), false],
        [{ _tag: "Reset" }, true],
        [{ _tag: "Truncate" }, true],
        [Behaviour.resetMidBody, true],
        [Behaviour.raw("SSH-2.0-OpenSSH"), true]
      ] as const) {
        yield* double.on("/in", answer)
        const error = yield* refused(opened)
        assert.strictEqual(error.unclear === true, unclear, error.message)
      }
      yield* double.stop
      assert.notStrictEqual((yield* refused(opened)).unclear, true)
    })
  )

  it.scopedLive("has the word of the status, however much a receiver says behind it", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make()
      const { send } = yield* open(`${double.url}/in`)
      for (const answer of [
        Behaviour.text(200, "<html> not JSON", { "content-type": "application/json" }),
        Behaviour.text(200, "x".repeat(1_000_000)),
        Behaviour.endless(),
        Behaviour.text(204, "")
      ]) {
        yield* double.on("/in", answer)
        yield* send(opened)
      }
      assert.lengthOf(yield* double.requests, 4)
    })
  )

  it.scopedLive("shows no part of a secret at the end of what was cut", () =>
    Effect.gen(function* () {
      const canary = "s3cr3t-canary-that-is-said-back"
      const double = yield* HttpDouble.make()
      const { refused } = yield* open(double.url, { secret: Redacted.make(canary) })
      for (let before = 330; before < 400; before += 3) {
        yield* double.on("*", Behaviour.text(500, `${"a ".repeat(before / 2)}${canary} end`))
        const { message } = shortened(yield* refused(opened))
        assert.isAtMost(message.length, 500)
        assert.notMatch(message, /s3cr/)
      }
    })
  )

  it.scopedLive("waits as long as it is asked to", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.tooManyRequests(30) } })
      const { refused } = yield* open(double.url)
      assert.deepStrictEqual((yield* refused(opened)).retryAfter, Duration.seconds(30))
    })
  )

  it("refuses what it could not send, and shows no secret", () => {
    const canary = "s3cr3t-canary"
    const wrong = {
      url: `ftp://bot:${canary}@h`,
      secret: `whsec_${canary}`,
      headers: { "webhook-id": canary },
      timeout: 5
    }
    const issues = Either.getOrElse(Either.flip(WebhookChannel.decode(wrong)), () => []).map(
      formatIssue
    )
    assert.deepStrictEqual(
      issues.map((issue) => issue.split(":")[0]),
      ["url", "headers.webhook-id", "timeout", "secret"]
    )
    assert.notInclude(issues.join(), canary)
    const headers = { "x-team": `${canary} ✓`, "x-ok": "é" }
    const unsendable = WebhookChannel.decode({ url: "https://h", headers })
    assert.deepStrictEqual(Either.getOrElse(Either.flip(unsendable), () => []).map(formatIssue), [
      "headers.x-team: expected letters that an HTTP header can hold (Latin-1), found others (not shown)"
    ])
  })
})

/** The code that docs/alerts.md gives to who writes a receiver. */
const example = Effect.gen(function* () {
  const folder = yield* TempDir.make("receiver")
  const docs = readFileSync(new URL("../../docs/alerts.md", import.meta.url), "utf8")
  const [, code = ""] = /```js\n(.*?)```/s.exec(docs) ?? []
  const file = path.join(folder, "receiver.mjs")
  writeFileSync(file, code)
  const module = yield* Effect.promise(
    () =>
      import(pathToFileURL(file).href) as Promise<{
        readonly isGenuine: (
          headers: Readonly<Record<string, string>>,
          body: string,
          secret: string,
          now?: number
        ) => boolean
      }>
  )
  return module.isGenuine
})

describe("the receiver in docs/alerts.md", () => {
  it.scopedLive("knows what was sent from what was not", () =>
    Effect.gen(function* () {
      const isGenuine = yield* example
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "") } })
      for (const one of [secret, "a plain secret"]) {
        yield* double.clear
        const { send } = yield* open(double.url, { secret: Redacted.make(one) })
        yield* send(opened)
        const [request] = yield* double.requests
        const { body = "", headers = {} } = request ?? {}
        const time = Number(headers["webhook-timestamp"])
        assert.isTrue(isGenuine(headers, body, one))
        assert.isFalse(isGenuine(headers, `${body} `, one))
        assert.isFalse(isGenuine(headers, body, "another secret"))
        assert.isFalse(isGenuine({ ...headers, "webhook-id": "x" }, body, one))
        assert.isFalse(isGenuine(headers, body, one, time + 301))
        assert.isFalse(isGenuine({}, body, one))
      }
    })
  )
})
