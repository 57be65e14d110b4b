/**
 * Redis as the check sees it: one round trip, over a connection of the check's own or the client of
 * the program that embeds it.
 *
 * @since 0.1.0
 */
import { Context, Duration, Effect, Layer, Redacted, type Scope } from "effect"
import type { Redis as Driver } from "ioredis"
import { readFile } from "node:fs/promises"
import type * as net from "node:net"
import type { ConnectionOptions } from "node:tls"
import * as Sockets from "../../System/Sockets.js"
import * as KeptConnection from "../shared/KeptConnection.js"
import * as RedisError from "./RedisError.js"
import * as RedisUrl from "./RedisUrl.js"

/**
 * The answers to PING and INFO, each the text or the server's refusal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answers {
  readonly ping: string | RedisError.RedisError
  readonly info: string | RedisError.RedisError
}

/**
 * @since 0.1.0
 * @category tags
 */
export class RedisClient extends Context.Tag("holter/plugins/Redis/RedisClient")<
  RedisClient,
  {
    /** Where the server is, for messages: no user, no password. */
    readonly address: string
    /** PING and INFO in one round trip. Fails when there was none. */
    readonly ask: Effect.Effect<Answers, RedisError.RedisError>
  }
>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long to wait for the connection, and for each answer: 4 seconds. */
  readonly responseTimeout?: Duration.DurationInput
}

const responseTimeout = (options: Options): number =>
  Duration.toMillis(options.responseTimeout ?? "4 seconds")

/**
 * A client with one connection of its own, made when it is first needed and kept.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { Redacted } from "effect"
 * import * as Redis from "holter/plugins/Redis"
 *
 * Redis.layerUrl({ url: Redacted.make("redis://:secret@localhost:6379/0") })
 */
export const layerUrl = (
  options: Options & { readonly url: Redacted.Redacted<string> }
): Layer.Layer<RedisClient, RedisUrl.RedisUrlError> =>
  Layer.scoped(
    RedisClient,
    Effect.gen(function* () {
      const url = yield* RedisUrl.parse(options.url)
      const address = RedisUrl.address(url)
      let latest: Driver | undefined
      const kept = yield* KeptConnection.make(
        Effect.tap(open(url, address, responseTimeout(options)), (driver) => {
          latest = driver
          return Effect.void
        })
      )
      const used = kept.use((driver) => exchange(driver, address))
      return {
        address,
        ask: Effect.suspend(() =>
          // A connection that was closed between two beats costs a new one, not a failure.
          latest !== undefined && latest.status !== "ready"
            ? Effect.zipRight(kept.drop, used)
            : used
        )
      }
    })
  )

/**
 * A client that uses the program's own ioredis client. Its connection stays as it is.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerIORedis = (driver: Driver, options: Options = {}): Layer.Layer<RedisClient> =>
  Layer.succeed(RedisClient, fromIORedis(driver, options))

/**
 * @since 0.1.0
 * @category constructors
 */
export const fromIORedis = (driver: Driver, options: Options = {}): RedisClient["Type"] => {
  const { host, path, port } = driver.options
  const address = path ?? `${host ?? "localhost"}:${port ?? 6379}`
  return {
    address,
    ask: Effect.timeoutFail(
      // What the program's client cannot send it queues, and may never send.
      exchange(driver, address),
      {
        duration: responseTimeout(options),
        onTimeout: () =>
          driver.status === "ready"
            ? new RedisError.RedisError({ reason: "TimedOut", address, found: RedisError.hung })
            : new RedisError.RedisError({
                reason: "Unreachable",
                address,
                found: `the client is ${driver.status}`
              })
      }
    )
  }
}

const open = (
  url: RedisUrl.RedisUrl,
  address: string,
  timeout: number
): Effect.Effect<Driver, RedisError.RedisError, Scope.Scope> =>
  Effect.gen(function* () {
    const { AbstractConnector, Redis } = yield* Effect.promise(() => import("ioredis"))
    const { target } = url
    const socket = target._tag === "Tcp" ? yield* connected(target, address, timeout) : undefined
    // The driver connects through this one socket, and never again.
    class Connector extends AbstractConnector {
      constructor() {
        super(0)
      }
      override connect(): Promise<net.Socket> {
        this.connecting = true
        return socket === undefined || socket.destroyed
          ? Promise.reject(new Error("the connection was lost"))
          : Promise.resolve(socket)
      }
    }
    const driver = new Redis({
      ...(target._tag === "Socket"
        ? { path: target.path }
        : { host: target.host, port: target.port, Connector }),
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      // The driver's own checks and its AUTH end in a closed connection, and warnings on the
      // console, where the server's answer says what is wrong.
      enableReadyCheck: false,
      disableClientInfo: true,
      connectTimeout: timeout,
      commandTimeout: timeout
    })
    let reported: unknown
    driver.on("error", (error: unknown) => {
      reported = error
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => destroy(driver)))
    yield* Effect.async<void, RedisError.RedisError>((resume) => {
      driver.connect().then(
        () => resume(Effect.void),
        // The driver rejects with "closed"; why, its error event said.
        (cause: unknown) => resume(Effect.fail(RedisError.fromCause(reported ?? cause, address)))
      )
      return Effect.sync(() => destroy(driver))
    })
    yield* login(driver, url, address)
    return driver
  })

/** The time for it includes the name look-up, as that for an answer does. */
const connected = (
  target: Extract<RedisUrl.RedisUrl["target"], { _tag: "Tcp" }>,
  address: string,
  timeout: number
): Effect.Effect<net.Socket, RedisError.RedisError, Scope.Scope> =>
  Effect.gen(function* () {
    const options = yield* tls(target, address)
    const secured = (socket: net.Socket): Effect.Effect<net.Socket, Sockets.SocketError> =>
      options.tls === undefined
        ? Effect.succeed(socket)
        : Sockets.secure(socket, target.host, options.tls)
    const opened = Effect.flatMap(Sockets.connect(target), ({ socket }) => secured(socket))
    return yield* opened.pipe(
      Effect.timeoutFail({ duration: timeout, onTimeout: Sockets.tooLate }),
      Effect.mapError((error) =>
        RedisError.fromCause(error.phase === "TLS" ? (error.cause ?? error) : error, address)
      )
    )
  })

const tls = (
  { caFile, tls: mode }: Extract<RedisUrl.RedisUrl["target"], { _tag: "Tcp" }>,
  address: string
): Effect.Effect<{ readonly tls?: ConnectionOptions }, RedisError.RedisError> => {
  const rejectUnauthorized = mode === "on"
  if (mode === "off") return Effect.succeed({})
  if (caFile === undefined) return Effect.succeed({ tls: { rejectUnauthorized } })
  return Effect.tryPromise({
    try: async () => ({ tls: { rejectUnauthorized, ca: await readFile(caFile, "utf8") } }),
    catch: (cause) =>
      new RedisError.RedisError({
        reason: "TlsFailed",
        address,
        found: "cannot read the file that ssl_ca_certs names",
        cause
      })
  })
}

const login = (
  driver: Driver,
  url: RedisUrl.RedisUrl,
  address: string
): Effect.Effect<void, RedisError.RedisError> =>
  Effect.gen(function* () {
    const send = (name: string, ...args: ReadonlyArray<string>) =>
      Effect.tryPromise({
        try: () => driver.call(name, ...args),
        catch: (cause) => RedisError.fromCause(cause, address)
      })
    if (url.password !== undefined) {
      const user = url.user === undefined ? [] : [url.user]
      yield* Effect.catchIf(
        send("AUTH", ...user, Redacted.value(url.password)),
        // A server without a password lets in who brings one.
        (error) => /without any password|no password is set/.test(error.found),
        () => Effect.void
      )
    }
    if (url.database !== 0) yield* send("SELECT", String(url.database))
  })

const exchange = (driver: Driver, address: string): Effect.Effect<Answers, RedisError.RedisError> =>
  Effect.async((resume) => {
    void driver
      .pipeline()
      .ping()
      .info()
      .exec((failure, results) => {
        const [ping, info] = results ?? []
        if (failure || ping === undefined || info === undefined) {
          return resume(Effect.fail(RedisError.fromCause(failure, address)))
        }
        const pinged = answer(ping, address)
        return resume(
          typeof pinged !== "string" && lost.has(pinged.reason)
            ? Effect.fail(pinged)
            : Effect.succeed({ ping: pinged, info: answer(info, address) })
        )
      })
  })

const lost: ReadonlySet<RedisError.Reason> = new Set(["Unreachable", "TimedOut", "TooManyClients"])

const answer = (
  [error, value]: [error: Error | null, result: unknown],
  address: string
): string | RedisError.RedisError =>
  error === null ? String(value) : RedisError.fromCause(error, address)

const destroy = (driver: Driver): void => {
  driver.disconnect()
  // `disconnect` says goodbye and waits two seconds for a server that hangs.
  driver.stream?.destroy()
}
