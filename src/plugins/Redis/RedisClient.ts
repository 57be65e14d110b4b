/**
 * Redis as the check sees it: one round trip, over a connection of the check's own or the client of
 * the program that embeds it.
 */
import { Context, Duration, Effect, Layer, type Redacted } from "effect"
import type { Redis as Driver } from "ioredis"
import * as KeptConnection from "../shared/KeptConnection.js"
import * as RedisError from "./RedisError.js"
import * as RedisUrl from "./RedisUrl.js"
import * as Session from "./Session.js"

/** The answers to PING and INFO, each the text or the server's refusal. */
export interface Answers {
  readonly ping: string | RedisError.RedisError
  readonly info: string | RedisError.RedisError
}

export class RedisClient extends Context.Tag("holter/plugins/Redis/RedisClient")<
  RedisClient,
  {
    /** Where the server is, for messages: no user, no password. */
    readonly address: string
    /** PING and INFO in one round trip. Fails when there was none. */
    readonly ask: Effect.Effect<Answers, RedisError.RedisError>
    /** One more command, and its answer as a text. */
    readonly call: (
      command: string,
      ...args: ReadonlyArray<string>
    ) => Effect.Effect<string, RedisError.RedisError>
  }
>() {}

export interface Options {
  /** How long to wait for the connection, and for each answer: 4 seconds. */
  readonly responseTimeout?: Duration.DurationInput
}

const responseTimeout = (options: Options): Duration.Duration =>
  Duration.decode(options.responseTimeout ?? "4 seconds")

/**
 * A client with one connection of its own, made when it is first needed and kept.
 *
 * @example
 * import { Redacted } from "effect"
 * import * as Redis from "holter/plugins/Redis"
 *
 * Redis.layerClientUrl({ url: Redacted.make("redis://:secret@localhost:6379/0") })
 */
export const layerClientUrl = (
  options: Options & { readonly url: Redacted.Redacted<string> }
): Layer.Layer<RedisClient, RedisUrl.RedisUrlError> =>
  Layer.scoped(
    RedisClient,
    Effect.gen(function* () {
      const url = yield* RedisUrl.parse(options.url)
      const address = RedisUrl.address(url)
      let latest: Driver | undefined
      const kept = yield* KeptConnection.make(
        Effect.tap(Session.open(url, responseTimeout(options)), ({ driver }) => {
          latest = driver
          return Effect.void
        })
      )
      const used = kept.use((session) => exchange(session, address))
      return {
        address,
        ask: Effect.suspend(() =>
          // A connection that was closed between two beats costs a new one, not a failure.
          latest !== undefined && latest.status !== "ready"
            ? Effect.zipRight(kept.drop, used)
            : used
        ),
        call: (command, ...args) =>
          kept.use(
            (session) => Session.call(session, address, command, ...args),
            ({ reason }) => lost.has(reason)
          )
      }
    })
  )

/** A client that uses the program's own ioredis client. Its connection stays as it is. */
export const layerClientIORedis = (
  driver: Driver,
  options: Options = {}
): Layer.Layer<RedisClient> => Layer.succeed(RedisClient, fromIORedis(driver, options))

export const fromIORedis = (driver: Driver, options: Options = {}): RedisClient["Type"] => {
  const { host, path, port } = driver.options
  const address = path ?? `${host ?? "localhost"}:${port ?? 6379}`
  const session: Session.Session = { driver, asking: () => {} }
  // What the program's client cannot send it queues, and may never send.
  const inTime = Effect.timeoutFail({
    duration: responseTimeout(options),
    onTimeout: () =>
      driver.status === "ready"
        ? new RedisError.RedisError({ reason: "TimedOut", address, found: RedisError.hung })
        : new RedisError.RedisError({
            reason: "Unreachable",
            address,
            found: `the client is ${driver.status}`
          })
  })
  return {
    address,
    ask: inTime(exchange(session, address)),
    call: (command, ...args) => inTime(Session.call(session, address, command, ...args))
  }
}

const exchange = (
  session: Session.Session,
  address: string
): Effect.Effect<Answers, RedisError.RedisError> =>
  Effect.async((resume) => {
    session.asking(2)
    void session.driver
      .pipeline()
      .ping()
      .info()
      .exec((failure, results) => {
        const [ping, info] = results ?? []
        if (failure || ping === undefined || info === undefined) {
          return resume(Effect.fail(Session.failure(session, failure, address)))
        }
        const answer = ([error, value]: [error: Error | null, result: unknown]) =>
          error === null ? String(value) : Session.failure(session, error, address)
        const answers = { ping: answer(ping), info: answer(info) }
        const end = [answers.ping, answers.info].find(
          (one) => typeof one !== "string" && lost.has(one.reason)
        )
        return resume(
          end === undefined || typeof end === "string" ? Effect.succeed(answers) : Effect.fail(end)
        )
      })
  })

const lost: ReadonlySet<RedisError.Reason> = new Set([
  "Unreachable",
  "TimedOut",
  "TooManyClients",
  "ProtocolBroken"
])
