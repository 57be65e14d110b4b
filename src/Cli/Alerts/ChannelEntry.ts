/**
 * A channel of the configuration: its entry held to the fields of its plugin and made a layer.
 */
import { Effect, Either, type Layer, ParseResult, SchemaAST } from "effect"
import type { DuplicateChannelError } from "../../Alert/AlertChannelError.js"
import type { ChannelRules } from "../../Alert/AlertPolicy.js"
import type { ChannelRegistry } from "../../Alert/ChannelRegistry.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as ConfigSecrets from "../../Plugin/ConfigSecrets.js"
import * as ConfigIssues from "../../Plugin/ConfigIssues.js"
import * as Catalog from "../Catalog.js"
import { withNumbers } from "../Numbers.js"
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

export interface Options {
  readonly catalog: Catalog.Channels
  readonly environment: ReadonlyMap<string, string>
  readonly installation: string
  readonly interpolated: ReadonlySet<string>
  readonly scrub: (text: string) => string
  /** Whether all plugins could be loaded. */
  readonly complete: boolean
}

/** Fields that come from a variable where the entry does not have them. */
export const variables: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  telegram: {
    token: "TELEGRAM_BOT_TOKEN",
    chatId: "ADMIN_TELEGRAM_CHAT_ID",
    apiUrl: "TELEGRAM_API_URL"
  }
}

/** Fails with all that is wrong in it, each by its variable or its path in the file. */
export const make = (
  name: string,
  entry: Readonly<Record<string, unknown>>,
  options: Options
): Effect.Effect<Channel, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const { catalog, environment, installation, scrub } = options
    const path = ["alerts", "channels", name]
    const type = String(entry["type"])
    const plugin = catalog.get(type)
    if (plugin === undefined) {
      const expected = Catalog.oneOf(catalog, options.complete)
      const found = ConfigIssues.show(type, scrub)
      return yield* Effect.fail([{ path: [...path, "type"], expected, found }])
    }
    const channel = yield* Catalog.loadChannel(plugin)
    const supplied = Object.entries(variables[type] ?? {}).filter(
      ([field, variable]) => entry[field] === undefined && environment.has(variable)
    )
    const ofRules = Object.keys(AlertsSection.ChannelRules.fields)
    const ofPlugin = SchemaAST.getPropertySignatures(channel.config.ast)
      .map((field) => String(field.name))
      .filter((field) => !ofRules.includes(field))
    const pick = (keys: ReadonlyArray<string>) =>
      Object.fromEntries(Object.entries(entry).filter(([key]) => keys.includes(key)))
    const known = [...ofPlugin, "type", ...ofRules]
    const unknown = Object.entries(entry)
      .filter(([key]) => !known.includes(key))
      .map(([key, value]) => ConfigIssues.noSuchKey([key], known, value))
    const fields = {
      ...Object.fromEntries(
        supplied.map(([field, variable]) => [field, environment.get(variable)])
      ),
      ...pick(ofPlugin)
    }
    const lenient = withNumbers(path, options.interpolated)
    const rules = lenient(pick(ofRules), decodeRules(scrub))
    const layer = lenient(fields, (input) => channel.decode(input, { name, installation }, scrub))
    if (Either.isRight(rules) && Either.isRight(layer) && unknown.length === 0) {
      const secrets = ConfigSecrets.collect(channel.config, fields)
      const whole = { type, fields, installation }
      return { name, type, rules: rules.right, layer: layer.right, entry: whole, secrets }
    }
    const issues = [...unknown, ...leftOf(rules), ...leftOf(layer)]
    const fromVariable = new Map(supplied)
    return yield* Effect.fail(
      issues.map((issue) => {
        const [field = "", ...rest] = issue.path
        const variable = fromVariable.get(field)
        return {
          ...issue,
          path: variable === undefined ? [...path, ...issue.path] : [variable, ...rest]
        }
      })
    )
  })

const decodeRules = (scrub: (text: string) => string) => (input: unknown) =>
  ParseResult.decodeUnknownEither(AlertsSection.ChannelRules, { errors: "all" })(input).pipe(
    Either.mapLeft((issue) => ConfigIssues.fromParseIssue(issue, scrub))
  )

const leftOf = <A>(either: Either.Either<A, ReadonlyArray<ConfigIssue>>) =>
  Either.isLeft(either) ? either.left : []
