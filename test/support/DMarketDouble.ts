/**
 * A local server that speaks the part of DMarket's API that Holter uses. Signatures are verified;
 * the clock, the balance's format and the faults are the test's to choose.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Double from "./Double.js"
import type { DoubleOptions } from "./doubles/apis.js"
import type { DMarketState } from "./doubles/DMarketApi.js"
import { type DMarketKeys, makeKeys } from "./doubles/DMarketKeys.js"
import type { ServerError } from "./ServerError.js"

export { makeKeys, sign } from "./doubles/DMarketKeys.js"
export type { DMarketKeys, DMarketState }

export interface DMarketDoubleOptions extends Partial<DMarketState> {
  readonly keys?: DMarketKeys
}

export interface DMarketDouble extends Double.Double, Double.Faulty<"ping" | "balance"> {
  readonly keys: DMarketKeys
  readonly set: (state: Partial<DMarketState>) => Effect.Effect<void>
}

export interface DMarketDoubleProcess extends DMarketDouble, Double.Child {}

export const make = (
  options: DMarketDoubleOptions = {}
): Effect.Effect<DMarketDouble, ServerError, Scope.Scope> =>
  Effect.suspend(() => {
    const keys = options.keys ?? makeKeys()
    return Effect.map(Double.inProcess(optionsOf({ ...options, keys })), ({ ask, port }) =>
      of(keys, port, ask)
    )
  })

export const makeProcess = (
  options: DMarketDoubleOptions = {}
): Effect.Effect<DMarketDoubleProcess, ServerError, Scope.Scope> =>
  Effect.suspend(() => {
    const keys = options.keys ?? makeKeys()
    return Effect.map(
      Double.inChild(optionsOf({ ...options, keys })),
      ({ ask, child, port, start }) => ({ ...of(keys, port, ask), ...child, start })
    )
  })

const optionsOf = (
  options: DMarketDoubleOptions & { readonly keys: DMarketKeys }
): DoubleOptions => ({ server: { port: 0 }, api: { _tag: "DMarket", options } })

const of = (keys: DMarketKeys, port: number, ask: Double.Ask): DMarketDouble => ({
  ...Double.make(port, ask),
  ...Double.faulty(ask),
  keys,
  set: (state) => ask({ _tag: "Api", name: "set", payload: state })
})
