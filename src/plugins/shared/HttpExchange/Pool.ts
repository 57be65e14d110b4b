/**
 * The connections that are kept between exchanges.
 *
 * @internal
 */
import { Duration } from "effect"
import type * as net from "node:net"
import type { Client, Dispatcher } from "undici"
import type { Proxy } from "../../../System/Sockets/Proxy.js"
import type { Timings } from "./Exchange.js"
import { Heads, longestHeaders } from "./Heads.js"

/**
 * Longer than a beat, and within what servers and routers commonly keep: a connection that a
 * router forgot answers nothing, and looks as if the server were down.
 */
const keepAlive = Duration.seconds(60)

/**
 * Idle connections to one server; what is beyond is closed. Many checks of one server that meet in
 * a busy moment would otherwise make and close connections for as long as it lasts.
 */
const maxIdle = 256

export class Pool {
  private readonly idle = new Map<string, Array<Line>>()
  private readonly lines = new Set<Line>()

  constructor(private readonly UndiciClient: typeof Client) {}

  take(origin: string): Line {
    const kept = this.idle.get(origin)?.pop()
    if (kept !== undefined) return kept
    const line = new Line(origin, this.UndiciClient)
    this.lines.add(line)
    return line
  }

  giveBack(line: Line): void {
    line.opening = undefined
    const idle = this.idle.get(line.origin)
    if (idle === undefined) this.idle.set(line.origin, [line])
    else if (idle.length < maxIdle) idle.push(line)
    else this.drop(line)
  }

  drop(line: Line): void {
    this.lines.delete(line)
    void line.close()
  }

  close(): Promise<unknown> {
    this.idle.clear()
    return Promise.all([...this.lines].map((line) => line.close()))
  }
}

/** A client with the connection that it keeps. */
export class Line {
  /** What the exchange that is waiting for a new connection hears where there is none any more. */
  static readonly gone = new Error("the connection that was kept is gone")

  /** How the connection was made, while the exchange that waited for it runs. */
  opening: Partial<Timings> | undefined
  /** Whether the server asked for a certificate, of which there is none. */
  asksForCertificate = false
  /** To whom the connection leads, where that is not the server. */
  proxy: Proxy | undefined
  readonly client: Client
  private heads: Heads | undefined
  private socket: net.Socket | undefined
  private isTaken = false

  constructor(
    readonly origin: string,
    UndiciClient: typeof Client
  ) {
    this.client = new UndiciClient(origin, {
      // Never at once: undici does not look again after who calls back from within.
      connect: (_, callback) => {
        queueMicrotask(() => {
          const { isTaken, socket } = this
          if (socket === undefined || isTaken || socket.destroyed) callback(Line.gone, null)
          else {
            this.isTaken = true
            callback(null, socket)
          }
        })
      },
      maxHeaderSize: longestHeaders,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: Duration.toMillis(keepAlive)
    })
  }

  get isOpen(): boolean {
    return this.socket !== undefined && !this.socket.destroyed
  }

  /** A connection for the next exchange, which did not find one. */
  adopt(
    socket: net.Socket,
    opening: Partial<Timings>,
    about: { readonly asksForCertificate?: boolean; readonly proxy?: Proxy | undefined }
  ): void {
    this.socket = socket
    this.heads = new Heads(socket)
    this.asksForCertificate = about.asksForCertificate === true
    this.proxy = about.proxy
    this.isTaken = false
    this.opening = opening
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.heads?.expect()
    this.client.dispatch(options, handler)
  }

  close(): Promise<unknown> {
    if (!this.isTaken) this.socket?.destroy()
    return this.client.destroy()
  }
}
