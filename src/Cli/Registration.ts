/**
 * Registers the checks of a configuration, one after the other, so that their order is that of the
 * configuration.
 */
import { type Context, Effect, Layer, type Scope } from "effect"
import { CheckRegistry } from "../Check/CheckRegistry.js"
import * as Guidance from "../Check/Guidance.js"
import * as GrowingSecrets from "../Common/GrowingSecrets.js"
import type * as Secrets from "../Common/Secrets.js"
import type { Service } from "./Service.js"

/** Each for as long as its scope is open. */
export const register = (
  services: ReadonlyArray<Service>,
  secrets: Secrets.Secrets,
  scopeOf: (service: Service) => Effect.Effect<Scope.Scope>
): Effect.Effect<void, never, CheckRegistry> =>
  Effect.flatMap(Layer.makeMemoMap, (shared) =>
    Effect.forEach(
      services,
      (service) =>
        Effect.flatMap(scopeOf(service), (scope) => one(service, secrets, { scope, shared })),
      { discard: true }
    )
  )

/** What several checks use is built once: the connections of all HTTP checks are in one pool. */
export const one = (
  { layer }: Service,
  secrets: Secrets.Secrets,
  { scope, shared }: { readonly scope: Scope.Scope; readonly shared: Layer.MemoMap }
): Effect.Effect<void, never, CheckRegistry> =>
  // Names come from a mapping and are known to differ.
  Effect.orDie(Layer.buildWithMemoMap(layer, shared, scope)).pipe(
    Effect.updateService(CheckRegistry, hiding(secrets))
  )

/** One service's answer may quote the secret of another: every check hides all of them. */
const hiding =
  (secrets: Secrets.Secrets) =>
  (registry: Context.Tag.Service<CheckRegistry>): Context.Tag.Service<CheckRegistry> => ({
    ...registry,
    register: (check) => {
      const hidden = GrowingSecrets.joined(check.secrets, secrets)
      const guidance = hidden.scrubAll(Guidance.of(check))
      return registry.register({ ...check, ...guidance, secrets: hidden })
    }
  })
