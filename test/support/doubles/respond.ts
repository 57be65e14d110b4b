/** Carries out a behaviour on one request. */
/* eslint-disable no-restricted-syntax -- a server that is slow needs a timer: no test waits here. */
import type * as http from "node:http"
import type * as net from "node:net"
import type { Behaviour, Respond } from "./Behaviour.js"

export interface Exchange {
  readonly response: http.ServerResponse
  /** The TCP socket, also below TLS: only there is a reset possible. */
  readonly socket: net.Socket
  /** Opens when the test releases the gate of this name. */
  readonly gate: (name: string) => Promise<void>
}

const halfBody = '{"ok":true,"result":{"username":"ha'

export const respond = (behaviour: Behaviour, exchange: Exchange, skewSeconds = 0): void => {
  const { response, socket } = exchange
  const begin = (status: number, headers: Readonly<Record<string, string>>) => {
    if (skewSeconds !== 0) response.setHeader("date", httpDate(skewSeconds))
    response.writeHead(status, headers)
  }
  const half = (status: number, then: () => void) => {
    begin(status, { "content-type": "application/json", "content-length": "1000" })
    response.write(halfBody, then)
  }
  switch (behaviour._tag) {
    case "Respond":
      begin(behaviour.status, headersOf(behaviour, skewSeconds))
      response.end(behaviour.body)
      return
    case "SlowHeaders": {
      const timer = setTimeout(
        () => respond(behaviour.then, exchange, skewSeconds),
        behaviour.millis
      )
      response.once("close", () => clearTimeout(timer))
      return
    }
    case "Gate":
      void exchange.gate(behaviour.name).then(() => {
        if (!socket.destroyed) respond(behaviour.then, exchange, skewSeconds)
      })
      return
    case "WithDate":
      respond(behaviour.then, exchange, behaviour.skewSeconds)
      return
    case "Trickle": {
      begin(200, {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(behaviour.body))
      })
      response.flushHeaders()
      trickle(response, Buffer.from(behaviour.body), behaviour.everyMillis)
      return
    }
    case "StallBody":
      half(behaviour.status, () => {})
      return
    case "Endless":
      begin(200, { "content-type": "application/octet-stream" })
      pour(response, Buffer.alloc(behaviour.chunkBytes, "x"))
      return
    case "Hang":
      return
    case "Reset":
      socket.resetAndDestroy()
      return
    case "ResetMidBody":
      half(200, () => {
        // A reset overtakes what the client has not read yet: let the headers arrive first.
        const timer = setTimeout(() => socket.resetAndDestroy(), 20)
        socket.once("close", () => clearTimeout(timer))
      })
      return
    case "Truncate":
      half(200, () => response.socket?.end())
      return
    case "Raw":
      response.socket?.end(Buffer.from(behaviour.bytes, "latin1"))
      return
  }
}

const headersOf = (answer: Respond, skewSeconds: number): Record<string, string> => ({
  ...answer.headers,
  "content-length": String(Buffer.byteLength(answer.body)),
  ...(answer.retryAtSeconds === undefined
    ? {}
    : { "retry-after": httpDate(skewSeconds + answer.retryAtSeconds) })
})

const httpDate = (secondsFromNow: number): string =>
  new Date(Date.now() + secondsFromNow * 1000).toUTCString()

const trickle = (response: http.ServerResponse, body: Buffer, everyMillis: number): void => {
  let sent = 0
  const timer = setInterval(() => {
    if (sent === body.length) {
      clearInterval(timer)
      response.end()
      return
    }
    response.write(body.subarray(sent, sent + 1))
    sent += 1
  }, everyMillis)
  response.once("close", () => clearInterval(timer))
}

const pour = (response: http.ServerResponse, chunk: Buffer): void => {
  const more = () => {
    if (response.destroyed || response.socket?.destroyed !== false) return
    // One turn of the loop for each filled buffer: other requests are answered in between.
    if (response.write(chunk)) setImmediate(more)
    else response.once("drain", more)
  }
  more()
}
