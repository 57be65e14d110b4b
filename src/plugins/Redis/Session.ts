/**
 * One guarded connection to a Redis server, with the driver on it.
 *
 * @internal
 */
import { Duration, Effect, Redacted, type Scope } from "effect"
import type { Redis as Driver } from "ioredis"
import { readFile } from "node:fs/promises"
import * as net from "node:net"
import type { ConnectionOptions } from "node:tls"
import * as Guard from "../../Common/Sockets/Guard.js"
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
const call = (
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

const connect = (
  target: RedisUrl.RedisUrl["target"],
  address: string,
  timeout: Duration.Duration
): Effect.Effect<net.Socket, RedisError.RedisError, Scope.Scope> =>
  Effect.gen(function* () {
    const secure = target._tag === "Tcp" ? yield* tlsOptions(target, address) : undefined
    // Loaded where it is needed: most servers beside a bot have no TLS.
    const tls = secure && (yield* Effect.promise(() => import("node:tls")))
    const socket = yield* Effect.acquireRelease(
      Effect.sync((): net.Socket => {
        if (target._tag === "Socket") return net.connect({ path: target.path })
        const place = { host: target.host, port: target.port }
        return tls === undefined ? net.connect(place) : tls.connect({ ...place, ...secure })
      }),
      (opened) => Effect.sync(() => opened.destroy())
    )
    yield* Effect.timeoutFail(connected(socket, tls !== undefined, address), {
      duration: timeout,
      onTimeout: () =>
        new RedisError.RedisError({ reason: "Unreachable", address, found: "connection timed out" })
    })
    return socket
  })

const connected = (
  socket: net.Socket,
  isSecure: boolean,
  address: string
): Effect.Effect<void, RedisError.RedisError> =>
  Effect.async((resume) => {
    // It stays: the error of a socket that has no listener would end the process.
    socket.on("error", (cause) => resume(Effect.fail(RedisError.fromCause(cause, address))))
    socket.once("close", () => resume(Effect.fail(RedisError.lost(address))))
    socket.once(isSecure ? "secureConnect" : "connect", () => resume(Effect.void))
  })

const tlsOptions = (
  {
    caFile,
    certFile,
    checkHost,
    host,
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
      ...(checkHost ? {} : { checkServerIdentity: () => undefined }),
      // An address is no server name (RFC 6066).
      ...(net.isIP(host) === 0 ? { servername: host } : {})
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
