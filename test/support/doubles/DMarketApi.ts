/**
 * The part of DMarket's API that Holter uses: the public ping, and the balance behind a signature
 * that is really verified.
 */
import { type Behaviour, json, withDate } from "./Behaviour.js"
import { type DMarketKeys, verifies } from "./DMarketKeys.js"
import * as Faults from "./Faults.js"
import type { Api, RecordedRequest } from "./HttpCore.js"
import { faultCommand } from "./TelegramApi.js"

export interface DMarketState {
  /** Cents as strings under `usd`, or dollars as a number under `balance`. */
  readonly balance: "cents" | "dollars"
  /** In dollars. */
  readonly usd: number
  /** How far this server's clock is ahead of the machine's. */
  readonly skewSeconds: number
}

export interface DMarketOptions extends Partial<DMarketState> {
  readonly keys: DMarketKeys
}

/** A request signed longer ago, or in the future, is refused. */
const tolerance = 120

const paths: Readonly<Record<string, string>> = {
  "/exchange/v1/ping": "ping",
  "/account/v1/balance": "balance"
}

export const make = (options: DMarketOptions): Api => {
  const faults = Faults.make()
  let state: DMarketState = { balance: "cents", usd: 100, skewSeconds: 0, ...options }

  const answer = (request: RecordedRequest): Behaviour => {
    const subject = paths[request.url.split("?")[0] ?? ""] ?? "unknown"
    const fault = faults.next(subject)
    if (fault !== undefined) return fault
    if (request.method !== "GET" || subject === "unknown") {
      return json(404, { code: "NotFound", message: "Not Found" })
    }
    if (subject === "ping") return json(200, { status: "ok" })
    const problem = refusal(request, options.keys, state.skewSeconds)
    return problem === undefined
      ? json(200, balance(state))
      : json(401, { code: "Unauthorized", message: problem })
  }

  return {
    handle: (request) => withDate(state.skewSeconds, answer(request)),
    command: (name, payload) => {
      if (name === "set") {
        state = { ...state, ...(payload as Partial<DMarketState>) }
        return undefined
      }
      return faultCommand(faults, name, payload, (subject) => subject)
    }
  }
}

const balance = (state: DMarketState): unknown => {
  const cents = String(Math.round(state.usd * 100))
  return state.balance === "dollars"
    ? { balance: state.usd }
    : { usd: cents, usdAvailableToWithdraw: cents, dmc: "0", dmcAvailableToWithdraw: "0" }
}

const refusal = (
  request: RecordedRequest,
  keys: DMarketKeys,
  skewSeconds: number
): string | undefined => {
  const signed = request.headers["x-sign-date"] ?? ""
  if (request.headers["x-api-key"]?.toLowerCase() !== keys.publicKey) return "unknown API key"
  if (!/^\d+$/.test(signed)) return "X-Sign-Date is no unix time"
  const now = Date.now() / 1000 + skewSeconds
  if (Math.abs(now - Number(signed)) > tolerance) return "X-Sign-Date is too far from now"
  const message = {
    method: request.method,
    path: request.url,
    body: request.body,
    unixSeconds: Number(signed)
  }
  return verifies(keys.publicKey, message, request.headers["x-request-sign"] ?? "")
    ? undefined
    : "the signature does not verify"
}
