/**
 * A channel is data: a type, a configuration, and how one alert is sent. `layer` turns it into a
 * Layer that registers itself. What is tried again, when, and who is notified instead is not the
 * channel's business: it says by its error what kind of failure it was.
 */
import { Duration, Effect, Either, Layer, Predicate, Schema } from "effect"
import * as Excerpt from "../Common/Excerpt.js"
import * as Decoder from "../Plugin/Decoder.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import type { Alert } from "./Alert.js"
import {
  type AlertChannelError,
  ChannelConfigError,
  type DuplicateChannelError,
  scrubbed
} from "./AlertChannelError.js"
import { type ChannelRegistry, layerChannel, type Registered } from "./ChannelRegistry.js"

export {
  AlertChannelError,
  ChannelConfigError,
  DuplicateChannelError
} from "./AlertChannelError.js"

export const TypeId = "~holter/AlertChannel"

export type TypeId = typeof TypeId

/** What a channel is called in one program. */
export interface Options {
  /** The name that routes use; the type by default. */
  readonly name?: string | undefined
  /** What this installation is called, for who is told by several of them. */
  readonly installation?: string | undefined
}

export interface AlertChannel<
  Type extends string,
  Fields extends Schema.Struct.Fields,
  R,
  /** What the channel's own services leave open; nothing, in a plugin that is complete. */
  Open = never
> {
  readonly [TypeId]: TypeId
  readonly type: Type
  readonly description: string
  readonly config: Schema.Struct<Fields>
  /** The fields that have a value where none is given. */
  readonly defaults: Readonly<Record<string, unknown>>

  /** Registers the channel, with services from the program that embeds it. */
  readonly layer: (
    config: Input<Fields>,
    options?: Options
  ) => Layer.Layer<Registered, DuplicateChannelError | ChannelConfigError, ChannelRegistry | R>

  /** `layer` with services of the channel's own, built from its configuration. */
  readonly layerStandalone: (
    config: Input<Fields>,
    options?: Options
  ) => Layer.Layer<Registered, DuplicateChannelError | ChannelConfigError, ChannelRegistry | Open>

  /**
   * The channel as a configuration file describes it: its layer, with services of its own, or
   * everything that is wrong. `scrub` takes known secrets out of what was found.
   */
  readonly decode: (
    input: unknown,
    options?: Options,
    scrub?: (text: string) => string
  ) => Either.Either<
    Layer.Layer<Registered, DuplicateChannelError, ChannelRegistry | Open>,
    ReadonlyArray<ConfigIssue>
  >
}

/** What `layer` takes: the configuration as code writes it, defaults left out. */
export type Input<Fields extends Schema.Struct.Fields> = Schema.Simplify<
  Schema.Struct.Constructor<Fields>
>

/** Any channel, for code that knows it by its type only: the plugin catalog of a command line. */
export type Any = Pick<
  AlertChannel<string, Schema.Struct.Fields, never>,
  "type" | "description" | "defaults" | "decode" | TypeId
> & { readonly config: Schema.Schema.AnyNoContext }

/** Whether a value from a plugin's module is a channel. */
export const isAlertChannel = (value: unknown): value is Any => Predicate.hasProperty(value, TypeId)

export type Definition<Fields extends Schema.Struct.Fields, R, S> =
  | Sending<Fields, R, S>
  | Opening<Fields, R, S>

/** What a channel says of itself, however it sends. */
export interface Described<Fields extends Schema.Struct.Fields, S> {
  readonly description: string
  readonly config: Fields
  /** What must hold beside the fields one by one. */
  readonly rules?: Decoder.Rules
  /** How long one attempt may take; 10 seconds by default. */
  readonly timeout?:
    | Duration.DurationInput
    | ((config: Schema.Struct.Type<Fields>) => Duration.DurationInput)
  /**
   * Whether messages that are late may come as one that tells the story. They may by default; who
   * counts messages says no.
   */
  readonly collapses?: boolean
  /** Builds what `send` needs from its configuration, for use without an embedding program. */
  readonly services: (config: Schema.Struct.Type<Fields>) => Layer.Layer<S>
}

/** A channel for which each alert is as the first one. */
export interface Sending<Fields extends Schema.Struct.Fields, R, S> extends Described<Fields, S> {
  /**
   * Sends one alert. It succeeds when the receiver has it, and not before. `name` is the channel's,
   * for errors; `installation` is who sends it, where that has a name.
   *
   * It is called again until it succeeds. What came under one `key` has one content: give that key to a
   * receiver that drops what it has seen. An alert that nobody took within a minute comes under a second
   * key from then on, with `sent`, and under no third one; a `story` of several alerts has its own.
   */
  readonly send: (
    alert: Alert,
    config: Schema.Struct.Type<Fields>,
    name: string,
    installation: string | undefined
  ) => Effect.Effect<void, AlertChannelError, R>
  readonly open?: undefined
}

/** A channel that remembers something from one alert to the next. */
export interface Opening<Fields extends Schema.Struct.Fields, R, S> extends Described<Fields, S> {
  /** Run once, when the channel is registered: what comes back sends its alerts, as `send` would. */
  readonly open: (
    config: Schema.Struct.Type<Fields>,
    name: string,
    installation: string | undefined
  ) => Effect.Effect<(alert: Alert) => Effect.Effect<void, AlertChannelError, R>, never, R>
  readonly send?: undefined
}

/**
 * @example
 * import { AlertChannel, AlertText } from "holter"
 * import { Console, Layer } from "effect"
 *
 * const Terminal = AlertChannel.make("terminal", {
 *   description: "Prints alerts",
 *   config: {},
 *   send: (alert) => Console.log(AlertText.text(alert)),
 *   services: () => Layer.empty
 * })
 */
export const make = <const Type extends string, Fields extends Schema.Struct.Fields, R, S>(
  type: Type,
  definition: Definition<Fields, R, S>
): AlertChannel<Type, Fields, R, Exclude<R, S>> => {
  const config = Schema.Struct(definition.config)
  const rules: Decoder.Rules = definition.rules ?? (() => [])
  type Configuration = Schema.Struct.Type<Fields>

  const registered = (configuration: Configuration, options: Options | undefined) =>
    Effect.gen(function* () {
      const services = yield* Effect.context<R>()
      const name = options?.name ?? type
      const secrets = Decoder.secretsOf(config, configuration)
      const send = yield* opened(definition, configuration, name, options?.installation)
      return {
        name,
        type,
        timeout: timeoutOf(definition.timeout, configuration),
        collapses: definition.collapses ?? true,
        send: (alert: Alert) =>
          // `suspend`: a channel that throws is a failed attempt, not a failed program.
          Effect.suspend(() => send(alert)).pipe(
            Excerpt.knowing(secrets),
            Effect.provide(services),
            Effect.mapError(scrubbed(secrets))
          )
      }
    })

  const validate = (input: Input<Fields>, options: Options | undefined) =>
    Either.mapLeft(
      Decoder.validate(config, rules, input),
      (issues) => new ChannelConfigError({ channel: options?.name ?? type, issues })
    )

  type Open = Exclude<R, S>

  const standalone = (valid: Configuration, options: Options | undefined) =>
    layerChannel(registered(valid, options)).pipe(
      Layer.provide(definition.services(valid))
      // The same set of services, which tsc does not reduce while `R` and `S` are generic.
    ) as Layer.Layer<Registered, DuplicateChannelError, ChannelRegistry | Open>

  return {
    [TypeId]: TypeId,
    type,
    description: definition.description,
    config,
    defaults: Object.fromEntries(Object.entries(Decoder.complete(config, {}) as object)),
    layer: (input, options) =>
      layerChannel(Effect.flatMap(validate(input, options), (valid) => registered(valid, options))),
    layerStandalone: (input, options) =>
      Layer.unwrapEffect(
        Effect.map(validate(input, options), (valid) => standalone(valid, options))
      ),
    decode: (input, options, scrub) =>
      Either.map(Decoder.decode(config, rules, input, scrub), (valid) => standalone(valid, options))
  }
}

const opened = <Fields extends Schema.Struct.Fields, R, S>(
  definition: Definition<Fields, R, S>,
  config: Schema.Struct.Type<Fields>,
  name: string,
  installation: string | undefined
): Effect.Effect<(alert: Alert) => Effect.Effect<void, AlertChannelError, R>, never, R> =>
  definition.open === undefined
    ? Effect.succeed((alert) => definition.send(alert, config, name, installation))
    : definition.open(config, name, installation)

const timeoutOf = <A>(
  timeout: Duration.DurationInput | ((config: A) => Duration.DurationInput) | undefined,
  config: A
): Duration.Duration =>
  Duration.decode(typeof timeout === "function" ? timeout(config) : (timeout ?? "10 seconds"))
