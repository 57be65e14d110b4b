/** The `Api` of a plain HTTP double: behaviours by path, taken in turn. */
import type { Behaviour } from "./Behaviour.js"
import { text } from "./Behaviour.js"
import type { Api } from "./HttpCore.js"

export interface RoutesOptions {
  /** "/path" or "GET /path" (without the query); "*" is every other path. */
  readonly routes?: Readonly<Record<string, Behaviour | ReadonlyArray<Behaviour>>>
}

export const make = (options: RoutesOptions): Api => {
  const routes = new Map<string, Array<Behaviour>>()
  const on = (route: string, behaviours: ReadonlyArray<Behaviour>) => {
    routes.set(route, [...behaviours])
  }
  for (const [route, behaviour] of Object.entries(options.routes ?? {})) {
    on(route, [behaviour].flat())
  }
  return {
    handle: (request) => {
      const path = request.url.split("?")[0] ?? ""
      const behaviours =
        routes.get(`${request.method} ${path}`) ?? routes.get(path) ?? routes.get("*") ?? []
      // The last one stays: a server does not run out of answers.
      const behaviour = behaviours.length > 1 ? behaviours.shift() : behaviours[0]
      return behaviour ?? text(404, `no route for ${request.method} ${path}`)
    },
    command: (_name, payload) => {
      const { behaviours, route } = payload as {
        readonly route: string
        readonly behaviours: ReadonlyArray<Behaviour>
      }
      on(route, behaviours)
      return undefined
    }
  }
}
