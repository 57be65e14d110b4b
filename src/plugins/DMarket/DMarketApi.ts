/**
 * The part of DMarket's API that tells whether it can be used: the public ping and the signed
 * balance.
 *
 * @internal
 */
import { Clock, Duration, Effect, Either, Option, Predicate, Redacted, Schema } from "effect"
import { reported } from "../shared/ErrorFields.js"
import {
  HttpExchange,
  type HttpFault,
  httpDate,
  type Reply,
  retryAfter
} from "../shared/HttpExchange.js"
import * as Signature from "./Signature.js"

export class DMarketError extends Schema.TaggedError<DMarketError>(
  "holter/plugins/DMarket/DMarketError"
)("DMarketError", {
  reason: Schema.Literal(
    "RateLimited",
    "BadCredentials",
    "ClockSkew",
    "UnexpectedStatus",
    "Malformed",
    "Network"
  ),
  problem: Schema.String,
  isRetryable: Schema.Boolean,
  ...reported,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `DMarket API: ${this.problem}`
  }
}

export interface Keys {
  readonly publicKey: Redacted.Redacted<string>
  readonly secretKey: Redacted.Redacted<string>
}

/** An answer of the server, and how far its clock is ahead of the one here. */
export interface Answer {
  readonly reply: Reply
  readonly skew: Skew | undefined
}

export interface Skew {
  /** Negative when the server's clock is behind. */
  readonly seconds: number
}

/** DMarket refuses what was signed by a clock that is further off. */
const skewLimit = Duration.minutes(2)

export const isBeyondLimit = (skew: Skew | undefined): skew is Skew =>
  skew !== undefined && Math.abs(skew.seconds) > Duration.toSeconds(skewLimit)

/** How far the clock here is off, and in which direction. */
export const describeSkew = (skew: Skew): string =>
  `the clock here is ${Duration.format(Duration.seconds(Math.abs(skew.seconds)))} ${
    skew.seconds > 0 ? "behind" : "ahead of"
  } the server's; set it by NTP`

export const ping = (apiUrl: string): Effect.Effect<Answer, DMarketError, HttpExchange> =>
  ask(apiUrl, "/exchange/v1/ping", () => Effect.succeed({}))

/** The balance in US dollars. */
export const balance = (
  apiUrl: string,
  keys: Keys
): Effect.Effect<Answer & { readonly usd: number }, DMarketError, HttpExchange> =>
  Effect.gen(function* () {
    const answer = yield* ask(apiUrl, "/account/v1/balance", (path) => signed(keys, path))
    const usd = dollars(answer.reply.text)
    if (Option.isSome(usd)) return { ...answer, usd: usd.value }
    return yield* new DMarketError({
      reason: "Malformed",
      problem: `expected a balance as "usd" in cents or "balance" in dollars, found neither`,
      isRetryable: false
    })
  })

const signed = (keys: Keys, path: string) =>
  Effect.gen(function* () {
    const key = yield* Effect.mapError(
      Signature.privateKey(keys.secretKey),
      () =>
        new DMarketError({
          reason: "BadCredentials",
          problem: "the secret key is not one; copy it again from DMarket's settings",
          isRetryable: false
        })
    )
    const unixSeconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    return Signature.headers(keys.publicKey, key, { method: "GET", path, body: "", unixSeconds })
  })

const ask = (
  apiUrl: string,
  path: string,
  headersFor: (path: string) => Effect.Effect<Readonly<Record<string, string>>, DMarketError>
) =>
  Effect.gen(function* () {
    const http = yield* HttpExchange
    // An API behind a prefix of a proxy: the path that is signed is the path that is sent.
    const url = new URL(`${apiUrl.replace(/\/+$/, "")}${path}`)
    const headers = yield* headersFor(url.pathname + url.search)
    const reply = yield* http
      .exchange({ method: "GET", url, headers })
      .pipe(Effect.mapError(fromFault))
    const now = yield* Clock.currentTimeMillis
    const answer: Answer = { reply, skew: skewOf(reply, now) }
    return reply.status === 200 ? answer : yield* refusal(answer, now)
  })

const skewOf = (reply: Reply, nowMillis: number): Skew | undefined => {
  const there = httpDate(reply.header("date"))
  return there === undefined ? undefined : { seconds: Math.round((there - nowMillis) / 1000) }
}

const refusal = ({ reply, skew }: Answer, nowMillis: number): DMarketError => {
  const details = { status: reply.status, ...skewDetails(skew) }
  const { status } = reply
  if (status === 429) {
    const rest = retryAfter(reply.header("retry-after"), nowMillis)
    return new DMarketError({
      reason: "RateLimited",
      problem: `rate limited (HTTP 429)${rest === undefined ? "" : `, asks to wait ${Duration.format(rest)}`}`,
      isRetryable: false,
      details,
      retryAfter: rest
    })
  }
  if (status === 401 && isBeyondLimit(skew)) {
    return new DMarketError({
      reason: "ClockSkew",
      problem: `signed requests are refused (HTTP 401) because ${describeSkew(skew)}`,
      isRetryable: false,
      details
    })
  }
  if (status === 401) {
    return new DMarketError({
      reason: "BadCredentials",
      problem: "the keys are refused (HTTP 401); make new ones in DMarket's settings",
      isRetryable: false,
      details
    })
  }
  return new DMarketError({
    reason: "UnexpectedStatus",
    problem: `expected HTTP 200, found ${status}`,
    isRetryable: false,
    details
  })
}

export const skewDetails = (skew: Skew | undefined) =>
  skew === undefined ? {} : { clock_skew_s: skew.seconds }

const fromFault = (fault: HttpFault): DMarketError =>
  new DMarketError({
    reason: "Network",
    problem: fault.message,
    isRetryable: fault.isRetryable,
    cause: fault
  })

/** From `usd` (cents, as a text) or `balance` (dollars). */
const dollars = (body: string): Option.Option<number> => {
  const parsed = Either.getOrUndefined(Either.try((): unknown => JSON.parse(body)))
  if (!Predicate.isRecord(parsed)) return Option.none()
  return Option.orElse(
    Option.map(numeric(parsed.usd), (cents) => cents / 100),
    () => numeric(parsed.balance)
  )
}

const numeric = (value: unknown): Option.Option<number> => {
  if (typeof value === "number") return Option.some(value)
  return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value)
    ? Option.some(Number(value))
    : Option.none()
}
