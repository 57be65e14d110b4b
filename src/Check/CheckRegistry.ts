/**
 * The checks of this program. The layer of a check registers it here and takes it out again when
 * its scope closes.
 */
import { Context, type Effect, Layer, type Scope } from "effect"
import type { Secrets } from "../Common/Secrets.js"
import * as Registry from "../Plugin/Registry.js"
import { type CheckFailure, DuplicateCheckError } from "./CheckError.js"
import type { CheckPolicy } from "./CheckPolicy.js"
import type { Status } from "./CheckResult.js"
import type { Outcome } from "./Outcome.js"

/** A check with its configuration and its services: ready to run. */
export interface RegisteredCheck {
  /** The service's name in results, alerts and configuration. */
  readonly name: string
  readonly type: string
  /** What a person calls it: `Telegram API`. */
  readonly label: string
  /** Where to look: an http or https URL, such as that of a dashboard. */
  readonly link?: string | undefined
  /** What to do: a URL, or a short text. */
  readonly runbook?: string | undefined
  readonly policy: CheckPolicy
  readonly secrets: Secrets
  /** Asks once. It has all it needs: services, a scope that ends with it, loggers that scrub. */
  readonly probe: Effect.Effect<Outcome, CheckFailure>
  readonly statusOf: (error: CheckFailure) => Status
}

export class CheckRegistry extends Context.Tag("holter/Check/CheckRegistry")<
  CheckRegistry,
  Registry.Registry<RegisteredCheck, DuplicateCheckError>
>() {}

/**
 * What the layer of a check gives: that it registered itself. A layer that registers nothing does not
 * have it, and so cannot be taken for a check.
 */
export class Registered extends Context.Tag("holter/Check/CheckRegistry/Registered")<
  Registered,
  { readonly name: string }
>() {}

/** Registers a check for as long as the layer lives. */
export const layerCheck = <E, R>(
  check: Effect.Effect<RegisteredCheck, E, R>
): Layer.Layer<Registered, E | DuplicateCheckError, CheckRegistry | Exclude<R, Scope.Scope>> =>
  Registry.layer(CheckRegistry, Registered, check)

export const layer: Layer.Layer<CheckRegistry> = Layer.effect(
  CheckRegistry,
  Registry.make(
    ({ name, type }, existing) =>
      new DuplicateCheckError({ name, type, existingType: existing.type })
  )
)
