/**
 * Exchanges over undici, on connections that are kept between them.
 *
 * One undici `Client` carries one exchange at a time. Its pools would do the same with more layers,
 * and would hide which exchange a connection was made for: here it is made before undici is asked, by
 * `Sockets`, in the fiber of the exchange that needs it, and the times of its making belong to that
 * exchange. An interrupted exchange takes its connection down at once.
 *
 * @internal
 */
import { type Clock, Duration, Effect, type Fiber, type Redacted, type Scope } from "effect"
import type { TLSSocket } from "node:tls"
import * as Host from "../../../Common/Host.js"
import { monotonicMillis } from "../../../Common/Monotonic.js"
import * as Sockets from "../../../System/Sockets.js"
import { KnownAddresses } from "../../../System/Sockets/KnownAddresses.js"
import { Dispatch } from "./Dispatch.js"
import { hostOf, type Outgoing, Reply, rounded, type Send, type Timings } from "./Exchange.js"
import * as HttpFault from "./HttpFault.js"
import { type Line, Pool } from "./Pool.js"
import * as Proxies from "./Proxies.js"
import * as Tunnel from "./Tunnel.js"

export interface Options {
  /** Certificate authorities to trust instead of Node's own, as PEM. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** To make a TCP connection, and again for TLS. What follows is bounded by the run of the check. */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /**
   * URLs whose hosts are looked up now and then, so that they can be reached while no name server
   * answers: where alerts go.
   */
  readonly alwaysReach?: ReadonlyArray<string> | undefined
  /** The URL of an HTTP proxy, or `none`; without it the environment tells. */
  readonly proxy?: Redacted.Redacted<string> | undefined
}

interface Wires {
  readonly pool: Pool
  readonly clock: Clock.Clock
  readonly options: Options
  readonly known: KnownAddresses | undefined
  readonly wayTo: Proxies.WayTo
}

export const make = (options: Options): Effect.Effect<Send, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { default: UndiciClient } = yield* Effect.promise(
      () => import("undici/lib/dispatcher/client.js")
    )
    const clock = yield* Effect.clock
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(UndiciClient)),
      (open) => Effect.promise(() => open.close())
    )
    const known = options.alwaysReach === undefined ? undefined : new KnownAddresses()
    const wayTo = yield* Proxies.make(options.proxy)
    if (known !== undefined) yield* Effect.forkScoped(known.refresh(hosts(options, wayTo)))
    const wires: Wires = { pool, clock, options, known, wayTo }
    return (request) =>
      Effect.withFiberRuntime((fiber) => {
        const startedAt = monotonicMillis(clock)
        const line = pool.take(request.url.origin)
        const exchange = { request, line, startedAt, fiber }
        return line.isOpen ? dispatch(wires, exchange) : overNew(wires, exchange)
      })
  })

/** What is looked up to get there: the host, or that of the proxy, which looks up the host itself. */
const hosts = ({ alwaysReach }: Options, wayTo: Proxies.WayTo): ReadonlyArray<string> =>
  (alwaysReach ?? []).flatMap((text) => {
    if (!URL.canParse(text)) return []
    const url = new URL(text)
    return [proxyOf(wayTo(url))?.host ?? Host.unbracketed(url.hostname)]
  })

type Answer = Effect.Effect<Reply, HttpFault.HttpFault>

interface Exchange {
  readonly request: Outgoing
  readonly line: Line
  readonly startedAt: number
  /** The one that waits for the answer. */
  readonly fiber: Fiber.RuntimeFiber<Reply, HttpFault.HttpFault>
}

const dispatch = (wires: Wires, exchange: Exchange): Answer =>
  Effect.async((resume) => {
    const { fiber } = exchange
    const running = new Dispatch(exchange, wires, {
      resume: (answer) => {
        fiber.removeObserver(abandon)
        resume(answer)
      },
      anew: () => overNew(wires, exchange)
    })
    const abandon = () => running.abandon()
    // Who is interrupted ends. The interruption of an `Effect.async` would be listened for by as
    // many steps again as the rest of a check takes.
    fiber.addObserver(abandon)
    running.start()
  })

const overNew = (wires: Wires, exchange: Exchange): Answer =>
  open(wires, exchange).pipe(
    Effect.onError(() => Effect.sync(() => wires.pool.drop(exchange.line))),
    Effect.zipRight(dispatch(wires, exchange))
  )

/**
 * Only a server that asks for a certificate says by which algorithms it may be signed. Asked of an open
 * socket alone: on one that is closed, Node ends with a segmentation fault.
 */
const asksForCertificate = (socket: TLSSocket): boolean =>
  !socket.destroyed && socket.getSharedSigalgs().length > 0

const proxyOf = (way: Proxies.Way) => (way !== "direct" && "host" in way ? way : undefined)

/** TLS sessions are not resumed: a resumed handshake shows no certificate, and a check is to see it. */
const open = (
  { clock, known, options, wayTo }: Wires,
  { line, request: { url } }: Exchange
): Effect.Effect<void, HttpFault.HttpFault> =>
  Effect.gen(function* () {
    const isSecure = url.protocol === "https:"
    const host = Host.unbracketed(url.hostname)
    const port = Host.httpPort(url)
    const connectTimeout = options.connectTimeout ?? Duration.seconds(10)
    const tls = {
      ...(options.ca === undefined ? {} : { ca: [options.ca].flat() }),
      ALPNProtocols: ["http/1.1"]
    }
    const way = wayTo(url)
    const connected =
      way === "direct"
        ? yield* Sockets.connect({ host, port }, { connectTimeout, known })
        : yield* Tunnel.connect(way, isSecure ? { host, port } : undefined, {
            connectTimeout,
            known,
            tls
          })
    const { connectMillis, lookUpMillis } = connected
    connected.socket.setNoDelay(true)
    connected.socket.setKeepAlive(true, 30_000)
    const timings: Partial<Timings> = {
      ...(lookUpMillis === undefined ? {} : { dns_ms: rounded(lookUpMillis) }),
      connect_ms: rounded(connectMillis)
    }
    if (!isSecure) return line.adopt(connected.keep(), timings, { proxy: proxyOf(way) })
    const startedAt = monotonicMillis(clock)
    const socket = yield* Sockets.secure(connected.socket, host, tls).pipe(
      Effect.timeoutFail({ duration: connectTimeout, onTimeout: Sockets.tooLate })
    )
    connected.keep()
    const tls_ms = rounded(monotonicMillis(clock) - startedAt)
    line.adopt(socket, { ...timings, tls_ms }, { asksForCertificate: asksForCertificate(socket) })
  }).pipe(
    Effect.scoped,
    Effect.mapError((error) => HttpFault.fromUnknown(error, hostOf(url)))
  )
