/**
 * A check is a plugin with errors, a policy and a probe. It is data: `layer` turns it into a Layer that
 * registers itself.
 */
import { Context, Duration, Effect, type Layer, type Schema, type Scope } from "effect"
import { RunLimit } from "../Common/RunLimit.js"
import * as Secrets from "../Common/Secrets.js"
import {
  CheckConfigError,
  type CheckFailure,
  type DuplicateCheckError,
  type RunnerReason
} from "./CheckError.js"
import * as Plugin from "../Plugin/Plugin.js"
import * as CheckPolicy from "./CheckPolicy.js"
import { type CheckRegistry, layerCheck, type Registered } from "./CheckRegistry.js"
import * as Guidance from "./Guidance.js"
import type { Status } from "./CheckResult.js"
import type { Outcome } from "./Outcome.js"
import * as ProbeContext from "./ProbeContext.js"

export type { ConfigIssue } from "../Plugin/ConfigIssue.js"
export type { Input, Use } from "../Plugin/Plugin.js"
export {
  CheckConfigError,
  type CheckFailure,
  DuplicateCheckError,
  UnknownCheckError
} from "./CheckError.js"

/**
 * What a check is called in one program, what people are to know of it, and how its policy differs there.
 * `label`, `link` (an http or https URL) and `runbook` are in every message about it.
 */
export interface Options extends CheckPolicy.Settings, Guidance.Given {
  /** The service's name; the check's own by default. Two checks of one type need two names. */
  readonly name?: string | undefined
}

/** What the plugins that are checks have in common. */
export interface Family extends Plugin.Family {
  readonly kind: "check"
  readonly options: Options
  readonly registry: CheckRegistry
  readonly registered: Registered
  readonly duplicate: DuplicateCheckError
  readonly wrong: CheckConfigError
}

export interface Check<
  Type extends string,
  Fields extends Schema.Struct.Fields,
  E extends CheckFailure,
  R,
  Open = never
> extends Plugin.Plugin<Family, Type, Fields, R, Open> {
  /** The service's name where no other is given. */
  readonly name: string
  readonly label: string
  /** Where to look, and what to do, unless the options of a layer say otherwise. */
  readonly link: string | undefined
  readonly runbook: string | undefined
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what the error encodes to is its own business
  readonly error: Schema.Schema<E, any>
  readonly policy: CheckPolicy.CheckPolicy

  /** Registers a check that has no configuration: its status is `unknown`. */
  readonly layerNotConfigured: (
    options?: Options
  ) => Layer.Layer<Registered, DuplicateCheckError, CheckRegistry>
}

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
  | Plugin.TypeId
> & { readonly config: Schema.Schema.AnyNoContext }

/** Whether a value from a plugin's module is a check. */
export const isCheck = (value: unknown): value is Any => Plugin.kindOf(value) === "check"

export interface Definition<Fields extends Schema.Struct.Fields, E extends CheckFailure, I, R, S>
  extends Plugin.Definition<Fields, S> {
  /** What a person calls the service, as it stands inside a sentence. The type by default. */
  readonly label?: string
  /** Where to look: an http or https URL. Nothing by default. */
  readonly link?: string
  /** What to do: a URL, or a short text. Nothing by default. */
  readonly runbook?: string
  /** The service's name where no other is given. The type by default. */
  readonly name?: string
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
): Check<Type, Fields, E, Probing<R>, Exclude<Probing<R>, S>> => {
  const name = definition.name ?? type
  const label = definition.label ?? type
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

  const registered = (
    config: Schema.Struct.Type<Fields>,
    options: Options | undefined,
    secrets: Secrets.Secrets
  ) =>
    Effect.gen(function* () {
      const described = named(options)
      const { attemptTimeout, timeout } = described.policy
      const services = Context.add(
        yield* Effect.context<Probing<R>>(),
        RunLimit,
        attemptTimeout ?? timeout
      )
      // `suspend`: a probe that throws before it returns an Effect is a crashed run, not a crashed
      // program.
      const probe = Effect.suspend(() => definition.probe(config))
      return {
        ...described,
        ...secrets.scrubAll(Guidance.of(described)),
        secrets,
        probe: ProbeContext.provide(probe, services, secrets),
        statusOf: (error: CheckFailure) => statusOf(definition.statuses, error)
      }
    })

  const issues = (options: Options | undefined) => {
    const { attemptTimeout, critical, group, timeout } = definition
    const { label: own, link, name: _, runbook, ...settings } = options ?? {}
    return [
      ...Guidance.issues({ link: definition.link, runbook: definition.runbook }),
      ...Guidance.issues({ label: own, link, runbook }),
      ...CheckPolicy.issues(policy, { attemptTimeout, critical, group, timeout }),
      ...CheckPolicy.issues(policy, settings)
    ]
  }

  return {
    ...Plugin.make<Family, Type, Fields, Probing<R>, S>("check", type, definition, {
      issues,
      register: (config, options, secrets) => layerCheck(registered(config, options, secrets)),
      wrong: (all, options) => new CheckConfigError({ check: options?.name ?? name, issues: all })
    }),
    name,
    label,
    link: definition.link,
    runbook: definition.runbook,
    error: definition.error,
    policy,
    layerNotConfigured: (options) => layerNotConfigured(named(options))
  }
}

/** What a probe needs of the program: each run has a scope of its own. */
type Probing<R> = Exclude<R, Scope.Scope>

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
