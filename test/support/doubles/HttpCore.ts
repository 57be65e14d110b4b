/**
 * A local HTTP or HTTPS server that records what it is asked and lets an `Api` say how to
 * behave. It is driven by commands that are plain data: in this process by a call, in a child
 * process by a message.
 */
import * as http from "node:http"
import * as https from "node:https"
import type * as net from "node:net"
import type { Behaviour } from "./Behaviour.js"
import { respond } from "./respond.js"

export interface RecordedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Which connection it came on, counted from 1. */
  readonly connection: number
}

export interface ServerOptions {
  /** 0: any free port. */
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly keepAlive?: boolean
}

/** What a server is asked about, and how it is programmed. */
export interface Api {
  readonly handle: (request: RecordedRequest) => Behaviour
  readonly command: (name: string, payload: unknown) => unknown
}

export type Command =
  | { readonly _tag: "Api"; readonly name: string; readonly payload: unknown }
  | { readonly _tag: "Requests" }
  | { readonly _tag: "AwaitRequests"; readonly count: number }
  | { readonly _tag: "AwaitApi"; readonly name: string; readonly count: number }
  | { readonly _tag: "Clear" }
  | { readonly _tag: "Release"; readonly gate: string }
  | { readonly _tag: "Connections" }
  | { readonly _tag: "Stop" }
  | { readonly _tag: "Start" }

export interface HttpCore {
  readonly port: number
  readonly command: (command: Command) => Promise<unknown>
  readonly close: () => Promise<void>
}

export const listen = async (options: ServerOptions, api: Api): Promise<HttpCore> => {
  const requests: Array<RecordedRequest> = []
  const waiting = new Set<() => void>()
  const gates = new Map<string, { open: boolean; waiting: Array<() => void> }>()
  const sockets = new Map<net.Socket, number>()
  let total = 0

  const gate = (name: string) => {
    const known = gates.get(name) ?? { open: false, waiting: [] }
    gates.set(name, known)
    return known
  }

  const answer = (request: http.IncomingMessage, response: http.ServerResponse) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const socket = tcpOf(request.socket, sockets)
      const recorded: RecordedRequest = {
        method: request.method ?? "",
        url: request.url ?? "",
        headers: headersOf(request),
        body: Buffer.concat(chunks).toString("utf8"),
        connection: sockets.get(socket) ?? 0
      }
      requests.push(recorded)
      if (options.keepAlive === false) response.shouldKeepAlive = false
      respond(api.handle(recorded), {
        response,
        socket,
        gate: (name) =>
          new Promise((resolve) => {
            const known = gate(name)
            if (known.open) resolve()
            else known.waiting.push(resolve)
          })
      })
      for (const check of waiting) check()
    })
  }

  const server =
    options.tls === undefined ? http.createServer(answer) : https.createServer(options.tls, answer)
  server.on("connection", (socket: net.Socket) => {
    total += 1
    sockets.set(socket, total)
    socket.on("error", () => {
      // The client went away; that is its business.
    })
    socket.on("close", () => sockets.delete(socket))
  })
  server.on("clientError", (_error, socket) => socket.destroy())
  server.on("tlsClientError", () => {})

  const open = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once("error", reject)
      server.listen({ port, host: "127.0.0.1" }, () => {
        server.off("error", reject)
        resolve((server.address() as net.AddressInfo).port)
      })
    })
  const stop = () =>
    new Promise<void>((resolve) => {
      if (!server.listening) return resolve()
      server.close(() => resolve())
      // Also connections inside a TLS handshake, which the server does not count as its own.
      for (const socket of sockets.keys()) socket.destroy()
    })
  const until = <A>(read: () => ReadonlyArray<A>, count: number) =>
    new Promise<ReadonlyArray<A>>((resolve) => {
      const check = () => {
        if (read().length < count) return
        waiting.delete(check)
        resolve([...read()])
      }
      waiting.add(check)
      check()
    })

  const port = await open(options.port)

  const command = async (asked: Command): Promise<unknown> => {
    switch (asked._tag) {
      case "Api":
        return api.command(asked.name, asked.payload)
      case "Requests":
        return [...requests]
      case "AwaitRequests":
        return until(() => requests, asked.count)
      case "AwaitApi":
        return until(
          () => api.command(asked.name, undefined) as ReadonlyArray<unknown>,
          asked.count
        )
      case "Clear":
        requests.length = 0
        return undefined
      case "Release": {
        const known = gate(asked.gate)
        known.open = true
        for (const go of known.waiting.splice(0)) go()
        return undefined
      }
      case "Connections":
        return { total, open: sockets.size }
      case "Stop":
        return stop()
      case "Start":
        if (!server.listening) await open(port)
        return undefined
    }
  }
  return { port, command, close: stop }
}

/** The TCP socket below a TLS socket: the one with the same port on the client's side. */
const tcpOf = (socket: net.Socket, sockets: ReadonlyMap<net.Socket, number>): net.Socket =>
  sockets.has(socket)
    ? socket
    : ([...sockets.keys()].find((one) => one.remotePort === socket.remotePort) ?? socket)

const headersOf = (request: http.IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(", ")])
  )
