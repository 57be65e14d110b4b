/**
 * The alert policy of a configuration, for commands that explain or replay decisions.
 */
import { Effect, Layer, type Option } from "effect"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import * as CheckRegistry from "../../Check/CheckRegistry.js"
import * as Configuration from "../Configuration.js"
import { Output } from "../Output.js"

export const load = (flag: Option.Option<string>) =>
  Effect.flatMap(Configuration.load(flag), ofServices)

/** What happened is told also where the configuration is broken: that may be what happened. */
export const lenient = (flag: Option.Option<string>) =>
  Effect.catchAll(load(flag), () =>
    Effect.gen(function* () {
      const { note } = yield* Output
      yield* note(
        "holter: the configuration cannot be used (`holter check` says why), so thresholds and what is critical are taken to be the defaults"
      )
      return AlertPolicy.make()
    })
  )

const ofServices = ({ services }: Configuration.Configuration) =>
  Effect.gen(function* () {
    // Names come from a mapping and are known to differ.
    yield* Effect.forEach(services, ({ layer }) => Effect.orDie(Layer.build(layer)))
    const registry = yield* CheckRegistry.CheckRegistry
    return AlertPolicy.make({ checks: yield* registry.all })
  }).pipe(Effect.scoped, Effect.provide(CheckRegistry.layer))
