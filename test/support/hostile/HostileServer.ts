/**
 * A TCP server on loopback whose every connection is led by a script, which may break every rule of
 * its protocol.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import { TLSSocket } from "node:tls"
import type { Certificate } from "../Certificates.js"
import { fromUnknown, type ServerError } from "../ServerError.js"

/** What is done with a connection, and at each chunk that the client sends. */
export type Script = (socket: net.Socket, connection: number) => (turn: number) => void

export interface HostileServer {
  readonly port: number
  readonly connections: () => number
}

export interface Options {
  /** PostgreSQL's question for TLS is answered before the script begins. */
  readonly asksForTls?: boolean
  readonly tls?: Certificate
}

export const make = (
  script: Script,
  options: Options = {}
): Effect.Effect<HostileServer, ServerError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<
      { readonly server: net.Server; readonly sockets: Set<net.Socket>; count: number },
      ServerError
    >((resume) => {
      const sockets = new Set<net.Socket>()
      const state = { server: net.createServer(), sockets, count: 0 }
      state.server.on("connection", (socket) => {
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
        socket.on("error", () => {
          // The client's business.
        })
        negotiated(socket, options, (ready, first) => {
          const turn = script(ready, state.count++)
          let turns = 0
          if (first !== undefined) turn(turns++)
          ready.on("data", () => turn(turns++))
        })
      })
      state.server.once("error", (cause) =>
        resume(Effect.fail(fromUnknown("hostile server", "listen")(cause)))
      )
      state.server.listen(0, "127.0.0.1", () => resume(Effect.succeed(state)))
    }),
    ({ server, sockets }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  ).pipe(
    Effect.map((state) => ({
      port: (state.server.address() as net.AddressInfo).port,
      connections: () => state.count
    }))
  )

/** Again and again, as fast as the client takes it. */
export const flood = (socket: net.Socket, chunk: Buffer): void => {
  const many = Buffer.concat(
    Array<Buffer>(Math.max(1, Math.floor(65_536 / chunk.length))).fill(chunk)
  )
  const write = () => {
    while (!socket.destroyed && socket.write(many)) {
      // Until its buffer is full.
    }
  }
  socket.on("drain", write)
  write()
}

const negotiated = (
  socket: net.Socket,
  { asksForTls = false, tls }: Options,
  use: (socket: net.Socket, first: Buffer | undefined) => void
): void => {
  const secured = () =>
    tls === undefined
      ? socket
      : new TLSSocket(socket, { isServer: true, cert: tls.cert, key: tls.key }).on("error", () => {
          // The client's business.
        })
  if (!asksForTls) return use(secured(), undefined)
  socket.once("data", (first: Buffer) => {
    if (first.length !== 8) return use(socket, first)
    socket.write(tls === undefined ? "N" : "S")
    use(secured(), undefined)
  })
}
