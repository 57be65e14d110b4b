/**
 * An HTTP proxy as RFC 9110 describes it: requests in absolute form are forwarded, CONNECT opens a tunnel.
 * It alone knows the hosts that it is given.
 */
import { Effect, type Scope } from "effect"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"

export interface Options {
  /** The ports of this machine behind names that nobody else knows. */
  readonly hosts?: Readonly<Record<string, number>>
  /** The value of `proxy-authorization` that is wanted. */
  readonly authorization?: string
  /** What CONNECT is answered with. */
  readonly connectStatus?: number
  /** Speaks TLS itself. */
  readonly certificate?: { readonly cert: string; readonly key: string }
}

export interface ProxyDouble {
  readonly port: number
  /** First lines of requests, in order. */
  readonly seen: ReadonlyArray<string>
  /** Headers of the last request. */
  readonly headers: () => http.IncomingHttpHeaders
}

export const make = (options: Options = {}): Effect.Effect<ProxyDouble, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<ProxyDouble & { readonly close: () => void }>((resume) => {
      const seen: Array<string> = []
      const sockets = new Set<net.Socket>()
      let headers: http.IncomingHttpHeaders = {}
      const place = (host: string, port: string) => ({
        host: "127.0.0.1",
        port: options.hosts?.[host] ?? Number(port)
      })
      const isKnown = (request: http.IncomingMessage) => {
        seen.push(`${request.method} ${request.url}`)
        headers = request.headers
        return (
          options.authorization === undefined ||
          request.headers["proxy-authorization"] === options.authorization
        )
      }
      const server =
        options.certificate === undefined
          ? http.createServer()
          : https.createServer(options.certificate)
      server.on("connection", (socket: net.Socket) => sockets.add(socket))
      server.on("request", (request, response) => {
        if (!isKnown(request)) {
          response.writeHead(407, { "proxy-authenticate": "Basic" }).end("who are you?")
          return
        }
        const url = new URL(request.url ?? "")
        const { "proxy-authorization": _, ...kept } = request.headers
        const onwards = http.request(
          {
            ...place(url.hostname, url.port || "80"),
            method: request.method,
            path: url.pathname + url.search,
            headers: kept
          },
          (answer) => {
            response.writeHead(answer.statusCode ?? 500, answer.headers)
            answer.pipe(response)
          }
        )
        onwards.on("error", () => response.writeHead(502).end())
        request.pipe(onwards)
      })
      server.on("connect", (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
        socket.on("error", () => {})
        const answer = (status: number) =>
          socket.write(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n\r\n`)
        if (!isKnown(request)) return answer(407)
        if (options.connectStatus !== undefined) return answer(options.connectStatus)
        const [host = "", port = ""] = (request.url ?? "").split(":")
        const onwards = net.connect(place(host, port), () => {
          answer(200)
          onwards.write(head)
          socket.pipe(onwards).pipe(socket)
        })
        sockets.add(onwards)
        return onwards.on("error", () => answer(502))
      })
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            port: (server.address() as net.AddressInfo).port,
            seen,
            headers: () => headers,
            close: () => {
              server.close()
              for (const socket of sockets) socket.destroy()
            }
          })
        )
      )
    }),
    ({ close }) => Effect.sync(close)
  )
