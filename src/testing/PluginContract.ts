/**
 * What every check promises, as effects that any test runner can run. A check that keeps all laws
 * can be published.
 *
 * @example
 * import { it } from "@effect/vitest"
 * import { PluginContract } from "holter/testing"
 * import { Redis } from "holter/plugins/Redis"
 *
 * for (const law of PluginContract.laws(Redis, {
 *   valid: [{ url: "redis://bot:s3cr3t-canary@127.0.0.1:1" }],
 *   invalid: [{}, { url: 5 }],
 *   secrets: ["s3cr3t-canary"]
 * })) {
 *   it.effect(law.name, () => law.effect)
 * }
 */
import { Clock, Effect } from "effect"
import * as ConfigLaws from "./PluginContract/ConfigLaws.js"
import type { ContractViolation } from "./PluginContract/ContractViolation.js"
import * as RunLaws from "./PluginContract/RunLaws.js"
import type { Samples, Subject } from "./PluginContract/Subject.js"

export { ContractViolation } from "./PluginContract/ContractViolation.js"

export type {
  Samples,
  Subject
} from "./PluginContract/Subject.js"

export interface Law {
  readonly name: string
  readonly effect: Effect.Effect<void, ContractViolation>
}

/**
 * The laws for one check. They take real time, also under a virtual clock, and must not run at the
 * same time as other tests of the process: they count its open sockets.
 */
export const laws = (check: Subject, samples: Samples): ReadonlyArray<Law> =>
  [
    { name: "names are valid", effect: ConfigLaws.names(check) },
    { name: "no field is called like a part of the policy", effect: ConfigLaws.policyKeys(check) },
    { name: "configuration decodes and encodes", effect: ConfigLaws.roundTrip(check, samples) },
    { name: "every field has a description", effect: ConfigLaws.descriptions(check) },
    { name: "a wrong configuration is refused", effect: ConfigLaws.refusals(check, samples) },
    { name: "errors have reasons and messages", effect: ConfigLaws.errors(check, samples) },
    { name: "builds without a service and closes", effect: RunLaws.lifecycle(check, samples) },
    { name: "can run twice", effect: RunLaws.twoRuns(check, samples) },
    { name: "can be interrupted", effect: RunLaws.interruption(check, samples) },
    { name: "shows no secret", effect: RunLaws.secrecy(check, samples) }
  ].map((law) => ({ name: law.name, effect: Effect.withClock(law.effect, Clock.make()) }))
