/** The check of anything that answers over HTTP: its status, and if wanted its JSON or its text. */
import { Clock, Duration, Effect, Predicate, Redacted, Schedule, Schema } from "effect"
import * as Check from "../Check/Check.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import { type Disappointment, Expectation, wrongBody, wrongStatus } from "./Http/Expectation.js"
import { reported } from "./shared/ErrorFields.js"
import {
  defaultMaxBytes,
  HttpExchange,
  type HttpFault,
  layerCheck,
  type Reply,
  retryAfter
} from "./shared/HttpExchange.js"
import { isHeaderName, namedSecrets } from "./shared/NamedSecrets.js"
import { proxy } from "./shared/ProxyField.js"

export { HttpExchange, layerClientHttpClient, layerClientUndici } from "./shared/HttpExchange.js"

export class HttpError extends Schema.TaggedError<HttpError>("holter/plugins/Http/HttpError")(
  "HttpError",
  {
    reason: Schema.Literal(
      "UnexpectedStatus",
      "UnexpectedBody",
      "BadJson",
      "RateLimited",
      "DnsFailed",
      "TlsFailed",
      "TooLarge",
      "Network"
    ),
    /** Host and what is wrong there, in words. */
    problem: Schema.String,
    isRetryable: Schema.Boolean,
    ...reported,
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    return this.problem
  }
}

const url = Schema.String.pipe(
  Schema.filter((text) => URL.canParse(text) && /^https?:\/\//i.test(text), {
    // A URL may carry a password or a token, so a wrong one is not shown.
    [ConfigField.SecretId]: "url",
    identifier: "HttpUrl",
    description: "a URL such as https://example.com/up",
    // Without this the description of a bare filter is not part of the JSON Schema.
    jsonSchema: {}
  })
)

const header = namedSecrets({
  name: "the name of an HTTP header",
  is: isHeaderName,
  description: "values by names of HTTP headers"
})

/**
 * One request to a URL.
 *
 * A redirect that is not followed is an answer like any other: with the default expectation of a
 * 2xx it is unhealthy, and with `expect: { status: [301] }` it is what should be there.
 */
export const Http = Check.make("http", {
  description: "An HTTP request: status, JSON or text of the answer, and where the time went",
  config: {
    /** A user and a password in it are sent as Basic authentication and never shown. */
    url,
    method: ConfigField.withDefault(
      Schema.Literal("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS").annotations({
        description: "the method: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"
      }),
      "GET"
    ),
    headers: Schema.optional(header),
    body: Schema.optional(
      Schema.String.annotations({ description: "a body to send; no secret belongs here" })
    ),
    expect: Schema.optional(
      Expectation.annotations({
        description: "what the answer must be: status (a list), json (values by path), text"
      })
    ),
    slow: Schema.optional(
      ConfigField.duration.annotations({ description: "degraded when the answer takes longer" })
    ),
    followRedirects: ConfigField.withDefault(
      Schema.Int.pipe(Schema.between(0, 20)).annotations({
        description: "how many redirects to follow: a whole number from 0 to 20"
      }),
      0
    ),
    maxBytes: ConfigField.withDefault(
      ConfigField.count.annotations({ description: "unhealthy when the body is longer, in bytes" }),
      defaultMaxBytes
    ),
    proxy
  },
  rules: bodiless,
  error: HttpError,
  statuses: { RateLimited: "degraded" },
  retry: {
    schedule: Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(1)),
    while: (error) => error.isRetryable
  },
  probe: (config) =>
    Effect.flatMap(HttpExchange, (http) =>
      http
        .exchange({
          method: config.method,
          url: config.url,
          ...(config.headers === undefined ? {} : { headers: revealed(config.headers) }),
          body: config.body,
          maxBytes: needsBody(config) ? config.maxBytes : worthReading,
          cut: true,
          redirects: config.followRedirects
        })
        .pipe(
          Effect.mapError((fault) => fromFault(fault, config.method)),
          Effect.flatMap((reply) => judge(reply, config))
        )
    ),
  services: layerCheck
})

/** An answer to HEAD has no body, so nothing in one can be expected. */
function bodiless({
  expect,
  method
}: Readonly<Record<string, unknown>>): ReadonlyArray<ConfigIssue> {
  if (method !== "HEAD" || !Predicate.isRecord(expect)) return []
  return ["json", "text"]
    .filter((field) => expect[field] !== undefined)
    .map((field) => ({
      path: ["expect", field],
      expected: "nothing: an answer to HEAD has no body (set method to GET)",
      found: "an expectation of the body"
    }))
}

/** Whether the body counts. A limit that was set is one that the answer must keep. */
const needsBody = ({ expect, maxBytes }: Judged): boolean =>
  expect?.json !== undefined || expect?.text !== undefined || maxBytes !== defaultMaxBytes

/** No more than a connection is worth that is kept by it. */
const worthReading = 65_536

interface Judged {
  readonly url: string
  readonly method: string
  readonly maxBytes: number
  readonly expect?: Expectation | undefined
  readonly slow?: Duration.DurationInput | undefined
}

/** By its status first: a page of an error may be long, and says less. */
const judge = (reply: Reply, config: Judged): Effect.Effect<Outcome.Outcome, HttpError> => {
  const details = detailsOf(reply)
  const { bodyFault } = reply
  const wrong = wrongStatus(reply, config.expect?.status)
  if (wrong !== undefined) return disappointed(wrong, reply, config, details)
  if (bodyFault !== undefined && needsBody(config)) {
    return Effect.fail(fromFault(bodyFault, config.method))
  }
  const alsoWrong = wrongBody(reply, config.expect)
  return alsoWrong === undefined
    ? Effect.succeed(answered(reply, config, details))
    : disappointed(alsoWrong, reply, config, details)
}

const disappointed = (
  wrong: Disappointment,
  reply: Reply,
  config: Judged,
  details: Outcome.Details
): Effect.Effect<never, HttpError> => {
  const { host } = new URL(config.url)
  // A program may expect 429; where it does not, the server is up and wants to be left alone.
  if (reply.status === 429 && wrong.reason === "UnexpectedStatus") {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const rest = retryAfter(reply.header("retry-after"), now)
      const hint = rest === undefined ? "" : `, asks to wait ${Duration.format(rest)}`
      return new HttpError({
        reason: "RateLimited",
        problem: `${host}: rate limited (HTTP 429)${hint}`,
        isRetryable: false,
        details,
        retryAfter: rest
      })
    })
  }
  return new HttpError({
    reason: wrong.reason,
    problem: `${host}: ${wrong.problem}`,
    isRetryable: false,
    details
  })
}

const answered = (reply: Reply, config: Judged, details: Outcome.Details): Outcome.Outcome => {
  const took = Duration.millis(reply.timings.total_ms)
  return config.slow !== undefined && Duration.greaterThan(took, config.slow)
    ? Outcome.degraded(
        `HTTP ${reply.status} after ${Math.round(reply.timings.total_ms)} ms, slower than ${Duration.format(config.slow)}`,
        { details }
      )
    : Outcome.healthy(`HTTP ${reply.status}`, { details })
}

const detailsOf = (reply: Reply): Outcome.Details => {
  const { total_ms: _, ...timings } = reply.timings
  return {
    status: reply.status,
    ...timings,
    ...(reply.connection === undefined ? {} : { connection: reply.connection }),
    ...(reply.redirects === 0 ? {} : { redirects: reply.redirects })
  }
}

const fromFault = (fault: HttpFault, method: string): HttpError =>
  new HttpError({
    reason:
      fault.reason === "DnsFailed" || fault.reason === "TlsFailed" || fault.reason === "TooLarge"
        ? fault.reason
        : "Network",
    problem: fault.message,
    // A request that changes something may have done so before its answer was lost.
    isRetryable: fault.isRetryable && /^(GET|HEAD|OPTIONS)$/.test(method),
    cause: fault
  })

const revealed = (
  headers: Readonly<Record<string, Redacted.Redacted<string>>>
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Redacted.value(value)]))
