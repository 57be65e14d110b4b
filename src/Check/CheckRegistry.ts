/**
 * The checks of this program. The layer of a check registers it here and takes it out again when
 * its scope closes.
 */
import { Context, Effect, Layer, Option, PubSub, type Scope, Stream } from "effect"
import type { Secrets } from "../Common/Secrets.js"
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
  {
    /** Adds a check for as long as the scope is open. */
    readonly register: (
      check: RegisteredCheck
    ) => Effect.Effect<void, DuplicateCheckError, Scope.Scope>
    /** All checks, in the order of their registration. */
    readonly all: Effect.Effect<ReadonlyArray<RegisteredCheck>>
    /** All checks now, and again whenever one was added or taken out. */
    readonly changes: Stream.Stream<ReadonlyArray<RegisteredCheck>>
    readonly find: (name: string) => Effect.Effect<Option.Option<RegisteredCheck>>
  }
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
  Layer.scoped(
    Registered,
    Effect.gen(function* () {
      const { register } = yield* CheckRegistry
      const described = yield* check
      yield* register(described)
      return { name: described.name }
    })
  )

export const layer: Layer.Layer<CheckRegistry> = Layer.effect(
  CheckRegistry,
  Effect.gen(function* () {
    const checks = new Map<string, RegisteredCheck>()
    // That something changed: who is late sees the last state, and one notice is enough for that.
    const notices = yield* PubSub.sliding<void>(1)
    const notice = PubSub.publish(notices, undefined)
    const all = Effect.sync(() => [...checks.values()])

    const add = (check: RegisteredCheck) =>
      Effect.suspend(() => {
        const existing = checks.get(check.name)
        if (existing !== undefined) {
          return new DuplicateCheckError({
            name: check.name,
            type: check.type,
            existingType: existing.type
          })
        }
        checks.set(check.name, check)
        return notice
      })
    const remove = (check: RegisteredCheck) =>
      Effect.zipRight(
        Effect.sync(() => checks.delete(check.name)),
        notice
      )
    return {
      register: (check) => Effect.acquireRelease(add(check), () => remove(check)),
      all,
      changes: Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(notices), (subscription) =>
          Stream.mapEffect(Stream.concat(Stream.void, Stream.fromQueue(subscription)), () => all)
        )
      ),
      find: (name) => Effect.sync(() => Option.fromNullable(checks.get(name)))
    }
  })
)
