/**
 * Exchanges over undici, on connections that are kept between them.
 *
 * One undici `Client` carries one exchange at a time. Its pools would do the same with more layers,
 * and would hide which exchange a connection was made for: here the times of its making belong to
 * the exchange that waited for it, and an interrupted exchange takes its connection down at once,
 * also one that is still being made.
 *
 * @internal
 */
import { type Clock, Duration, Effect, type Scope } from "effect"
import type * as net from "node:net"
import type * as tls from "node:tls"
import type { Client, Dispatcher } from "undici"
import { monotonicMillis } from "../../../Check/Deadlines.js"
import { hostOf, type Outgoing, Reply, rounded, type Send, type Timings } from "./Exchange.js"
import * as HttpFault from "./HttpFault.js"

export interface Options {
  /** Certificate authorities to trust instead of Node's own, as PEM. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** To make a TCP connection. What follows is bounded by the run of the check. */
  readonly connectTimeout?: Duration.DurationInput | undefined
}

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

export const make = (options: Options): Effect.Effect<Send, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [{ default: UndiciClient }, netModule, tlsModule] = yield* Effect.promise(() =>
      Promise.all([
        import("undici/lib/dispatcher/client.js"),
        import("node:net"),
        import("node:tls")
      ])
    )
    const clock = yield* Effect.clock
    const drivers: Drivers = {
      Client: UndiciClient,
      net: netModule,
      tls: tlsModule,
      options,
      clock
    }
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(drivers)),
      (open) => Effect.promise(() => open.close())
    )
    return (request) =>
      Effect.withFiberRuntime<Reply, HttpFault.HttpFault>((fiber) =>
        Effect.async((resume) => {
          const abandon = () => exchange.abandon()
          const exchange = new Exchange(request, pool, clock, (result) => {
            fiber.removeObserver(abandon)
            resume(result)
          })
          // Who is interrupted ends. The interruption of an `Effect.async` would be listened for by as
          // many steps again as the rest of a check takes.
          fiber.addObserver(abandon)
          exchange.start()
        })
      )
  })

interface Drivers {
  readonly Client: typeof Client
  readonly net: typeof net
  readonly tls: typeof tls
  readonly options: Options
  readonly clock: Clock.Clock
}

class Pool {
  private readonly idle = new Map<string, Array<Line>>()
  private readonly lines = new Set<Line>()

  constructor(private readonly drivers: Drivers) {}

  take(origin: string): Line {
    const kept = this.idle.get(origin)?.pop()
    if (kept !== undefined) return kept
    const line = new Line(origin, this.drivers)
    this.lines.add(line)
    return line
  }

  giveBack(line: Line): void {
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
class Line {
  /** How the connection was made, while the exchange that waited for it runs. */
  opening: Opening | undefined
  readonly client: Client

  constructor(
    readonly origin: string,
    drivers: Drivers
  ) {
    this.client = new drivers.Client(origin, {
      connect: (target, callback) => {
        this.opening = new Opening(drivers, target, callback)
      },
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: Duration.toMillis(keepAlive)
    })
  }

  close(): Promise<unknown> {
    this.opening?.giveUp()
    return this.client.destroy()
  }
}

type Connector = Extract<Client.Options["connect"], (...args: never) => unknown>

/**
 * Makes a connection and takes the times. TLS sessions are not resumed: a resumed handshake shows no
 * certificate, and a check is to see it.
 */
class Opening {
  private readonly startedAt: number
  private readonly socket: net.Socket
  private resolvedAt: number | undefined
  private connectedAt: number | undefined
  private securedAt: number | undefined

  constructor(drivers: Drivers, target: Parameters<Connector>[0], done: Parameters<Connector>[1]) {
    const { clock, options } = drivers
    const now = () => monotonicMillis(clock)
    this.startedAt = now()
    const secure = target.protocol === "https:"
    const where = { host: target.hostname, port: Number(target.port) || (secure ? 443 : 80) }
    const name = target.servername ?? target.hostname
    const socket = secure
      ? drivers.tls.connect({
          ...where,
          ...(drivers.net.isIP(name) === 0 ? { servername: name } : {}),
          ...(options.ca === undefined ? {} : { ca: [options.ca].flat() }),
          ALPNProtocols: ["http/1.1"]
        })
      : drivers.net.connect(where)
    this.socket = socket
    let open = true
    const fail = (error: Error) => {
      if (!open) return
      open = false
      // Between TCP and TLS a reset is an answer to the handshake, not to a request.
      const atHandshake = secure && this.connectedAt !== undefined
      done(atHandshake ? new HandshakeError(error) : error, null)
    }
    // The socket's own timer: it ends with the socket.
    socket.setTimeout(Duration.toMillis(options.connectTimeout ?? Duration.seconds(10)), () => {
      fail(Object.assign(new Error("connect timeout"), { code: "ETIMEDOUT" }))
      socket.destroy()
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    socket.once("lookup", () => {
      this.resolvedAt = now()
    })
    socket.once("connect", () => {
      this.connectedAt = now()
    })
    socket.once(secure ? "secureConnect" : "connect", () => {
      socket.setTimeout(0)
      if (secure) this.securedAt = now()
      if (!open) return
      open = false
      done(null, socket)
    })
    socket.on("error", fail)
    // A server that closes within the handshake is not always reported as an error.
    socket.once("close", () => fail(Object.assign(new Error("closed"), { code: "UND_ERR_SOCKET" })))
  }

  giveUp(): void {
    this.socket.destroy()
  }

  get timings(): Partial<Timings> {
    const { connectedAt, resolvedAt, securedAt, startedAt } = this
    return {
      ...(resolvedAt === undefined ? {} : { dns_ms: rounded(resolvedAt - startedAt) }),
      ...(connectedAt === undefined
        ? {}
        : { connect_ms: rounded(connectedAt - (resolvedAt ?? startedAt)) }),
      ...(connectedAt === undefined || securedAt === undefined
        ? {}
        : { tls_ms: rounded(securedAt - connectedAt) })
    }
  }
}

class HandshakeError extends Error {
  readonly code = "ERR_TLS_HANDSHAKE"
  constructor(override readonly cause: Error) {
    super("the TLS handshake did not end", { cause })
  }
}

/** One request, as undici calls back about it. */
class Exchange implements Dispatcher.DispatchHandler {
  private readonly startedAt: number
  private readonly line: Line
  private readonly chunks: Array<Uint8Array> = []
  private length = 0
  private status = 0
  private headers: Reply["headers"] = {}
  private firstByteAt = 0
  private settled = false

  constructor(
    private readonly request: Outgoing,
    private readonly pool: Pool,
    private readonly clock: Clock.Clock,
    private readonly resume: (result: Effect.Effect<Reply, HttpFault.HttpFault>) => void
  ) {
    this.startedAt = monotonicMillis(clock)
    this.line = pool.take(request.url.origin)
  }

  start(): void {
    const { body, headers, method, url } = this.request
    this.line.opening = undefined
    const path = url.pathname + url.search
    this.line.client.dispatch({ path, method, headers, body: body ?? null }, this)
  }

  /** Nobody waits any longer. */
  abandon(): void {
    if (this.settled) return
    this.settled = true
    this.pool.drop(this.line)
  }

  // undici asks for it: its presence tells that these are the callbacks of version 7.
  onRequestStart(): void {}

  onResponseStart(_: unknown, status: number, headers: Reply["headers"]): void {
    if (status < 200) return
    this.status = status
    this.headers = headers
    this.firstByteAt = monotonicMillis(this.clock)
  }

  onResponseData(_: unknown, chunk: Uint8Array): void {
    if (this.settled) return
    const { cut, maxBytes, url } = this.request
    const room = maxBytes - this.length
    this.length += chunk.length
    if (chunk.length <= room) this.chunks.push(chunk)
    else if (cut) this.cutAt(chunk.subarray(0, room))
    else this.fail(HttpFault.tooLarge(hostOf(url), maxBytes))
  }

  onResponseEnd(): void {
    if (this.settled) return
    this.settled = true
    const reply = this.reply()
    this.pool.giveBack(this.line)
    this.resume(Effect.succeed(reply))
  }

  onResponseError(_: unknown, error: Error): void {
    if (!this.settled) this.fail(HttpFault.fromUnknown(error, hostOf(this.request.url)))
  }

  /** What follows on this connection is of no use to anybody. */
  private cutAt(last: Uint8Array): void {
    this.chunks.push(last)
    const reply = this.reply()
    this.abandon()
    this.resume(Effect.succeed(reply))
  }

  private reply(): Reply {
    const opening = this.line.opening
    return new Reply(
      this.status,
      this.headers,
      this.chunks,
      {
        ...opening?.timings,
        first_byte_ms: rounded(this.firstByteAt - this.startedAt),
        total_ms: rounded(monotonicMillis(this.clock) - this.startedAt)
      },
      opening === undefined ? "reused" : "new"
    )
  }

  private fail(fault: HttpFault.HttpFault): void {
    this.abandon()
    this.resume(Effect.fail(fault))
  }
}
