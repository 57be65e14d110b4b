/**
 * A socket to a PostgreSQL server, with TLS where the server takes it.
 *
 * The driver ends its connection when the server has no TLS. Here the same connection goes on, as
 * with libpq: one more round trip when it is opened, nothing afterwards.
 *
 * @internal
 */
import { Effect, type Scope } from "effect"
import type * as net from "node:net"
import type { ConnectionOptions } from "node:tls"
import * as Sockets from "../System/Sockets.js"
import { fromCause, PostgresError } from "./PostgresError.js"

export interface Target {
  readonly host: string
  readonly port: number
  /** For messages. */
  readonly address: string
}

export interface Opened {
  readonly socket: net.Socket
  readonly encrypted: boolean
}

/** A connection on which nothing was said yet. */
export const connect = (target: Target): Effect.Effect<net.Socket, PostgresError, Scope.Scope> =>
  Sockets.connect(target).pipe(
    Effect.map(({ socket }) => socket),
    Effect.mapError((cause) => fromCause(cause, target.address))
  )

/** Connects and asks for TLS. Fails with `TlsFailed` where the server takes it and it cannot be made. */
export const open = (
  target: Target,
  options: ConnectionOptions
): Effect.Effect<Opened, PostgresError, Scope.Scope> =>
  Effect.gen(function* () {
    const plain = yield* connect(target)
    const encrypted = yield* askForTls(plain, target.address)
    if (!encrypted) return { socket: plain, encrypted }
    const socket = yield* Effect.mapError(Sockets.secure(plain, target.host, options), (error) =>
      insecure(error, target.address)
    )
    return { socket, encrypted }
  })

/** SSLRequest: its length and its code. The answer is one byte. */
const sslRequest = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47)

const askForTls = (socket: net.Socket, address: string): Effect.Effect<boolean, PostgresError> =>
  Effect.async((resume) => {
    // It stays: the end of a socket that nobody listens to would end the process.
    socket.on("error", (cause) => resume(Effect.fail(fromCause(cause, address))))
    socket.once("close", () => resume(Effect.fail(closed(address))))
    socket.write(sslRequest)
    socket.once("data", (answer) => {
      const byte = answer.toString("latin1")
      // More than one byte was put there by somebody in between, to be read as if it were secured.
      if (byte === "S" || byte === "N") return resume(Effect.succeed(byte === "S"))
      return resume(
        Effect.fail(
          new PostgresError({
            reason: "TlsFailed",
            address,
            found: "neither yes nor no to TLS: is it PostgreSQL?"
          })
        )
      )
    })
    return Effect.sync(() => socket.destroy())
  })

const insecure = ({ cause }: Sockets.SocketError, address: string): PostgresError => {
  if (cause === undefined) return closed(address)
  const error = fromCause(cause, address)
  return error.reason === "QueryFailed"
    ? new PostgresError({ reason: "TlsFailed", address, found: error.found, cause })
    : error
}

const closed = (address: string): PostgresError =>
  new PostgresError({ reason: "Unreachable", address, found: "the connection was lost" })

/**
 * The socket as the driver takes one: it connects by itself, and waits for the event. One that was
 * closed in the meantime says so again, since the driver was not there to hear it.
 */
export const forDriver = (socket: net.Socket): net.Socket =>
  Object.assign(socket, {
    connect: () => {
      queueMicrotask(() => socket.emit(socket.destroyed ? "close" : "connect"))
      return socket
    }
  })
