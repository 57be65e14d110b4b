/** What must compile, and what must not: tsc holds this file, nothing runs it. */
// @effect-diagnostics missingEffectError:off missingEffectContext:off missingLayerContext:off -- what must not compile
import {
  Config,
  type ConfigError,
  Context,
  Effect,
  Layer,
  Redacted,
  Schedule,
  Schema,
  type Scope
} from "effect"
import * as Check from "../../src/Check/Check.js"
import type { CheckConfigError, DuplicateCheckError } from "../../src/Check/CheckError.js"
import type { CheckRegistry, Registered as CheckRegistered } from "../../src/Check/CheckRegistry.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as Outcome from "../../src/Check/Outcome.js"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(..._: Same<A, B> extends true ? [] : ["these types differ"]): void => undefined

class Client extends Context.Tag("test/types/Client")<
  Client,
  { readonly ask: Effect.Effect<string> }
>() {}
class Other extends Context.Tag("test/types/Other")<Other, { readonly other: string }>() {}

class Failed extends Schema.TaggedError<Failed>("test/types/Failed")("Failed", {
  reason: Schema.Literal("Down", "Denied")
}) {
  override get message(): string {
    return this.reason
  }
  get isRetryable(): boolean {
    return this.reason === "Down"
  }
}

class Undeclared extends Schema.TaggedError<Undeclared>("test/types/Undeclared")("Undeclared", {
  reason: Schema.Literal("Odd")
}) {}

const base = {
  description: "for types",
  config: { url: ConfigField.secret, port: ConfigField.withDefault(ConfigField.port, 80) },
  error: Failed
}
const well = Outcome.healthy("fine")
const services = () => Layer.succeed(Client, { ask: Effect.succeed("") })

// A check with all of it: a service, the run's scope, a retry, statuses.
const Sound = Check.make("sound", {
  ...base,
  statuses: { Denied: "degraded" },
  retry: { schedule: Schedule.recurs(1), while: (error) => error.isRetryable },
  probe: (config) =>
    Effect.gen(function* () {
      same<typeof config.url, Redacted.Redacted<string>>()
      same<typeof config.port, number>()
      yield* Effect.addFinalizer(() => Effect.void)
      const client = yield* Client
      if (config.port === 0) return yield* new Failed({ reason: "Down" })
      return Outcome.healthy(yield* client.ask)
    }),
  services
})

const url = Redacted.make("secret")
type Errors = DuplicateCheckError | CheckConfigError

// What a layer needs is the registry and the services; the scope is the run's own.
const layer = Sound.layer({ url })
same<typeof layer, Layer.Layer<CheckRegistered, Errors, CheckRegistry | Client>>()
same<Layer.Layer.Context<typeof layer>, CheckRegistry | Client>()
same<Extract<Layer.Layer.Context<typeof layer>, Scope.Scope>, never>()

const standalone = Sound.layerStandalone({ url, port: 1 }, { name: "other", timeout: "1 second" })
same<typeof standalone, Layer.Layer<CheckRegistered, Errors, CheckRegistry>>()

const configured = Sound.layerConfig({ url: Config.redacted("URL") })
same<
  typeof configured,
  Layer.Layer<CheckRegistered, Errors | ConfigError.ConfigError, CheckRegistry | Client>
>()

const absent = Sound.layerNotConfigured()
same<typeof absent, Layer.Layer<CheckRegistered, DuplicateCheckError, CheckRegistry>>()

// The type is a literal.
same<typeof Sound.type, "sound">()

// A check that needs nothing needs the registry only.
const Plain = Check.make("plain", {
  ...base,
  config: {},
  probe: () => Effect.succeed(well),
  services: () => Layer.empty
})
same<Layer.Layer.Context<ReturnType<typeof Plain.layer>>, CheckRegistry>()

// --- a required field

// @ts-expect-error -- url is missing
Sound.layer({})
// @ts-expect-error -- url is missing
Sound.layerStandalone({ port: 1 })
// @ts-expect-error -- url is missing
Sound.layerConfig({ port: Config.integer("PORT") })
// @ts-expect-error -- a secret is Redacted, not a text
Sound.layer({ url: "secret" })
// @ts-expect-error -- no such field
Sound.layer({ url, prot: 1 })
// @ts-expect-error -- a duration says its unit
Sound.layer({ url }, { timeout: "soon" })
// @ts-expect-error -- no such group
Sound.layer({ url }, { group: "startup" })

// --- errors

Check.make("leaks", {
  ...base,
  // @ts-expect-error -- Undeclared is not the check's error
  probe: () => Effect.zipRight(new Undeclared({ reason: "Odd" }), Effect.succeed(well)),
  services: () => Layer.empty
})
Check.make("leaks-both", {
  ...base,
  probe: (config) =>
    // @ts-expect-error -- one of the two is not declared
    config.port === 1
      ? Effect.fail(new Failed({ reason: "Down" }))
      : Effect.fail(new Undeclared({ reason: "Odd" })),
  services: () => Layer.empty
})
Check.make("leaks-text", {
  ...base,
  // @ts-expect-error -- a text is no error of a check
  probe: () => Effect.fail("down"),
  services: () => Layer.empty
})
Check.make("no-reason", {
  ...base,
  // @ts-expect-error -- an error of a check has a reason
  error: class extends Schema.TaggedError<Error>()("NoReason", {}) {},
  probe: () => Effect.succeed(well),
  services: () => Layer.empty
})
Check.make("no-outcome", {
  ...base,
  // @ts-expect-error -- a probe answers with an Outcome
  probe: () => Effect.succeed("fine"),
  services: () => Layer.empty
})
// @ts-expect-error -- details are what JSON can carry
Outcome.healthy("fine", { details: { when: new Date() } })

// --- statuses

Check.make("odd-reason", {
  ...base,
  // @ts-expect-error -- Failed has no reason Odd
  statuses: { Odd: "degraded" },
  probe: () => Effect.succeed(well),
  services: () => Layer.empty
})
Check.make("odd-status", {
  ...base,
  // @ts-expect-error -- no such status
  statuses: { Down: "broken" },
  probe: () => Effect.succeed(well),
  services: () => Layer.empty
})

// --- retry sees the check's own errors

Check.make("retries", {
  ...base,
  retry: {
    schedule: Schedule.recurs(1),
    while: (error) => {
      same<typeof error, Failed>()
      // @ts-expect-error -- Failed has no reason Odd
      return error.reason === "Odd"
    }
  },
  probe: () => Effect.succeed(well),
  services: () => Layer.empty
})
Check.make("retries-other", {
  ...base,
  // @ts-expect-error -- this judges the errors of another check
  retry: { schedule: Schedule.recurs(1), while: (error: Undeclared) => error.reason === "Odd" },
  probe: () => Effect.succeed(well),
  services: () => Layer.empty
})

// --- services

// What they leave out stays a requirement of layerStandalone, so that nothing runs without it.
const LacksAll = Check.make("lacks-all", {
  ...base,
  probe: () => Effect.as(Effect.zip(Client, Other), well),
  services: () => Layer.empty
})
const lacksAll = LacksAll.layerStandalone({ url })
same<typeof lacksAll, Layer.Layer<CheckRegistered, Errors, CheckRegistry | Client | Other>>()
const LacksOne = Check.make("lacks-one", {
  ...base,
  probe: () => Effect.as(Effect.zip(Client, Other), well),
  services
})
const lacksOne = LacksOne.layerStandalone({ url })
same<typeof lacksOne, Layer.Layer<CheckRegistered, Errors, CheckRegistry | Other>>()
// @ts-expect-error -- Other is not there
const closed: Layer.Layer<CheckRegistered, Errors, CheckRegistry> = LacksOne.layerStandalone({
  url
})
void closed
Check.make("open-services", {
  ...base,
  probe: () => Effect.as(Client, well),
  // @ts-expect-error -- services need nothing themselves
  services: () => Layer.effect(Client, Effect.as(Other, { ask: Effect.succeed("") }))
})
Check.make("failing-services", {
  ...base,
  probe: () => Effect.as(Client, well),
  // @ts-expect-error -- a server that is down at start must not make the program fail
  services: () => Layer.effect(Client, Effect.fail(new Failed({ reason: "Down" })))
})
