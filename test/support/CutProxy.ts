/**
 * A road to a PostgreSQL server that breaks where a test says: before a statement of the clients
 * reaches the server, or after the server has answered it and before the client knows. It speaks no TLS
 * (`sslmode=disable`).
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import { ServerError } from "./ServerError.js"

export interface Cut {
  /** Which statement from now on: the first one is 1, or the first with this text. */
  readonly at: number | string
  readonly side: "before" | "after"
  /** How long connections are refused after that, in milliseconds. */
  readonly refuse: number
}

export interface CutProxy {
  readonly port: number
  /** Breaks the connection once. */
  readonly cut: (cut: Cut) => Effect.Effect<void>
  /** Whether it has broken it. */
  readonly isCut: Effect.Effect<boolean>
  /** Breaks all connections, and refuses new ones until `restore`. */
  readonly refuse: Effect.Effect<void>
  /** Passes everything on again, what was held back too. */
  readonly restore: Effect.Effect<void>
  /** Keeps back the answer to the next statement that matches; comes back when the server has given it. */
  readonly hold: (statement: RegExp) => Effect.Effect<void>
}

/** Messages of the protocol: a type, but for the first one of a client, and a length. */
const framer = (hasStartup: boolean, take: (type: string, message: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  let isStartup = hasStartup
  return (data: Buffer) => {
    rest = Buffer.concat([rest, data])
    for (;;) {
      const head = isStartup ? 0 : 1
      if (rest.length < head + 4) return
      const length = head + rest.readUInt32BE(head)
      if (rest.length < length) return
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      take(isStartup ? "" : String.fromCharCode(message[0] ?? 0), message)
      isStartup = false
    }
  }
}

export const make = (server: {
  readonly port: number
}): Effect.Effect<CutProxy, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<net.Socket>()
    const parked: Array<() => void> = []
    let plan: Cut | undefined
    let count = 0
    let isCut = false
    let refusedUntil = 0
    let held: { readonly statement: RegExp; readonly done: () => void } | undefined
    let isHolding = false

    const isAt = ({ at }: Cut, text: Buffer) =>
      typeof at === "number" ? count === at : text.includes(at)

    const pair = (client: net.Socket) => {
      if (Date.now() < refusedUntil) {
        client.destroy()
        return
      }
      const upstream = net.connect(server.port, "127.0.0.1")
      const end = () => {
        client.destroy()
        upstream.destroy()
      }
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on("error", end)
        socket.on("close", () => {
          sockets.delete(socket)
          end()
        })
      }
      const breaks = () => {
        refusedUntil = Date.now() + (plan?.refuse ?? 0)
        isCut = true
        plan = undefined
        end()
      }
      let batch: Array<Buffer> = []
      let afterwards: "cut" | "hold" | undefined
      const fromClient = framer(true, (type, message) => {
        batch.push(message)
        if (type !== "" && !["Q", "S", "p", "X"].includes(type)) return
        const text = Buffer.concat(batch)
        batch = []
        if (type === "Q" || type === "S") {
          count += 1
          if (plan !== undefined && isAt(plan, text)) {
            if (plan.side === "before") return breaks()
            afterwards = "cut"
          }
          if (held?.statement.test(text.toString("latin1")) === true) afterwards = "hold"
        }
        upstream.write(text)
      })
      const fromServer = framer(false, (type, message) => {
        if (type === "Z" && afterwards === "cut") return breaks()
        if (type === "Z" && afterwards === "hold") {
          held?.done()
          held = undefined
          isHolding = true
        }
        if (type === "Z") afterwards = undefined
        if (isHolding) parked.push(() => client.write(message))
        else client.write(message)
      })
      client.on("data", fromClient)
      upstream.on("data", (data) => {
        if (client.destroyed) return
        fromServer(data)
      })
    }

    const listener = yield* Effect.acquireRelease(
      Effect.async<net.Server, ServerError>((resume) => {
        const made = net.createServer(pair)
        made.once("error", (cause) => {
          const detail = "127.0.0.1"
          resume(
            Effect.fail(
              new ServerError({ server: "cut proxy", operation: "listen", detail, cause })
            )
          )
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) =>
        Effect.async<void>((resume) => {
          for (const socket of sockets) socket.destroy()
          made.close(() => resume(Effect.void))
        })
    )
    const address = listener.address()
    return {
      port: typeof address === "object" && address !== null ? address.port : 0,
      cut: (next) =>
        Effect.sync(() => {
          plan = next
          count = 0
          isCut = false
        }),
      isCut: Effect.sync(() => isCut),
      refuse: Effect.sync(() => {
        refusedUntil = Number.POSITIVE_INFINITY
        for (const socket of sockets) socket.destroy()
      }),
      restore: Effect.sync(() => {
        plan = undefined
        refusedUntil = 0
        isHolding = false
        for (const write of parked.splice(0)) write()
      }),
      hold: (statement) =>
        Effect.gen(function* () {
          const done = yield* Deferred.make<void>()
          held = { statement, done: () => Deferred.unsafeDone(done, Effect.void) }
          yield* Deferred.await(done)
        })
    }
  })
