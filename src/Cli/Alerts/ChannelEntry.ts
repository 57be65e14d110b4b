/**
 * A channel of the configuration: its entry held to the fields of its plugin and made a layer.
 */
import { Effect, Either, type Layer } from "effect"
import type { DuplicateChannelError } from "../../Alert/AlertChannelError.js"
import type { ChannelRules } from "../../Alert/AlertPolicy.js"
import type { ChannelRegistry } from "../../Alert/ChannelRegistry.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import type * as ConfigSecrets from "../../Plugin/ConfigSecrets.js"
import type * as Catalog from "../Catalog.js"
import type { ConfigSource } from "../ConfigSource.js"
import * as PluginEntry from "../PluginEntry.js"
import * as Section from "../Section.js"
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
  readonly variables: ConfigSource["variables"]
  readonly installation: string
}

/** Fails with all that is wrong in it, each by its variable or its path in the file. */
export const make = (
  name: string,
  entry: PluginEntry.Fields,
  options: Options
): Effect.Effect<Channel, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const { catalog, installation, scrub, variables } = options
    const path = ["alerts", "channels", name]
    const type = String(entry["type"])
    const channel = yield* Effect.mapError(
      PluginEntry.find(catalog, type, path, options),
      (issue) => [issue]
    )
    const lacking = Object.entries(channel.variables).filter(
      ([field]) => entry[field] === undefined
    )
    const { issues: unread, values } = yield* variables(lacking.map(([, variable]) => variable))
    const supplied = lacking.filter(([, variable]) => values.has(variable))
    const given = supplied.map(([field, variable]) => [field, values.get(variable)] as const)
    const { decode, fields, secrets, unknown } = PluginEntry.open(
      { ...Object.fromEntries(given), ...entry },
      channel,
      ofRules,
      path,
      { ...options, interpolated: withVariables(path, supplied, options.interpolated) }
    )
    const rules = Section.decode(
      AlertsSection.ChannelRules,
      path,
      options
    )(PluginEntry.pick(entry, ofRules))
    const layer = decode((input) => channel.decode(input, { name, installation }, scrub))
    if (Either.isRight(rules) && Either.isRight(layer) && unknown.length + unread.length === 0) {
      const whole = { type, fields, installation }
      return { name, type, rules: rules.right, layer: layer.right, entry: whole, secrets }
    }
    return yield* Effect.fail([
      ...unread,
      ...[...unknown, ...Section.issuesOf(rules), ...Section.issuesOf(layer)].map(
        PluginEntry.located(path, Object.fromEntries(supplied))
      )
    ])
  })

/** Of a variable it is not known whether it was meant as a number either. */
const withVariables = (
  path: ReadonlyArray<string>,
  supplied: ReadonlyArray<readonly [string, string]>,
  interpolated: ReadonlySet<string>
): ReadonlySet<string> =>
  new Set([...interpolated, ...supplied.map(([field]) => [...path, field].join("\0"))])

const ofRules = Object.keys(AlertsSection.ChannelRules.fields)
