/**
 * A channel of the configuration: its entry held to the fields of its plugin and made a layer.
 */
import { Effect, Either, type Layer, ParseResult } from "effect"
import type { DuplicateChannelError } from "../../Alert/AlertChannelError.js"
import type { ChannelRules } from "../../Alert/AlertPolicy.js"
import type { ChannelRegistry } from "../../Alert/ChannelRegistry.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import type * as ConfigSecrets from "../../Plugin/ConfigSecrets.js"
import * as ConfigIssues from "../../Plugin/ConfigIssues.js"
import type * as Catalog from "../Catalog.js"
import { withNumbers } from "../Numbers.js"
import * as PluginEntry from "../PluginEntry.js"
import * as AlertsSection from "./AlertsSection.js"

export interface Channel {
  readonly name: string
  readonly type: string
  readonly rules: Partial<ChannelRules>
  readonly layer: Layer.Layer<never, DuplicateChannelError, ChannelRegistry>
  /** All that makes the channel what it is: two of the same entry are the same channel. */
  readonly entry: unknown
  /** What its fields hold that nobody may see. */
  readonly secrets: ReadonlyArray<ConfigSecrets.Found>
}

export interface Options extends PluginEntry.Options {
  readonly catalog: Catalog.Catalog["channels"]
  readonly environment: ReadonlyMap<string, string>
  readonly installation: string
}

/** Fails with all that is wrong in it, each by its variable or its path in the file. */
export const make = (
  name: string,
  entry: PluginEntry.Fields,
  options: Options
): Effect.Effect<Channel, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const { catalog, environment, installation, interpolated, scrub } = options
    const path = ["alerts", "channels", name]
    const type = String(entry["type"])
    const channel = yield* Effect.mapError(
      PluginEntry.find(catalog, type, path, options),
      (issue) => [issue]
    )
    const supplied = Object.entries(channel.variables).filter(
      ([field, variable]) => entry[field] === undefined && environment.has(variable)
    )
    const given = supplied.map(([field, variable]) => [field, environment.get(variable)])
    const { decode, fields, secrets, unknown } = PluginEntry.open(
      { ...Object.fromEntries(given), ...entry },
      channel,
      ofRules,
      path,
      options
    )
    const rules = withNumbers(path, interpolated)(
      PluginEntry.pick(entry, ofRules),
      decodeRules(scrub)
    )
    const layer = decode((input) => channel.decode(input, { name, installation }, scrub))
    if (Either.isRight(rules) && Either.isRight(layer) && unknown.length === 0) {
      const whole = { type, fields, installation }
      return { name, type, rules: rules.right, layer: layer.right, entry: whole, secrets }
    }
    return yield* Effect.fail(
      [...unknown, ...leftOf(rules), ...leftOf(layer)].map(
        PluginEntry.located(path, Object.fromEntries(supplied))
      )
    )
  })

const ofRules = Object.keys(AlertsSection.ChannelRules.fields)

const decodeRules = (scrub: (text: string) => string) => (input: unknown) =>
  ParseResult.decodeUnknownEither(AlertsSection.ChannelRules, { errors: "all" })(input).pipe(
    Either.mapLeft((issue) => ConfigIssues.fromParseIssue(issue, scrub))
  )

const leftOf = <A>(either: Either.Either<A, ReadonlyArray<ConfigIssue>>) =>
  Either.isLeft(either) ? either.left : []
