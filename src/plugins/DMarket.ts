/**
 * The check of DMarket's trading API: does it answer, and with keys: do they work, and what is the
 * balance.
 */
import { Effect, Predicate, Schedule, Schema } from "effect"
import * as Check from "../Check/Check.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import * as DMarketApi from "./DMarket/DMarketApi.js"
import { isSecretKey } from "./DMarket/Signature.js"
import { apiUrl } from "./shared/ApiUrl.js"
import { layerCheck } from "./shared/HttpExchange.js"
import { proxy } from "./shared/ProxyField.js"
import { secretOf } from "./shared/SecretField.js"

export { DMarketError } from "./DMarket/DMarketApi.js"
export { HttpExchange, layerClientHttpClient, layerClientUndici } from "./shared/HttpExchange.js"

const secretKey = secretOf({
  identifier: "DMarketSecretKey",
  description:
    "a DMarket secret key: 128 hex digits (seed and its public key), 64 hex digits (seed), or the same bytes in base64",
  is: isSecretKey
})

const publicKey = secretOf({
  identifier: "DMarketPublicKey",
  description: "a DMarket API key: letters and digits on one line",
  is: (text) => /^[!-~]+$/.test(text)
})

const config = {
  publicKey: Schema.optional(publicKey),
  secretKey: Schema.optional(secretKey),
  apiUrl: ConfigField.withDefault(apiUrl, "https://api.dmarket.com"),
  proxy
}

/** A key without the other is a mistake, which the fields one by one cannot see. */
const halfConfigured = (input: unknown): ReadonlyArray<ConfigIssue> => {
  const has = (key: string) =>
    Predicate.hasProperty(input, key) && input[key] !== undefined && input[key] !== null
  if (has("publicKey") === has("secretKey")) return []
  const [given, missing] = has("publicKey")
    ? ["publicKey", "secretKey"]
    : ["secretKey", "publicKey"]
  return [
    {
      path: [missing],
      expected: `the other half of ${given}, or neither of them`,
      found: "nothing"
    }
  ]
}

/**
 * Without keys the public ping decides. With both keys the balance is asked for as well: refused
 * keys, and a clock that is too far off to sign, are unhealthy.
 */
export const DMarket = Check.make("dmarket", {
  name: "dmarket_api",
  label: "DMarket API",
  description: "DMarket's API: reachable, and with keys: accepted, clock in step, balance",
  config,
  rules: halfConfigured,
  error: DMarketApi.DMarketError,
  statuses: { RateLimited: "degraded" },
  retry: {
    schedule: Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(1)),
    while: (error) => error.isRetryable
  },
  probe: ({ apiUrl, publicKey, secretKey }) =>
    Effect.gen(function* () {
      const answer = yield* DMarketApi.ping(apiUrl)
      const facts = {
        ping_ms: answer.reply.timings.total_ms,
        ...DMarketApi.skewDetails(answer.skew)
      }
      if (publicKey === undefined || secretKey === undefined) {
        return Outcome.healthy("DMarket API accessible", {
          details: { ...facts, authenticated: false }
        })
      }
      const { skew, usd } = yield* DMarketApi.balance(apiUrl, { publicKey, secretKey })
      const details = {
        ...facts,
        ...DMarketApi.skewDetails(skew),
        authenticated: true,
        balance_usd: usd
      }
      return DMarketApi.isBeyondLimit(skew)
        ? Outcome.degraded(`DMarket API accessible, but ${DMarketApi.describeSkew(skew)}`, {
            details
          })
        : Outcome.healthy("DMarket API accessible", {
            details,
            note: `Balance: ${usd < 0 ? "-" : ""}$${Math.abs(usd).toFixed(2)}`
          })
    }),
  services: layerCheck
})
