import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as DMarketDouble from "./DMarketDouble.js"
import * as Behaviour from "./doubles/Behaviour.js"

const path = "/account/v1/balance"

const get = (url: string, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, { headers })
    return {
      status: response.status,
      date: Date.parse(response.headers.get("date") ?? ""),
      body: (await response.json()) as Readonly<Record<string, unknown>>
    }
  })

/** Signed now, on a clock that is off by so many seconds. */
const signed = (keys: DMarketDouble.DMarketKeys, offset = 0, signedPath = path) =>
  DMarketDouble.sign(keys, {
    method: "GET",
    path: signedPath,
    unixSeconds: Math.floor(Date.now() / 1000) + offset
  })

describe("DMarketDouble", () => {
  it.scopedLive("answers the ping and both forms of the balance", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.make({ usd: 123.45 })
      assert.strictEqual((yield* get(`${double.url}/exchange/v1/ping`)).status, 200)
      const cents = yield* get(`${double.url}${path}`, signed(double.keys))
      assert.deepInclude(cents.body, { usd: "12345", usdAvailableToWithdraw: "12345" })
      yield* double.set({ balance: "dollars" })
      const dollars = yield* get(`${double.url}${path}`, signed(double.keys))
      assert.deepStrictEqual(dollars.body, { balance: 123.45 })
    })
  )

  it.scopedLive("verifies the signature, the key and what was signed", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.make()
      const status = (headers: Record<string, string>, url = `${double.url}${path}`) =>
        Effect.map(get(url, headers), (answer) => answer.status)
      const good = signed(double.keys)
      const signature = good["X-Request-Sign"] ?? ""
      const flipped = signature.slice(0, -1) + (signature.endsWith("0") ? "1" : "0")
      assert.strictEqual(yield* status(good), 200)
      assert.strictEqual(yield* status({ ...good, "X-Request-Sign": flipped }), 401)
      assert.strictEqual(yield* status({ ...good, "X-Request-Sign": signature.slice(5) }), 401)
      assert.strictEqual(yield* status({}), 401)
      assert.strictEqual(yield* status(signed(DMarketDouble.makeKeys())), 401)
      assert.strictEqual(yield* status(good, `${double.url}${path}?a=1`), 401)
      const query = signed(double.keys, 0, `${path}?a=1`)
      assert.strictEqual(yield* status(query, `${double.url}${path}?a=1`), 200)
    })
  )

  it.scopedLive(
    "refuses a signature that is two minutes off its own clock, and shows that clock",
    () =>
      Effect.gen(function* () {
        const double = yield* DMarketDouble.make()
        const status = (offset: number) =>
          Effect.map(
            get(`${double.url}${path}`, signed(double.keys, offset)),
            ({ status }) => status
          )
        assert.strictEqual(yield* status(-110), 200)
        assert.strictEqual(yield* status(-130), 401)
        assert.strictEqual(yield* status(130), 401)
        yield* double.set({ skewSeconds: 600 })
        assert.strictEqual(yield* status(0), 401)
        assert.strictEqual(yield* status(600), 200)
        const { date } = yield* get(`${double.url}/exchange/v1/ping`)
        assert.closeTo(date - Date.now(), 600_000, 5000)
      })
  )

  it.scopedLive("fails when told to", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.make()
      yield* double.fault("ping", Behaviour.json(429, {}, { "retry-after": "9" }))
      yield* double.faultAlways("balance", Behaviour.json(503, {}))
      assert.strictEqual((yield* get(`${double.url}/exchange/v1/ping`)).status, 429)
      assert.strictEqual((yield* get(`${double.url}/exchange/v1/ping`)).status, 200)
      assert.strictEqual((yield* get(`${double.url}${path}`, signed(double.keys))).status, 503)
      yield* double.heal
      assert.strictEqual((yield* get(`${double.url}${path}`, signed(double.keys))).status, 200)
    })
  )

  it.scopedLive("as a process it is the same", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.makeProcess()
      const { body } = yield* get(`${double.url}${path}`, signed(double.keys))
      assert.deepInclude(body, { usd: "10000" })
    })
  )

  it.effect("makes the secret in every form", () =>
    Effect.sync(() => {
      const keys = DMarketDouble.makeKeys()
      assert.match(keys.publicKey, /^[0-9a-f]{64}$/)
      assert.strictEqual(keys.secret128, keys.secret64 + keys.publicKey)
      assert.strictEqual(Buffer.from(keys.secretBase64, "base64").toString("hex"), keys.secret128)
      assert.strictEqual(Buffer.from(keys.seedBase64, "base64").toString("hex"), keys.secret64)
    })
  )
})
