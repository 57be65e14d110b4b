/**
 * What extends Holter: a check, a channel of alerts, a strategy of backups. Each is a value with a type,
 * a description and a configuration, which a command line finds among what a module exports. There is no
 * class to extend and no global list.
 */
import { Config, type ConfigError, Effect, Either, Layer, Predicate, Schema } from "effect"
import type * as Secrets from "../Common/Secrets.js"
import type { ConfigIssue } from "./ConfigIssue.js"
import * as Decoder from "./Decoder.js"

export const TypeId = "~holter/Plugin"

export type TypeId = typeof TypeId

export type Kind = "check" | "channel" | "strategy"

export interface Described<K extends Kind> {
  readonly [TypeId]: K
  /** What a configuration calls it by: a check and a channel may have the same one. */
  readonly type: string
  readonly description: string
}

/** The kind of a value from a plugin's module, if it is a plugin. */
export const kindOf = (value: unknown): unknown =>
  Predicate.hasProperty(value, TypeId) ? value[TypeId] : undefined

/** Whether the program around a plugin provides its services, or the plugin builds its own. */
export type Use = "embedded" | "standalone"

/** What every plugin with a configuration says of itself. */
export interface Definition<Fields extends Schema.Struct.Fields, S> {
  readonly description: string
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
  /**
   * Builds what it needs from its configuration, for use without an embedding program. What it leaves
   * out stays a requirement of `layerStandalone`, and keeps the plugin out of the CLI.
   */
  readonly services: (config: Schema.Struct.Type<Fields>) => Layer.Layer<S>
}

/** What `layer` takes: the configuration as code writes it, defaults left out. */
export type Input<Fields extends Schema.Struct.Fields> = Schema.Simplify<
  Schema.Struct.Constructor<Fields>
>

/** The types that the plugins of one kind have in common. */
export interface Family {
  readonly kind: Kind
  /** What a plugin is called in one program, and what differs there. */
  readonly options: object
  /** Where it registers itself, and what its layer gives. */
  readonly registry: unknown
  readonly registered: unknown
  /** Two of one name. */
  readonly duplicate: unknown
  /** Its configuration cannot be used. */
  readonly wrong: unknown
}

export interface Plugin<
  F extends Family,
  Type extends string,
  Fields extends Schema.Struct.Fields,
  R,
  /** What the plugin's own services leave open; nothing, in one that is complete. */
  Open = never
> extends Described<F["kind"]> {
  readonly type: Type
  readonly config: Schema.Struct<Fields>
  /** The fields that have a value where none is given. */
  readonly defaults: Readonly<Record<string, unknown>>

  /** Registers it, with services from the program that embeds it. */
  readonly layer: (
    config: Input<Fields>,
    options?: F["options"]
  ) => Layer.Layer<F["registered"], F["duplicate"] | F["wrong"], F["registry"] | R>

  /** `layer` with its configuration from the program's `ConfigProvider`. */
  readonly layerConfig: (
    config: Config.Config.Wrap<Input<Fields>>,
    options?: F["options"]
  ) => Layer.Layer<
    F["registered"],
    F["duplicate"] | F["wrong"] | ConfigError.ConfigError,
    F["registry"] | R
  >

  /** `layer` with services of its own, built from its configuration. */
  readonly layerStandalone: (
    config: Input<Fields>,
    options?: F["options"]
  ) => Layer.Layer<F["registered"], F["duplicate"] | F["wrong"], F["registry"] | Open>

  /**
   * The plugin as a configuration file describes it: its layer, with services of its own, or
   * everything that is wrong. `scrub` takes known secrets out of what was found.
   */
  readonly decode: (
    input: unknown,
    options?: F["options"],
    scrub?: (text: string) => string
  ) => Either.Either<
    Layer.Layer<F["registered"], F["duplicate"], F["registry"] | Open>,
    ReadonlyArray<ConfigIssue>
  >
}

/** How a plugin of one kind registers itself. */
interface Registering<F extends Family, Fields extends Schema.Struct.Fields, R> {
  readonly register: (
    config: Schema.Struct.Type<Fields>,
    options: F["options"] | undefined,
    secrets: Secrets.Secrets
  ) => Layer.Layer<F["registered"], F["duplicate"], F["registry"] | R>
  /** What is wrong beside the configuration. */
  readonly issues?: (options: F["options"] | undefined) => ReadonlyArray<ConfigIssue>
  readonly wrong: (
    issues: ReadonlyArray<ConfigIssue>,
    options: F["options"] | undefined
  ) => F["wrong"]
}

export const make = <
  F extends Family,
  const Type extends string,
  Fields extends Schema.Struct.Fields,
  R,
  S
>(
  kind: F["kind"],
  type: Type,
  definition: Definition<Fields, S>,
  { issues = () => [], register, wrong }: Registering<F, Fields, R>
): Plugin<F, Type, Fields, R, Exclude<R, S>> => {
  type Configuration = Schema.Struct.Type<Fields>
  type Options = F["options"] | undefined
  const config = Schema.Struct(definition.config)

  const rules =
    (use: Use): Decoder.Rules =>
    (given) =>
      definition.rules?.(given, use) ?? []

  const withIssues =
    (options: Options) =>
    (checked: Decoder.Checked<Configuration>): Decoder.Checked<Configuration> => {
      const more = issues(options)
      if (more.length === 0) return checked
      return Either.left([...(Either.isLeft(checked) ? checked.left : []), ...more])
    }

  const validate = (input: Input<Fields>, options: Options, use: Use) =>
    Decoder.validate(config, rules(use), input).pipe(
      withIssues(options),
      Either.mapLeft((all) => wrong(all, options))
    )

  const embedded = (valid: Configuration, options: Options) =>
    register(valid, options, Decoder.secretsOf(config, valid))

  const standalone = (valid: Configuration, options: Options) =>
    embedded(valid, options).pipe(
      Layer.provide(definition.services(valid))
      // The same set of services, which tsc does not reduce while `R` and `S` are generic.
    ) as Layer.Layer<F["registered"], F["duplicate"], F["registry"] | Exclude<R, S>>

  // Not in an Effect: each layer around a layer is kept, with all that it is made of, for as long
  // as the program runs.
  const layer: Plugin<F, Type, Fields, R>["layer"] = (input, options) =>
    Either.match(validate(input, options, "embedded"), {
      onLeft: Layer.fail,
      onRight: (valid) => embedded(valid, options)
    })

  return {
    [TypeId]: kind,
    type,
    description: definition.description,
    config,
    defaults: Decoder.defaults(config),
    layer,
    layerConfig: (wrapped, options) =>
      Layer.unwrapEffect(Effect.map(Config.unwrap(wrapped), (input) => layer(input, options))),
    layerStandalone: (input, options) =>
      Either.match(validate(input, options, "standalone"), {
        onLeft: Layer.fail,
        onRight: (valid) => standalone(valid, options)
      }),
    decode: (input, options, scrub) =>
      Decoder.decode(config, rules("standalone"), input, scrub).pipe(
        withIssues(options),
        Either.map((valid) => standalone(valid, options))
      )
  }
}
