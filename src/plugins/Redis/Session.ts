/**
 * One guarded connection to a Redis server, with the driver on it.
 *
 * @internal
 */
import { Duration, Effect, Redacted, type Scope } from "effect"
import type { Redis as Driver } from "ioredis"
import { readFile } from "node:fs/promises"
import type * as net from "node:net"
import type { ConnectionOptions } from "node:tls"
import * as Guard from "../../System/Guard.js"
import * as Sockets from "../../System/Sockets.js"
import * as RedisError from "./RedisError.js"
import * as RedisUrl from "./RedisUrl.js"
import * as Replies from "./Replies.js"

export interface Session {
  readonly driver: Driver
  /** Before so many commands are sent. */
  readonly asking: (commands: number) => void
}

/** A connection of the check's own, whose replies the guard looks at. */
export const open = (
  url: RedisUrl.RedisUrl,
  timeout: Duration.Duration
): Effect.Effect<Session, RedisError.RedisError, Scope.Scope> =>
  Effect.gen(function* () {
    const address = RedisUrl.address(url)
    const { AbstractConnector, Redis } = yield* Effect.promise(() => import("ioredis"))
    const replies = Replies.make()
    const socket = yield* connect(url.target, address, timeout)
    Guard.guard(socket, replies)
    const driver = new Redis({
      Connector: class extends AbstractConnector {
        constructor() {
          super(0)
        }
        override connect() {
          this.connecting = true
          this.stream = socket
          return Promise.resolve(socket)
        }
      },
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      // The driver's own checks and its AUTH end in a closed connection, and warnings on the
      // console, where the server's answer says what is wrong.
      enableReadyCheck: false,
      disableClientInfo: true,
      commandTimeout: Duration.toMillis(timeout)
    })
    // Without a listener the driver writes its errors to the console.
    driver.on("error", () => {})
    yield* Effect.addFinalizer(() => Effect.sync(() => driver.disconnect()))
    const session: Session = { driver, asking: replies.ask }
    yield* Effect.tryPromise({
      try: () => driver.connect(),
      catch: (cause) => failure(session, cause, address)
    })
    yield* login(session, url, address)
    return session
  })

/** Sends one command. */
export const call = (
  session: Session,
  address: string,
  name: string,
  ...args: ReadonlyArray<string>
): Effect.Effect<string, RedisError.RedisError> =>
  Effect.suspend(() => {
    session.asking(1)
    return Effect.tryPromise({
      try: async () => String(await session.driver.call(name, ...args)),
      catch: (cause) => failure(session, cause, address)
    })
  })

/** Why the socket was closed says more than the driver, to which all are the same. */
export const failure = (
  { driver }: Session,
  cause: unknown,
  address: string
): RedisError.RedisError =>
  // A client of the program has no stream before it connects for the first time.
  RedisError.fromCause((driver.stream as net.Socket | undefined)?.errored ?? cause, address)

/** The time for it includes the name look-up, as that for an answer does. */
const connect = (
  target: RedisUrl.RedisUrl["target"],
  address: string,
  timeout: Duration.Duration
): Effect.Effect<net.Socket, RedisError.RedisError, Scope.Scope> => {
  const opened = target._tag === "Socket" ? Sockets.connectPath(target.path) : over(target, address)
  return opened.pipe(
    Effect.timeoutFail({ duration: timeout, onTimeout: Sockets.tooLate }),
    Effect.mapError((error) =>
      error._tag === "SocketError"
        ? RedisError.fromCause(error.phase === "TLS" ? (error.cause ?? error) : error, address)
        : error
    )
  )
}

const over = (
  target: Extract<RedisUrl.RedisUrl["target"], { _tag: "Tcp" }>,
  address: string
): Effect.Effect<net.Socket, RedisError.RedisError | Sockets.SocketError, Scope.Scope> =>
  Effect.gen(function* () {
    const options = yield* tlsOptions(target, address)
    const { socket } = yield* Sockets.connect(target)
    return options === undefined ? socket : yield* Sockets.secure(socket, target.host, options)
  })

const tlsOptions = (
  {
    caFile,
    certFile,
    checkHost = true,
    keyFile,
    tls: mode
  }: Extract<RedisUrl.RedisUrl["target"], { _tag: "Tcp" }>,
  address: string
): Effect.Effect<ConnectionOptions | undefined, RedisError.RedisError> => {
  if (mode === "off") return Effect.succeed(undefined)
  const file = (option: "ca" | "cert" | "key", parameter: string, path: string | undefined) =>
    path === undefined
      ? Effect.succeed({})
      : Effect.tryPromise({
          try: async () => ({ [option]: await readFile(path, "utf8") }),
          catch: (cause) =>
            new RedisError.RedisError({
              reason: "TlsFailed",
              address,
              found: `cannot read the file that ${parameter} names`,
              cause
            })
        })
  return Effect.map(
    Effect.all([
      file("ca", "ssl_ca_certs", caFile),
      file("cert", "ssl_certfile", certFile),
      file("key", "ssl_keyfile", keyFile)
    ]),
    ([ca, cert, key]) => ({
      ...ca,
      ...cert,
      ...key,
      rejectUnauthorized: mode === "on",
      ...(checkHost ? {} : { checkServerIdentity: () => undefined })
    })
  )
}

const login = (
  session: Session,
  url: RedisUrl.RedisUrl,
  address: string
): Effect.Effect<void, RedisError.RedisError> =>
  Effect.gen(function* () {
    if (url.password !== undefined) {
      const user = url.user === undefined ? [] : [url.user]
      yield* Effect.catchIf(
        call(session, address, "AUTH", ...user, Redacted.value(url.password)),
        // A server without a password lets in who brings one.
        (error) => /without any password|no password is set/.test(error.found),
        () => Effect.succeed("")
      )
    }
    if (url.database !== 0) yield* call(session, address, "SELECT", String(url.database))
  })
