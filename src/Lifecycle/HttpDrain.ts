/**
 * Takes a node:http server out of service without dropping a request: also one that
 * @effect/platform's NodeHttpServer was given.
 *
 * Node's own `close` waits for kept-alive connections, which nobody closes once their answer is out:
 * six seconds and more. Here answers say `Connection: close` while the server drains, and idle
 * connections are swept every 20 ms. A request counts as accepted when its handler started.
 */
import { Duration, Effect, Schedule, type Scope } from "effect"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { Lifecycle } from "./Lifecycle.js"
import type { PlanError } from "./PlanError.js"

export interface HttpDrain {
  /** Requests whose handler started and whose answer is not out. */
  readonly pending: () => number
  /** No more connections; answers say `Connection: close`; idle connections are swept. */
  readonly stopAccepting: Effect.Effect<void>
  /** Waits until the answers to all accepted requests are out. */
  readonly answered: Effect.Effect<void>
  /** Ends every connection, whatever it still has to do. */
  readonly cutOff: Effect.Effect<void>
}

/**
 * Watches a server from now on: before it listens, so that no request is missed. Its sweeper ends
 * with the scope.
 */
export const make = (server: Server): Effect.Effect<HttpDrain, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const requests = yield* Effect.acquireRelease(
      Effect.sync(() => new Requests(server)),
      (watched) => Effect.sync(() => watched.release())
    )
    const sweep = Effect.sync(() => server.closeIdleConnections()).pipe(
      Effect.repeat(Schedule.spaced("20 millis")),
      // Who asks for it may be uninterruptible, and the end of the scope would wait for it.
      Effect.interruptible,
      Effect.forkIn(scope)
    )
    return {
      pending: () => requests.size,
      stopAccepting: Effect.zipRight(
        Effect.sync(() => requests.stopAccepting()),
        sweep
      ),
      answered: requests.answered,
      cutOff: Effect.sync(() => requests.cutOff())
    }
  })

export interface Options {
  /** In plan and report. Default `http server`. */
  readonly name?: string | undefined
  /** How long to wait for accepted requests. Default a sixth of the grace. */
  readonly drainTimeout?: Duration.DurationInput | undefined
}

/**
 * Drains the server in the phases: it stops accepting in `intake`, answers what it accepted until
 * `drain` is over, and what is left then is cut off in `cancel`.
 *
 * @example
 * import { Effect, Layer } from "effect"
 * import { HttpDrain } from "holter"
 * import { createServer } from "node:http"
 *
 * const Api = Layer.scopedDiscard(
 *   Effect.gen(function* () {
 *     const server = createServer((_, response) => response.end("hello"))
 *     yield* HttpDrain.register(server, { name: "api", drainTimeout: "5 seconds" })
 *     server.listen(3000)
 *   })
 * )
 */
export const register = (
  server: Server,
  { drainTimeout, name = "http server" }: Options = {}
): Effect.Effect<HttpDrain, PlanError, Lifecycle | Scope.Scope> =>
  Effect.gen(function* () {
    const { note, on, plan } = yield* Lifecycle
    const { grace } = yield* plan
    const drain = yield* make(server)
    const requests = (count: number) => `${count} ${count === 1 ? "request" : "requests"}`
    yield* on("intake", name, drain.stopAccepting)
    yield* on(
      "drain",
      name,
      Effect.suspend(() =>
        drain.pending() === 0
          ? Effect.void
          : Effect.zipRight(note(`waited for ${requests(drain.pending())}`), drain.answered)
      ),
      { timeout: drainTimeout ?? Duration.times(grace, 1 / 6) }
    )
    yield* on(
      "cancel",
      name,
      Effect.suspend(() =>
        drain.pending() === 0
          ? drain.cutOff
          : Effect.zipRight(note(`cut off ${requests(drain.pending())}`), drain.cutOff)
      ),
      { first: true }
    )
    return drain
  })

/** The requests of a server, counted from the start of their handler to the end of their answer. */
class Requests {
  private readonly responses = new Set<ServerResponse>()
  private readonly sockets = new Set<Socket>()
  private readonly waiting = new Set<() => void>()
  private isDraining = false

  constructor(private readonly server: Server) {
    // First of all listeners: the handler may already have answered when another one is called.
    server.prependListener("request", this.onRequest)
    server.prependListener("connection", this.onConnection)
  }

  get size(): number {
    return this.responses.size
  }

  readonly answered = Effect.async<void>((resume) => {
    if (this.size === 0) return resume(Effect.void)
    const done = () => resume(Effect.void)
    this.waiting.add(done)
    return Effect.sync(() => this.waiting.delete(done))
  })

  stopAccepting(): void {
    this.isDraining = true
    for (const response of this.responses) closeAfter(response)
    if (this.server.listening) this.server.close()
  }

  /** Sockets that became something else, as a WebSocket, are no longer the HTTP server's own. */
  cutOff(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  release(): void {
    this.server.off("request", this.onRequest)
    this.server.off("connection", this.onConnection)
  }

  private readonly onRequest = (_request: IncomingMessage, response: ServerResponse): void => {
    this.responses.add(response)
    if (this.isDraining) closeAfter(response)
    response.once("close", () => {
      this.responses.delete(response)
      if (this.size > 0) return
      for (const done of this.waiting) done()
      this.waiting.clear()
    })
  }

  private readonly onConnection = (socket: Socket): void => {
    this.sockets.add(socket)
    socket.once("close", () => this.sockets.delete(socket))
  }
}

const closeAfter = (response: ServerResponse): void => {
  if (!response.headersSent) response.setHeader("Connection", "close")
}
