/**
 * The one place that opens sockets to other programs: name look-up, the addresses of a host, the name
 * that TLS asks for.
 *
 * @internal
 */
import { type Clock, Duration, Effect, type Scope } from "effect"
import * as net from "node:net"
import type { ConnectionOptions, TLSSocket } from "node:tls"
import * as Errors from "../Common/Errors.js"
import * as Host from "../Common/Host.js"
import { monotonicMillis } from "../Common/Monotonic.js"
import * as RunLimit from "../Common/RunLimit.js"
import * as InTurn from "./InTurn.js"
import type { KnownAddresses } from "./Sockets/KnownAddresses.js"
import * as NameLookup from "./Sockets/NameLookup.js"
import { SocketError } from "./Sockets/SocketError.js"

export { SocketError } from "./Sockets/SocketError.js"

export interface Target {
  readonly host: string
  readonly port: number
}

export interface Options {
  /** To make the TCP connection, once the address is known. Without it who runs this sets the limit. */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /** Where the host was found before, for when nobody says where it is. */
  readonly known?: KnownAddresses | undefined
}

/** The socket belongs to the scope until it is kept. */
export class Connected {
  constructor(
    readonly socket: net.Socket,
    /** Milliseconds. Absent where the host is an address. */
    readonly lookUpMillis: number | undefined,
    readonly connectMillis: number,
    private readonly held: Set<net.Socket>
  ) {}

  /** From here on somebody else closes it. */
  keep(): net.Socket {
    this.held.clear()
    return this.socket
  }

  /** The same, by what runs over it. */
  over(socket: net.Socket): Connected {
    return new Connected(socket, this.lookUpMillis, this.connectMillis, this.held)
  }
}

/** A part of the run's limit, so that there is time to say what took so long. */
const lookUpLimit = Effect.map(RunLimit.current, (limit) =>
  Duration.min(Duration.seconds(4), Duration.times(limit, 0.6))
)

/** The addresses of a host, in the order in which to try them. */
const addresses = (
  host: string,
  known?: KnownAddresses
): Effect.Effect<NameLookup.Addresses, SocketError> =>
  Effect.flatMap(lookUpLimit, (limit) => {
    const lookUp = NameLookup.lookUp(host, limit)
    return known === undefined || net.isIP(host) > 0 ? lookUp : known.orElse(host, lookUp)
  })

/**
 * A TCP connection to the first address that takes one. The next is tried when the one before has
 * failed or has not answered within a quarter of a second, and goes on beside it: a family of
 * addresses that leads nowhere costs that much, and a long way takes its time (RFC 8305).
 */
export const connect = (
  target: Target,
  options: Options = {}
): Effect.Effect<Connected, SocketError, Scope.Scope> =>
  Effect.flatMap(Effect.clock, (clock) =>
    net.isIP(target.host) > 0
      ? reach(target, [target.host], options, clock, undefined)
      : Effect.suspend(() => {
          const startedAt = monotonicMillis(clock)
          return Effect.flatMap(addresses(target.host, options.known), (found) =>
            reach(target, found, options, clock, monotonicMillis(clock) - startedAt)
          )
        })
  )

const step = Duration.millis(250)

const reach = (
  target: Target,
  found: NameLookup.Addresses,
  { connectTimeout }: Options,
  clock: Clock.Clock,
  lookUpMillis: number | undefined
): Effect.Effect<Connected, SocketError, Scope.Scope> =>
  Effect.gen(function* () {
    const held = new Set<net.Socket>()
    const letGo = (kept?: net.Socket) => {
      for (const socket of held) if (socket !== kept) socket.destroy()
    }
    yield* Effect.addFinalizer(() => Effect.sync(letGo))
    const startedAt = monotonicMillis(clock)
    const inOrder = favourites.first(target, found)
    const first = InTurn.first(inOrder, (host) => attempt({ host, port: target.port }, held), step)
    const made = Effect.mapError(first, mostTelling)
    const socket = yield* connectTimeout === undefined
      ? made
      : Effect.timeoutFail(made, { duration: connectTimeout, onTimeout: tooLate })
    letGo(socket)
    if (found.length > 1) favourites.remember(target, socket.remoteAddress)
    return new Connected(socket, lookUpMillis, monotonicMillis(clock) - startedAt, held)
  })

export const tooLate = (): SocketError =>
  new SocketError({
    phase: "connection",
    code: "ETIMEDOUT",
    problem: "the connection was not made in time"
  })

const attempt = (place: Target, held: Set<net.Socket>): Effect.Effect<net.Socket, SocketError> =>
  Effect.suspend(() => {
    const socket = net.connect(place)
    held.add(socket)
    return opened(socket)
  })

/** A connection to a socket in the file system. */
export const connectPath = (path: string): Effect.Effect<net.Socket, SocketError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => net.connect({ path })),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(Effect.flatMap(opened))

const opened = (socket: net.Socket): Effect.Effect<net.Socket, SocketError> =>
  Effect.async((resume) => {
    // It stays: the error of a socket that nobody listens to ends the process.
    socket.on("error", (cause) => {
      const code = Errors.codeOf(cause) ?? "ECONNABORTED"
      resume(Effect.fail(new SocketError({ phase: "connection", code, cause })))
    })
    socket.once("connect", () => resume(Effect.succeed(socket)))
    return Effect.sync(() => socket.destroy())
  })

/** A family that this machine has no way into says less than an address that refuses. */
const mostTelling = (errors: ReadonlyArray<SocketError>): SocketError =>
  errors.find(({ code }) => !/^E(?:NETUNREACH|ADDRNOTAVAIL|HOSTUNREACH|AFNOSUPPORT)$/.test(code)) ??
  errors[0] ??
  tooLate()

/** Which of several addresses took the last connection: it is tried first. */
class Favourites {
  private readonly addresses = new Map<string, string>()

  first({ host, port }: Target, found: NameLookup.Addresses): ReadonlyArray<string> {
    const favourite = this.addresses.get(`${host}:${port}`)
    return favourite === undefined || !found.includes(favourite)
      ? found
      : [favourite, ...found.filter((address) => address !== favourite)]
  }

  remember({ host, port }: Target, address: string | undefined): void {
    if (address === undefined) return
    const key = `${host}:${port}`
    this.addresses.delete(key)
    this.addresses.set(key, address)
    const [oldest] = this.addresses.keys()
    if (this.addresses.size > mostFavourites && oldest !== undefined) this.addresses.delete(oldest)
  }
}

const mostFavourites = 1000
const favourites = new Favourites()

/** The name that TLS asks for, and is asked of the certificate. An address is none (RFC 6066). */
export const serverName = (host: string): { readonly servername?: string } =>
  net.isIP(host) > 0 ? {} : { servername: Host.ascii(host).replace(/\.$/, "") }

/** TLS over a socket that is open. */
export const secure = (
  socket: net.Socket,
  host: string,
  options: ConnectionOptions
): Effect.Effect<TLSSocket, SocketError> =>
  Effect.flatMap(
    // Loaded where it is needed: most servers beside a bot have no TLS.
    Effect.promise(() => import("node:tls")),
    (tls) =>
      Effect.async((resume) => {
        const secured = tls.connect({ host, ...serverName(host), ...options, socket })
        const fail = (code: string, cause?: unknown) =>
          resume(Effect.fail(new SocketError({ phase: "TLS", code, cause })))
        secured.on("error", (cause) => fail(Errors.codeOf(cause) ?? "ERR_TLS_HANDSHAKE", cause))
        // A server that closes within the handshake is not always reported as an error.
        secured.once("close", () => fail("ECONNRESET"))
        secured.once("secureConnect", () => resume(Effect.succeed(secured)))
        return Effect.sync(() => secured.destroy())
      })
  )
