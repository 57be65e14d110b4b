/** TCP servers that are not what a client hopes for. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import * as FreePort from "./FreePort.js"
import * as ManagedProcess from "./ManagedProcess.js"
import { fromUnknown, ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"

export interface FaultyTcp {
  readonly host: "127.0.0.1"
  readonly port: number
  /** How many connections it has taken so far. */
  readonly accepted: Effect.Effect<number>
  readonly awaitAccepted: (count: number) => Effect.Effect<void>
}

type Faulty = Effect.Effect<FaultyTcp, ServerError, Scope.Scope>

const listening = (onConnection: (socket: net.Socket) => void): Faulty =>
  Effect.acquireRelease(
    Effect.async<Listening, ServerError>((resume) => {
      const sockets = new Set<net.Socket>()
      const waiting = new Set<() => void>()
      const state = { server: net.createServer(), sockets, waiting, accepted: 0 }
      state.server.on("connection", (socket) => {
        state.accepted += 1
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
        socket.on("error", () => {
          // The client's business.
        })
        // What is not read keeps the socket from noticing the client's end.
        socket.resume()
        onConnection(socket)
        for (const check of waiting) check()
      })
      state.server.once("error", (cause) =>
        resume(Effect.fail(fromUnknown("faulty tcp", "listen")(cause)))
      )
      state.server.listen(0, "127.0.0.1", () => resume(Effect.succeed(state)))
    }),
    (state) =>
      Effect.async<void>((resume) => {
        state.server.close(() => resume(Effect.void))
        for (const socket of state.sockets) socket.destroy()
      })
  ).pipe(
    Effect.map(
      (state): FaultyTcp => ({
        host: "127.0.0.1",
        port: (state.server.address() as net.AddressInfo).port,
        accepted: Effect.sync(() => state.accepted),
        awaitAccepted: (count) =>
          Effect.async((resume) => {
            const check = () => {
              if (state.accepted < count) return
              state.waiting.delete(check)
              resume(Effect.void)
            }
            state.waiting.add(check)
            check()
            return Effect.sync(() => state.waiting.delete(check))
          })
      })
    )
  )

interface Listening {
  readonly server: net.Server
  readonly sockets: Set<net.Socket>
  readonly waiting: Set<() => void>
  accepted: number
}

/** Takes the connection and never says a word. */
export const silent: Faulty = listening(() => {})

/** Takes the connection and closes it in order. */
export const closing: Faulty = listening((socket) => socket.end())

/** Takes the connection and resets it. */
export const resetting: Faulty = listening((socket) => socket.resetAndDestroy())

/** Says this to whoever connects, and stays. Each character is one byte. */
export const banner = (bytes: string): Faulty =>
  listening((socket) => socket.write(Buffer.from(bytes, "latin1")))

/** Speaks, but no protocol: every byte there is, again and again, then the end. */
export const garbage: Faulty = listening((socket) => {
  const all = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 167 + 13) % 256))
  socket.end(all)
})

const nobody = (port: number): FaultyTcp => ({
  host: "127.0.0.1",
  port,
  accepted: Effect.succeed(0),
  awaitAccepted: () => Effect.never
})

/** Nobody listens here. */
export const refused: Effect.Effect<FaultyTcp, ServerError> = Effect.map(FreePort.find, nobody)

/**
 * The handshake never ends, as behind a firewall that drops packets (Linux only): a stopped
 * process listens with a queue that is full.
 */
export const blackhole: Faulty = Effect.gen(function* () {
  const cwd = yield* TempDir.make("blackhole")
  const listener = yield* ManagedProcess.start({
    name: "blackhole",
    command: process.execPath,
    args: [
      "-e",
      "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }," +
        " () => console.log('port ' + s.address().port))"
    ],
    cwd
  })
  const match = yield* listener.awaitOutput(/port (\d+)\n/)
  const port = Number(match[1])
  yield* listener.pause
  // The kernel completes one handshake more than the queue was said to hold.
  for (let filled = 0; filled < 2; filled++) {
    yield* Effect.acquireRelease(connected(port), (socket) => Effect.sync(() => socket.destroy()))
  }
  return nobody(port)
})

const connected = (port: number): Effect.Effect<net.Socket, ServerError> =>
  Effect.async((resume) => {
    const socket = net.connect(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
    socket.on("error", (cause) =>
      resume(
        Effect.fail(
          new ServerError({ server: "blackhole", operation: "fill", detail: cause.message, cause })
        )
      )
    )
  })
