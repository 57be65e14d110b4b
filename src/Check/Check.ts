/**
 * A check is data: a type, a configuration, errors, a policy and a probe. `layer` turns it into a
 * Layer that registers itself; there is no class to extend and no global list.
 */
import {
  Config,
  type ConfigError,
  Context,
  Duration,
  Effect,
  Either,
  Layer,
  Predicate,
  Schema,
  Scope
} from "effect"
import { RunLimit } from "../Common/RunLimit.js"
import * as Secrets from "../Common/Secrets.js"
import {
  CheckConfigError,
  type CheckFailure,
  type DuplicateCheckError,
  type RunnerReason
} from "./CheckError.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as Decoder from "../Plugin/Decoder.js"
import * as CheckPolicy from "./CheckPolicy.js"
import { type CheckRegistry, layerCheck, type Registered } from "./CheckRegistry.js"
import * as Guidance from "./Guidance.js"
import type { Status } from "./CheckResult.js"
import type { Outcome } from "./Outcome.js"
import * as ProbeContext from "./ProbeContext.js"

export type { ConfigIssue } from "../Plugin/ConfigIssue.js"
export {
  CheckConfigError,
  type CheckFailure,
  DuplicateCheckError,
  UnknownCheckError
} from "./CheckError.js"

export const TypeId = "~holter/Check"

export type TypeId = typeof TypeId

/**
 * What a check is called in one program, what people are to know of it, and how its policy differs there.
 * `label`, `link` (an http or https URL) and `runbook` are in every message about it.
 */
export interface Options extends CheckPolicy.Settings, Guidance.Given {
  /** The service's name; the check's own by default. Two checks of one type need two names. */
  readonly name?: string | undefined
}

export interface Check<
  Type extends string,
  Fields extends Schema.Struct.Fields,
  E extends CheckFailure,
  R,
  /** What the check's own services leave open; nothing, in a plugin that is complete. */
  Open = never
> {
  readonly [TypeId]: TypeId
  readonly type: Type
  /** The service's name where no other is given. */
  readonly name: string
  readonly label: string
  /** Where to look, and what to do, unless the options of a layer say otherwise. */
  readonly link: string | undefined
  readonly runbook: string | undefined
  readonly description: string
  readonly config: Schema.Struct<Fields>
  /** The fields that have a value where none is given. */
  readonly defaults: Readonly<Record<string, unknown>>
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what the error encodes to is its own business
  readonly error: Schema.Schema<E, any>
  readonly policy: CheckPolicy.CheckPolicy

  /** Registers the check, with services from the program that embeds it. */
  readonly layer: (
    config: Input<Fields>,
    options?: Options
  ) => Layer.Layer<Registered, DuplicateCheckError | CheckConfigError, CheckRegistry | R>

  /** `layer` with its configuration from the program's `ConfigProvider`. */
  readonly layerConfig: (
    config: Config.Config.Wrap<Input<Fields>>,
    options?: Options
  ) => Layer.Layer<
    Registered,
    DuplicateCheckError | CheckConfigError | ConfigError.ConfigError,
    CheckRegistry | R
  >

  /** `layer` with services of the check's own, built from its configuration. */
  readonly layerStandalone: (
    config: Input<Fields>,
    options?: Options
  ) => Layer.Layer<Registered, DuplicateCheckError | CheckConfigError, CheckRegistry | Open>

  /**
   * The check as a configuration file describes it: its layer, with services of its own, or
   * everything that is wrong. `scrub` takes known secrets out of what was found.
   */
  readonly decode: (
    input: unknown,
    options?: Options,
    scrub?: (text: string) => string
  ) => Either.Either<
    Layer.Layer<Registered, DuplicateCheckError, CheckRegistry | Open>,
    ReadonlyArray<ConfigIssue>
  >

  /** Registers a check that has no configuration: its status is `unknown`. */
  readonly layerNotConfigured: (
    options?: Options
  ) => Layer.Layer<Registered, DuplicateCheckError, CheckRegistry>
}

/** What `layer` takes: the configuration as code writes it, defaults left out. */
export type Input<Fields extends Schema.Struct.Fields> = Schema.Simplify<
  Schema.Struct.Constructor<Fields>
>

/** Any check, for code that knows it by its type only: the plugin catalog of a command line. */
export type Any = Pick<
  Check<string, Schema.Struct.Fields, CheckFailure, never>,
  | "type"
  | "name"
  | "label"
  | "link"
  | "runbook"
  | "description"
  | "defaults"
  | "policy"
  | "decode"
  | "layerNotConfigured"
  | TypeId
> & { readonly config: Schema.Schema.AnyNoContext }

/** Whether a value from a plugin's module is a check. */
export const isCheck = (value: unknown): value is Any => Predicate.hasProperty(value, TypeId)

/** Whether the program around a check provides its services, or the check builds its own. */
export type Use = "embedded" | "standalone"

export interface Definition<Fields extends Schema.Struct.Fields, E extends CheckFailure, I, R, S> {
  readonly description: string
  /** What a person calls the service, as it stands inside a sentence. The type by default. */
  readonly label?: string
  /** Where to look: an http or https URL. Nothing by default. */
  readonly link?: string
  /** What to do: a URL, or a short text. Nothing by default. */
  readonly runbook?: string
  /** The service's name where no other is given. The type by default. */
  readonly name?: string
  readonly config: Fields
  /**
   * What must hold beside the fields one by one: two that belong together, a text that must parse.
   * Looks at the fields as they were given, which may be wrong themselves and secret or not, so
   * that everything that is wrong is told at once.
   */
  readonly rules?: (
    given: Readonly<Record<string, unknown>>,
    use: Use
  ) => ReadonlyArray<ConfigIssue>
  readonly error: Schema.Schema<E, I>
  /** The status that a reason stands for; `unhealthy` where none is given. */
  readonly statuses?: { readonly [Reason in E["reason"]]?: Status }
  /** The whole run, retries included. */
  readonly timeout?: Duration.DurationInput
  readonly attemptTimeout?: Duration.DurationInput
  readonly retry?: CheckPolicy.Retry<NoInfer<E>>
  readonly group?: CheckPolicy.Group
  readonly critical?: boolean
  readonly probe: (config: Schema.Struct.Type<Fields>) => Effect.Effect<Outcome, NoInfer<E>, R>
  /**
   * Builds what the probe needs from its configuration, for use without an embedding program. What
   * it leaves out stays a requirement of `layerStandalone`, and keeps the check out of the CLI.
   */
  readonly services: (config: Schema.Struct.Type<Fields>) => Layer.Layer<S>
}

export const make = <
  const Type extends string,
  Fields extends Schema.Struct.Fields,
  E extends CheckFailure,
  I,
  R,
  S
>(
  type: Type,
  definition: Definition<Fields, E, I, R, S>
): Check<Type, Fields, E, Exclude<R, Scope.Scope>, Exclude<R, S | Scope.Scope>> => {
  type Services = Exclude<R, Scope.Scope>
  type Configuration = Schema.Struct.Type<Fields>
  const name = definition.name ?? type
  const label = definition.label ?? type
  const config = Schema.Struct(definition.config)
  const policy = CheckPolicy.override(policyOf(definition), {})

  const named = (options: Options | undefined) => ({
    name: options?.name ?? name,
    type,
    label:
      options?.label ??
      (options?.name === undefined || options.name === name ? label : options.name),
    ...Guidance.of({
      link: options?.link ?? definition.link,
      runbook: options?.runbook ?? definition.runbook
    }),
    policy: CheckPolicy.override(policy, options ?? {})
  })

  const registered = (configuration: Configuration, options: Options | undefined) =>
    Effect.gen(function* () {
      const described = named(options)
      const { attemptTimeout, timeout } = described.policy
      const services = Context.add(
        yield* Effect.context<Services>(),
        RunLimit,
        attemptTimeout ?? timeout
      )
      const secrets = Decoder.secretsOf(config, configuration)
      // `suspend`: a probe that throws before it returns an Effect is a crashed run, not a crashed
      // program.
      const probe = Effect.suspend(() => definition.probe(configuration))
      return {
        ...described,
        ...secrets.scrubAll(Guidance.of(described)),
        secrets,
        probe: ProbeContext.provide(probe, services, secrets),
        statusOf: (error: CheckFailure) => statusOf(definition.statuses, error)
      }
    })

  const rules =
    (use: Use): Decoder.Rules =>
    (given) =>
      definition.rules?.(given, use) ?? []

  const withPolicy =
    (options: Options | undefined) =>
    <A>(checked: Either.Either<A, ReadonlyArray<ConfigIssue>>): typeof checked => {
      const { attemptTimeout, critical, group, timeout } = definition
      const { label, link, name: _, runbook, ...settings } = options ?? {}
      const issues = [
        ...Guidance.issues({ link: definition.link, runbook: definition.runbook }),
        ...Guidance.issues({ label, link, runbook }),
        ...CheckPolicy.issues(policy, { attemptTimeout, critical, group, timeout }),
        ...CheckPolicy.issues(policy, settings)
      ]
      if (issues.length === 0) return checked
      return Either.left([...(Either.isLeft(checked) ? checked.left : []), ...issues])
    }

  const validate = (input: Input<Fields>, options: Options | undefined, use: Use) =>
    Decoder.validate(config, rules(use), input).pipe(
      withPolicy(options),
      Either.mapLeft((issues) => new CheckConfigError({ check: options?.name ?? name, issues }))
    )

  const layer: Check<Type, Fields, E, Services>["layer"] = (input, options) =>
    layerCheck(
      Effect.flatMap(validate(input, options, "embedded"), (valid) => registered(valid, options))
    )

  type Open = Exclude<R, S | Scope.Scope>

  const standalone = (valid: Configuration, options: Options | undefined) =>
    // @effect-diagnostics-next-line unsafeEffectTypeAssertion:off
    layerCheck(registered(valid, options)).pipe(
      Layer.provide(definition.services(valid))
      // The same set of services, which tsc does not reduce while `R` and `S` are generic.
    ) as Layer.Layer<Registered, DuplicateCheckError, CheckRegistry | Open>

  return {
    [TypeId]: TypeId,
    type,
    name,
    label,
    link: definition.link,
    runbook: definition.runbook,
    description: definition.description,
    config,
    defaults: Object.fromEntries(Object.entries(Decoder.complete(config, {}) as object)),
    error: definition.error,
    policy,
    layer,
    layerConfig: (wrapped, options) =>
      Layer.unwrapEffect(Effect.map(Config.unwrap(wrapped), (input) => layer(input, options))),
    // Not in an Effect: each layer around a layer is kept, with all that it is made of, for as long
    // as the program runs.
    layerStandalone: (input, options) =>
      Either.match(validate(input, options, "standalone"), {
        onLeft: Layer.fail,
        onRight: (valid) => standalone(valid, options)
      }),
    decode: (input, options, scrub) =>
      Decoder.decode(config, rules("standalone"), input, scrub).pipe(
        withPolicy(options),
        Either.map((valid) => standalone(valid, options))
      ),
    layerNotConfigured: (options) => layerNotConfigured(named(options))
  }
}

/**
 * Registers a service that is known but not configured, without loading the check that it would
 * have: its status is `unknown`.
 */
export const layerNotConfigured = (service: {
  readonly name: string
  readonly type: string
  readonly label: string
  readonly link?: string | undefined
  readonly runbook?: string | undefined
  readonly policy?: CheckPolicy.CheckPolicy
}): Layer.Layer<Registered, DuplicateCheckError, CheckRegistry> =>
  layerCheck(
    Effect.succeed({
      ...service,
      // A retry knows only the errors of its own check.
      policy: { ...(service.policy ?? CheckPolicy.defaults), retry: undefined },
      secrets: Secrets.none,
      probe: Effect.fail(notConfigured(service.label)),
      statusOf: () => "unknown"
    })
  )

const policyOf = (definition: {
  readonly timeout?: Duration.DurationInput
  readonly attemptTimeout?: Duration.DurationInput
  readonly retry?: CheckPolicy.Retry<never>
  readonly group?: CheckPolicy.Group
  readonly critical?: boolean
}): CheckPolicy.CheckPolicy => {
  const { attemptTimeout, critical, group, retry, timeout } = definition
  const policy = CheckPolicy.override(CheckPolicy.defaults, {
    attemptTimeout,
    critical,
    group,
    timeout
  })
  return {
    ...policy,
    // A run that may take longer than the default interval must fit between two beats.
    interval: Duration.max(policy.interval, policy.timeout),
    // The runner hands a check's retry only that check's own errors.
    retry: retry as CheckPolicy.Retry | undefined
  }
}

const statusOf = (
  statuses: { readonly [reason: string]: Status | undefined } | undefined,
  error: CheckFailure
): Status => statuses?.[error.reason] ?? "unhealthy"

const notConfigured = (label: string): CheckFailure => ({
  _tag: "NotConfigured",
  reason: "NotConfigured" satisfies RunnerReason,
  message: `${label.charAt(0).toUpperCase()}${label.slice(1)} not configured`
})
