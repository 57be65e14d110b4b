/**
 * A channel is a plugin that says how one alert is sent. It is data: `layer` turns it into a Layer that
 * registers itself. What is tried again, when, and who is notified instead is not the
 * channel's business: it says by its error what kind of failure it was.
 */
import { Duration, Effect, type Schema, type Scope } from "effect"
import * as Excerpt from "../Common/Excerpt.js"
import type * as Secrets from "../Common/Secrets.js"
import * as Plugin from "../Plugin/Plugin.js"
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

/** What a channel is called in one program. */
export interface Options {
  /** The name that routes use; the type by default. */
  readonly name?: string | undefined
  /** What this installation is called, for who is told by several of them. */
  readonly installation?: string | undefined
}

/** What the plugins that are channels have in common. */
export interface Family extends Plugin.Family {
  readonly kind: "channel"
  readonly options: Options
  readonly registry: ChannelRegistry
  readonly registered: Registered
  readonly duplicate: DuplicateChannelError
  readonly wrong: ChannelConfigError
}

export interface AlertChannel<
  Type extends string,
  Fields extends Schema.Struct.Fields,
  R,
  Open = never
> extends Plugin.Plugin<Family, Type, Fields, R, Open> {
  /** The variables that fields are read from where a configuration file does not have them. */
  readonly variables: Readonly<Record<string, string>>
}

/** Any channel, for code that knows it by its type only: the plugin catalog of a command line. */
export type Any = Pick<
  AlertChannel<string, Schema.Struct.Fields, never>,
  "type" | "description" | "defaults" | "variables" | "decode" | Plugin.TypeId
> & { readonly config: Schema.Schema.AnyNoContext }

/** Whether a value from a plugin's module is a channel. */
export const isAlertChannel = (value: unknown): value is Any => Plugin.kindOf(value) === "channel"

export type Definition<Fields extends Schema.Struct.Fields, R, S> =
  | Sending<Fields, R, S>
  | Opening<Fields, R, S>

/** What a channel says of itself, however it sends. */
export interface Described<Fields extends Schema.Struct.Fields, S>
  extends Plugin.Definition<Fields, S> {
  /** The variables that fields are read from where a configuration file does not have them. */
  readonly variables?: { readonly [Field in keyof Fields & string]?: string }
  /** How long one attempt may take; 10 seconds by default. */
  readonly timeout?:
    | Duration.DurationInput
    | ((config: Schema.Struct.Type<Fields>) => Duration.DurationInput)
  /**
   * Whether messages that are late may come as one that tells the story. They may by default; who
   * counts messages says no.
   */
  readonly collapses?: boolean
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
): AlertChannel<Type, Fields, Exclude<R, Scope.Scope>, Exclude<Exclude<R, Scope.Scope>, S>> => {
  const registered = (
    config: Schema.Struct.Type<Fields>,
    options: Options | undefined,
    secrets: Secrets.Secrets
  ) =>
    Effect.gen(function* () {
      const services = yield* Effect.context<R>()
      const name = options?.name ?? type
      const send = yield* opened(definition, config, name, options?.installation)
      return {
        name,
        type,
        timeout: timeoutOf(definition.timeout, config),
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

  return {
    ...Plugin.make<Family, Type, Fields, Exclude<R, Scope.Scope>, S>("channel", type, definition, {
      register: (config, options, secrets) => layerChannel(registered(config, options, secrets)),
      wrong: (issues, options) => new ChannelConfigError({ channel: options?.name ?? type, issues })
    }),
    variables: Object.fromEntries(
      Object.entries(definition.variables ?? {}).flatMap(([field, variable]) =>
        variable === undefined ? [] : [[field, variable] as const]
      )
    )
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
