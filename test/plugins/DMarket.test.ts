/** The DMarket check against a local server that verifies signatures. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Either, Exit, Redacted } from "effect"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
import { DMarket, layerClientUndici } from "../../src/plugins/DMarket.js"
import * as DMarketDouble from "../support/DMarketDouble.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import { registered } from "./registered.js"

const keysOf = (keys: DMarketDouble.DMarketKeys, secret = keys.secret128) => ({
  publicKey: Redacted.make(keys.publicKey),
  secretKey: Redacted.make(secret)
})

const open = (input: Parameters<typeof DMarket.layer>[0]) =>
  registered(DMarket.layer(input), layerClientUndici)

describe("DMarket", () => {
  it.scopedLive("without keys the ping decides", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.make()
      const { run } = yield* open({ apiUrl: `${double.url}/` })
      const result = yield* run
      assert.strictEqual(result.service, "dmarket_api")
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(result.message, "DMarket API accessible")
      assert.strictEqual(result.details.authenticated, false)
      assert.deepStrictEqual(
        (yield* double.requests).map(({ url }) => url),
        ["/exchange/v1/ping"]
      )
    })
  )

  it.scopedLive("with keys of any form: the balance, in both formats, on one connection", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.make()
      const { keys } = double
      for (const secret of [keys.secret128, keys.secret64, keys.secretBase64]) {
        const { run } = yield* open({ apiUrl: double.url, ...keysOf(keys, secret) })
        const result = yield* run
        assert.strictEqual(result.status, "healthy", result.message)
        assert.strictEqual(result.note, "Balance: $100.00")
        assert.strictEqual(result.details.balance_usd, 100)
        yield* double.set({ balance: "dollars", usd: 1234.5 })
        assert.strictEqual((yield* run).note, "Balance: $1234.50")
        yield* double.set({ balance: "cents", usd: 100 })
      }
      assert.strictEqual((yield* double.connections).total, 3)
      assert.strictEqual((yield* double.requests).length, 12)
    })
  )

  it.scopedLive(
    "429 is degraded and keeps Retry-After, 401 and 5xx are unhealthy, none is retried",
    () =>
      Effect.gen(function* () {
        const double = yield* DMarketDouble.make()
        const { run } = yield* open({ apiUrl: double.url, ...keysOf(double.keys) })
        yield* double.fault("ping", Behaviour.tooManyRequests(30))
        const limited = yield* run
        assert.strictEqual(limited.status, "degraded")
        assert.deepStrictEqual(limited.retryAfter, Duration.seconds(30))
        yield* double.fault("balance", Behaviour.tooManyRequests(5))
        assert.strictEqual((yield* run).reason, "RateLimited")
        yield* double.fault("ping", Behaviour.text(503, "down"))
        const failed = yield* run
        assert.strictEqual(failed.status, "unhealthy")
        assert.strictEqual(failed.reason, "UnexpectedStatus")
        assert.include(failed.message, "found 503")
        yield* double.fault("balance", Behaviour.badJson())
        assert.strictEqual((yield* run).reason, "Malformed")
        yield* double.fault("balance", Behaviour.json(401, {}))
        yield* double.clear
        const refused = yield* run
        assert.strictEqual(refused.status, "unhealthy")
        assert.strictEqual(refused.reason, "BadCredentials")
        assert.strictEqual((yield* double.requests).length, 2)
        const other = DMarketDouble.makeKeys()
        const strange = yield* open({ apiUrl: double.url, ...keysOf(other) })
        assert.strictEqual((yield* strange.run).reason, "BadCredentials")
      })
  )

  it.scopedLive("a clock that is off is told with its direction", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.make()
      const { run } = yield* open({ apiUrl: double.url, ...keysOf(double.keys) })
      yield* double.set({ skewSeconds: 300 })
      const behind = yield* run
      assert.strictEqual(behind.status, "unhealthy")
      assert.strictEqual(behind.reason, "ClockSkew")
      assert.match(behind.message, /the clock here is (5m|4m 59s) behind the server's/)
      yield* double.set({ skewSeconds: -600 })
      assert.match((yield* run).message, /the clock here is (10m|10m 1s) ahead of the server's/)
      yield* double.set({ skewSeconds: 60 })
      assert.strictEqual((yield* run).status, "healthy")
      yield* double.set({ skewSeconds: 300 })
      yield* double.fault("balance", Behaviour.json(200, { usd: "5" }))
      const tolerated = yield* run
      assert.strictEqual(tolerated.status, "degraded")
      assert.include(tolerated.message, "behind the server's")
    })
  )

  it.scopedLive("down, reset once, back again", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.make()
      yield* double.stop
      const { run } = yield* open({ apiUrl: double.url, ...keysOf(double.keys) })
      const down = yield* run
      assert.strictEqual(down.status, "unhealthy")
      assert.strictEqual(down.reason, "Network")
      yield* double.start
      assert.strictEqual((yield* run).status, "healthy")
      yield* double.fault("balance", Behaviour.reset)
      assert.strictEqual((yield* run).status, "healthy", "a reset is retried")
      yield* double.faultAlways("ping", Behaviour.hang)
      const slow = yield* registered(
        DMarket.layer({ apiUrl: double.url }, { timeout: "100 millis" }),
        layerClientUndici
      )
      assert.strictEqual((yield* slow.run).reason, "Timeout")
    })
  )

  it.effect("wrong and lonely keys are configuration errors that show no key", () =>
    Effect.gen(function* () {
      const keys = DMarketDouble.makeKeys()
      const canary = `${keys.secret64}canary`
      const cases: ReadonlyArray<Record<string, string>> = [
        { publicKey: keys.publicKey },
        { secretKey: keys.secret128 },
        { publicKey: keys.publicKey, secretKey: canary },
        {
          publicKey: keys.publicKey,
          secretKey: keys.secret64 + DMarketDouble.makeKeys().publicKey
        },
        { publicKey: "canary key", secretKey: keys.secret64 },
        { apiUrl: "api.dmarket.com/canary" }
      ]
      for (const input of cases) {
        const decoded = DMarket.decode(input)
        assert.isTrue(Either.isLeft(decoded), JSON.stringify(input))
        const text = Either.isLeft(decoded) ? decoded.left.map(formatIssue).join("\n") : ""
        assert.match(text, /^(publicKey|secretKey|apiUrl): expected .*, found /)
        for (const secret of ["canary", keys.secret64, keys.publicKey]) {
          assert.notInclude(text, secret)
        }
      }
      for (const input of [
        { publicKey: Redacted.make(keys.publicKey) },
        { ...keysOf(keys), secretKey: Redacted.make(canary) }
      ]) {
        const exit = yield* Effect.exit(Effect.scoped(open(input)))
        assert.isTrue(Exit.isFailure(exit))
        const text = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
        assert.include(text, "CheckConfigError")
        assert.include(text, "secretKey: expected")
        assert.notInclude(text, "canary")
        assert.notInclude(text, keys.secret64)
      }
      assert.isTrue(Either.isRight(DMarket.decode({})))
    })
  )

  it.scopedLive("no key is in any result", () =>
    Effect.gen(function* () {
      const double = yield* DMarketDouble.make()
      const { keys } = double
      const { run } = yield* open({ apiUrl: double.url, ...keysOf(keys) })
      const echo = Behaviour.text(500, keys.secret128)
      yield* double.fault("balance", echo, Behaviour.json(401, { message: keys.publicKey }))
      const results = yield* Effect.all([run, run, run])
      assert.deepStrictEqual(
        results.map(({ status }) => status),
        ["unhealthy", "unhealthy", "healthy"]
      )
      for (const secret of [keys.secret128, keys.secret64, keys.publicKey]) {
        assert.notInclude(JSON.stringify(results), secret)
      }
    })
  )
})
