/**
 * Redirects, followed as a browser follows them: with the cookies that were set on the way, and
 * without what was given for one server to another.
 *
 * @internal
 */
import { Clock, Effect } from "effect"
import { CookieJar } from "./CookieJar.js"
import type { Headers, Outgoing, Reply, Send } from "./Exchange.js"
import type { HttpFault } from "./HttpFault.js"
import { parse, withoutUser } from "./prepare.js"

/** Follows redirects; the reply behind the last one that may be followed is the answer. */
export const follow = (
  send: Send,
  request: Outgoing,
  most: number
): Effect.Effect<Reply, HttpFault> =>
  Effect.suspend(() =>
    onwards({ send, jar: CookieJar.of(request.url, request.headers.cookie) }, request, most)
  )

interface Journey {
  readonly send: Send
  readonly jar: CookieJar
}

const onwards = (
  journey: Journey,
  request: Outgoing,
  left: number
): Effect.Effect<Reply, HttpFault> =>
  Effect.gen(function* () {
    const reply = yield* journey.send(request)
    const target = left === 0 ? undefined : targetOf(request, reply)
    if (target === undefined) return reply
    if (!toGet(request, reply) && request.body !== undefined && !mayHaveBody(request.url, target)) {
      return reply.remarked({ keptBody: true })
    }
    journey.jar.take(request.url, reply, yield* Clock.currentTimeMillis)
    const last = yield* onwards(journey, redirected(journey, request, reply, target), left - 1)
    return last.after(reply)
  })

const redirecting = new Set([301, 302, 303, 307, 308])

const targetOf = (request: Outgoing, reply: Reply): URL | undefined => {
  if (!redirecting.has(reply.status)) return undefined
  const location = reply.header("location")
  const target = location === undefined ? undefined : parse(location, request.url)
  return target !== undefined && /^https?:$/.test(target.protocol) ? target : undefined
}

const toGet = ({ method }: Outgoing, { status }: Reply): boolean =>
  (status === 303 && method !== "HEAD") || (status < 303 && method === "POST")

/**
 * The body was given to one host. It has it also on another port or by TLS; another host, or who
 * listens where TLS has ended, does not get it.
 */
const mayHaveBody = (from: URL, to: URL): boolean =>
  from.hostname === to.hostname && (from.protocol === to.protocol || to.protocol === "https:")

const redirected = ({ jar }: Journey, request: Outgoing, reply: Reply, target: URL): Outgoing => {
  const bodiless = toGet(request, reply)
  const kept = Object.entries(request.headers).filter(
    ([name]) =>
      name !== "cookie" &&
      (target.origin === request.url.origin || harmless.has(name)) &&
      !(bodiless && name.startsWith("content-"))
  )
  const cookie = jar.header(target)
  const headers: Headers = {
    ...Object.fromEntries(kept),
    ...(cookie === undefined ? {} : { cookie })
  }
  return {
    ...request,
    ...(bodiless ? { method: request.method === "HEAD" ? "HEAD" : "GET", body: undefined } : {}),
    ...withoutUser(target, headers)
  }
}

/**
 * Which headers another server gets too: they say what is wanted or sent, and are no credentials. Any
 * other one may be, by whatever name.
 */
const harmless: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-encoding",
  "content-language",
  "content-type",
  "user-agent"
])
