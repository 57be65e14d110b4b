/**
 * What a reply must look like to count as healthy.
 *
 * @internal
 */
import { Either, Option, Schema } from "effect"
import type { Json } from "../../Check/Outcome.js"
import type { Reply } from "../shared/HttpExchange.js"
import * as JsonPath from "./JsonPath.js"

const Status = Schema.Int.pipe(
  Schema.between(100, 599, { description: "an HTTP status from 100 to 599" })
).annotations({ identifier: "HttpStatus" })

const JsonValues = Schema.Record({
  key: Schema.String,
  value: Schema.Unknown as Schema.Schema<Json>
}).pipe(
  Schema.filter(
    (values) => Object.keys(values).every((key) => Option.isSome(JsonPath.parse(key))),
    {
      description: "values by JSON paths such as $.ok, $.items[0].name or $['any name']"
    }
  )
)

export const Expectation = Schema.Struct({
  /** The statuses that are well; any 2xx by default. */
  status: Schema.optional(
    Schema.Array(Status).pipe(Schema.minItems(1, { description: "a list of HTTP statuses" }))
  ),
  /** Values that the JSON body must have, each by its path. */
  json: Schema.optional(JsonValues),
  /** A text that the body must contain. */
  text: Schema.optional(Schema.NonEmptyString)
})

export type Expectation = typeof Expectation.Type

export interface Disappointment {
  readonly reason: "UnexpectedStatus" | "UnexpectedBody" | "BadJson"
  readonly problem: string
}

/** The first thing about the body that is not as expected. */
export const wrongBody = (
  reply: Reply,
  expected: Expectation | undefined
): Disappointment | undefined =>
  (expected?.json === undefined ? undefined : wrongJson(reply, expected.json)) ??
  (expected?.text === undefined ? undefined : wrongText(reply, expected.text))

export const wrongStatus = (
  reply: Reply,
  expected: ReadonlyArray<number> | undefined
): Disappointment | undefined => {
  const { status } = reply
  const well = expected === undefined ? status >= 200 && status < 300 : expected.includes(status)
  if (well) return undefined
  const wanted = expected === undefined ? "2xx" : expected.join(" or ")
  return {
    reason: "UnexpectedStatus",
    problem: `expected HTTP ${wanted}, found ${status}${redirection(reply)}${certificate(reply)}`
  }
}

/** A redirect may carry a session or a token, so only the server that it leads to is shown. */
const redirection = (reply: Reply): string => {
  const location = reply.header("location")
  if (location === undefined || reply.status < 300 || reply.status > 399) return ""
  const target = URL.canParse(location) ? ` to ${new URL(location).origin}` : ""
  if (reply.keptBody) {
    return `, a redirect${target} (the body goes to no other host, and not from TLS to none; set the url to its target)`
  }
  return reply.redirects === 0
    ? `, a redirect${target} (set followRedirects to follow it, or the url to its target)`
    : `, one redirect too many${target} after ${reply.redirects} (followRedirects is the limit)`
}

/** nginx refuses who shows no certificate by a page with 400. */
const certificate = (reply: Reply): string =>
  reply.asksForCertificate && reply.status >= 400 && reply.status < 500
    ? " (the server asks for a client certificate, and Holter shows none)"
    : ""

const wrongJson = (
  reply: Reply,
  expected: Readonly<Record<string, Json>>
): Disappointment | undefined => {
  const body = Either.try((): Json => JSON.parse(reply.text) as Json)
  if (Either.isLeft(body)) {
    const type = reply.header("content-type")
    return {
      reason: "BadJson",
      problem: `expected a JSON body, found what does not parse${type === undefined ? "" : ` (${type})`}`
    }
  }
  for (const [path, value] of Object.entries(expected)) {
    const found = Option.flatMap(JsonPath.parse(path), (steps) =>
      JsonPath.select(body.right, steps)
    )
    if (Option.isSome(found) && JsonPath.same(found.value, value)) continue
    const shown = Option.isSome(found) ? JsonPath.show(found.value as Json) : "nothing"
    return {
      reason: "UnexpectedBody",
      problem: `expected ${path} to be ${JsonPath.show(value)}, found ${shown}`
    }
  }
  return undefined
}

const wrongText = (reply: Reply, expected: string): Disappointment | undefined =>
  reply.text.includes(expected)
    ? undefined
    : {
        reason: "UnexpectedBody",
        problem: `expected the body to contain ${JsonPath.show(expected)}, which it does not`
      }
