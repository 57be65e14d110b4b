/**
 * A local HTTP or HTTPS server that answers as it is told, well or badly: in this process, or in
 * one of its own that can be paused.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Certificate } from "./Certificates.js"
import * as Double from "./Double.js"
import type { DoubleOptions } from "./doubles/apis.js"
import type { Behaviour } from "./doubles/Behaviour.js"
import type { RoutesOptions } from "./doubles/Routes.js"
import type { ServerError } from "./ServerError.js"

export interface HttpDoubleOptions extends RoutesOptions {
  readonly tls?: Certificate
  /** Whether a connection serves more than one request. Default true. */
  readonly keepAlive?: boolean
}

export interface HttpDouble extends Double.Double {
  /**
   * "/path" or "GET /path", without the query; "*" is every other path. The behaviours are taken
   * in turn and the last one stays.
   */
  readonly on: (route: string, ...behaviours: ReadonlyArray<Behaviour>) => Effect.Effect<void>
}

export interface HttpDoubleProcess extends HttpDouble, Double.Child {}

export const make = (
  options: HttpDoubleOptions = {}
): Effect.Effect<HttpDouble, ServerError, Scope.Scope> =>
  Effect.map(Double.inProcess(optionsOf(options)), ({ ask, port }) => of(options, port, ask))

export const makeProcess = (
  options: HttpDoubleOptions = {}
): Effect.Effect<HttpDoubleProcess, ServerError, Scope.Scope> =>
  Effect.map(Double.inChild(optionsOf(options)), ({ ask, child, port, start }) => ({
    ...of(options, port, ask),
    ...child,
    start
  }))

const of = (options: HttpDoubleOptions, port: number, ask: Double.Ask): HttpDouble => ({
  ...Double.make(port, ask, options.tls === undefined ? "http" : "https"),
  on: (route, ...behaviours) => ask({ _tag: "Api", name: "on", payload: { route, behaviours } })
})

const optionsOf = ({ keepAlive, routes, tls }: HttpDoubleOptions): DoubleOptions => ({
  server: {
    port: 0,
    ...(keepAlive === undefined ? {} : { keepAlive }),
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } })
  },
  api: { _tag: "Routes", options: routes === undefined ? {} : { routes } }
})
