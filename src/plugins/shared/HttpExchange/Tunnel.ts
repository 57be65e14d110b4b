/**
 * Connections through an HTTP proxy: to the proxy, or by its CONNECT to a server behind it.
 *
 * @internal
 */
import { Duration, Effect, type Scope } from "effect"
import type * as net from "node:net"
import type { ConnectionOptions } from "node:tls"
import * as Errors from "../../../Common/Errors.js"
import * as Host from "../../../Common/Host.js"
import * as Sockets from "../../../System/Sockets.js"
import * as Proxy from "../../../System/Sockets/Proxy.js"

interface Options extends Sockets.Options {
  readonly connectTimeout: Duration.DurationInput
  /** For a proxy that speaks TLS itself. */
  readonly tls: ConnectionOptions
}

/**
 * A connection that leads to the target, or without one to the proxy, which takes requests for any server by
 * plain HTTP.
 */
export const connect = (
  way: Proxy.Proxy | Proxy.Unusable,
  target: Sockets.Target | undefined,
  options: Options
): Effect.Effect<Sockets.Connected, Sockets.SocketError, Scope.Scope> =>
  "host" in way
    ? Effect.gen(function* () {
        const connected = yield* toProxy(way, options)
        if (target !== undefined) {
          yield* Effect.timeoutFail(askFor(connected.socket, way, target), {
            duration: options.connectTimeout,
            onTimeout: () => refused("ETIMEDOUT", "did not connect to the server in time")
          })
        }
        return connected
      }).pipe(
        Effect.mapError(
          // Spread alone, an error would lose its cause.
          (error) =>
            new Sockets.SocketError({ ...error, cause: error.cause, through: Host.address(way) })
        )
      )
    : Effect.fail(unusable(way))

const toProxy = (
  proxy: Proxy.Proxy,
  options: Options
): Effect.Effect<Sockets.Connected, Sockets.SocketError, Scope.Scope> =>
  Effect.gen(function* () {
    const connected = yield* Sockets.connect(proxy, options)
    if (!proxy.isSecure) return connected
    const socket = yield* Sockets.secure(connected.socket, proxy.host, options.tls).pipe(
      Effect.timeoutFail({ duration: options.connectTimeout, onTimeout: Sockets.tooLate })
    )
    return connected.over(socket)
  })

/** undici's own client reads the answer, as its ProxyAgent does. */
const askFor = (
  socket: net.Socket,
  proxy: Proxy.Proxy,
  target: Sockets.Target
): Effect.Effect<void, Sockets.SocketError> =>
  Effect.flatMap(
    Effect.promise(() => import("undici/lib/dispatcher/client.js")),
    ({ default: Client }) =>
      Effect.async((resume) => {
        const client = new Client(`http://${Host.address(proxy)}`, {
          connect: (_, callback) => queueMicrotask(() => callback(null, socket)),
          headersTimeout: 0
        })
        const path = Host.address(target)
        const headers = {
          host: path,
          ...(proxy.authorization === undefined
            ? {}
            : { "proxy-authorization": proxy.authorization })
        }
        client.dispatch(
          { method: "CONNECT", path, headers },
          {
            onRequestStart: () => {},
            onRequestUpgrade: (_, status) => {
              resume(status >= 200 && status < 300 ? Effect.void : Effect.fail(refusal(status)))
            },
            onResponseStart: () => {},
            onResponseData: () => {},
            onResponseEnd: () => {},
            onResponseError: (_, cause) => {
              resume(Effect.fail(refused(Errors.codeOf(cause) ?? "ECONNRESET", undefined, cause)))
            }
          }
        )
        return Effect.promise(() => client.destroy())
      })
  )

const refusal = (status: number): Sockets.SocketError =>
  refused(
    status >= 500 ? "EHOSTUNREACH" : "ERR_PROXY_TUNNEL",
    status === 407 ? unauthorized : `does not connect to the server (HTTP ${status})`
  )

/** What to do where a proxy asks who one is. */
export const unauthorized =
  "asks for a user and a password (HTTP 407); give them in its URL, as in http://user:password@proxy:3128"

/** A setting that names no proxy. */
const unusable = ({ found, name }: Proxy.Unusable): Sockets.SocketError =>
  new Sockets.SocketError({
    phase: "proxy",
    code: "ERR_PROXY_INVALID_CONFIG",
    problem: `${name}: expected ${Proxy.expected}, found ${found}; change it, or name the host in NO_PROXY`
  })

const refused = (code: string, problem?: string, cause?: unknown): Sockets.SocketError =>
  new Sockets.SocketError({ phase: "proxy", code, problem, cause })
