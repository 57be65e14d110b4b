/**
 * How a configuration alerts, for commands that explain or replay decisions.
 */
import { Effect } from "effect"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { ConfigSource } from "../ConfigSource.js"
import * as Configuration from "../Configuration.js"
import { Output } from "../Output.js"

export const load = (source: ConfigSource) =>
  Effect.flatMap(Configuration.fromSource(source), ({ alerts }) => alerts)

export interface Lenient {
  readonly policy: AlertPolicy.Policy
  /** Whether it is that of the configuration: what it does not name is not checked. */
  readonly isUsable: boolean
}

/** What happened is told also where the configuration is broken: that may be what happened. */
export const lenient = (source: ConfigSource) =>
  Effect.catchAll(
    Effect.map(load(source), ({ policy }): Lenient => ({ policy, isUsable: true })),
    () =>
      Effect.gen(function* () {
        const { note } = yield* Output
        yield* note(
          "holter: the configuration cannot be used (`holter check` says why), so thresholds and what is critical are taken to be the defaults"
        )
        return { policy: AlertPolicy.make(), isUsable: false } satisfies Lenient
      })
  )
