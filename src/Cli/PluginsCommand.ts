/**
 * `holter plugins`: which checks and channels there are, and what each takes.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { Effect, Option } from "effect"
import type * as AlertChannel from "../Alert/AlertChannel.js"
import type * as Check from "../Check/Check.js"
import * as FieldSchema from "../Plugin/JsonSchema.js"
import * as Secrecy from "../Plugin/Secrecy.js"
import { placeholder } from "../Common/Secrets.js"
import * as Configuration from "./Configuration.js"
import { UsageError } from "./ConfigurationError.js"
import { configFlag } from "./Flags.js"
import { Output } from "./Output.js"

const list = Command.make("list", { config: configFlag }, ({ config }) =>
  Effect.gen(function* () {
    const { line } = yield* Output
    const catalog = yield* Configuration.catalog(config)
    const checks = yield* Effect.all([...catalog.checks.values()])
    const channels = yield* Effect.all([...catalog.channels.values()])
    const width = Math.max(...[...checks, ...channels].map(({ type }) => type.length))
    const row = ({ description, type }: Pick<Plugin, "description" | "type">) =>
      line(`  ${type.padEnd(width)}  ${description}`)
    yield* line("Checks:")
    yield* Effect.forEach(checks, row)
    yield* line("")
    yield* line("Channels of alerts:")
    yield* Effect.forEach(channels, row)
    if (catalog.strategies.size === 0) return
    yield* line("")
    yield* line("Backup strategies, by the scheme of their URLs:")
    yield* Effect.forEach(catalog.strategies.values(), row)
  })
).pipe(Command.withDescription("List the types of checks and channels that there are"))

const describe = Command.make(
  "describe",
  { config: configFlag, type: Args.text({ name: "type" }) },
  ({ config, type }) =>
    Effect.gen(function* () {
      const { line } = yield* Output
      const { channels, checks } = yield* Configuration.catalog(config)
      const parts = [
        ...Option.toArray(Option.map(Option.fromNullable(checks.get(type)), Effect.map(ofCheck))),
        ...Option.toArray(
          Option.map(Option.fromNullable(channels.get(type)), Effect.map(ofChannel))
        )
      ]
      if (parts.length === 0) {
        return yield* new UsageError({
          flag: "type",
          expected: `one of ${[...new Set([...checks.keys(), ...channels.keys()])].join(", ")}`,
          found: JSON.stringify(type)
        })
      }
      const [first = [], ...others] = yield* Effect.all(parts)
      yield* Effect.forEach([...first, ...others.flatMap((lines) => ["", ...lines])], line)
    })
).pipe(
  Command.withDescription("Describe a type of check or channel: its fields and what they expect")
)

export const command = Command.make("plugins").pipe(
  Command.withDescription("The types of checks and channels that there are"),
  Command.withSubcommands([list, describe])
)

type Plugin = Pick<AlertChannel.Any, "type" | "description" | "config" | "defaults">

const ofCheck = (check: Check.Any): ReadonlyArray<string> => [
  `${check.type}: ${check.description}`,
  `Service name: ${check.name} (where the configuration gives no other)`,
  "",
  "Fields:",
  ...fields(check)
]

const ofChannel = (channel: AlertChannel.Any): ReadonlyArray<string> => [
  `${channel.type}: ${channel.description}`,
  "A channel of alerts: alerts.channels.NAME",
  "",
  "Fields:",
  ...fields(channel)
]

const fields = (plugin: Plugin): ReadonlyArray<string> => {
  const { $defs, properties, required } = FieldSchema.ofFields(plugin.config)
  const all = Object.entries(properties)
  if (all.length === 0) return ["  none"]
  const width = Math.max(...all.map(([name]) => name.length))
  return all.map(([name, property]) => {
    // Its default, where it has one, is one too.
    const hidden = Secrecy.isHidden(plugin.config.ast, [name])
    const need = required.includes(name) ? "required" : "optional"
    const text = FieldSchema.describe(property, $defs)
    const value = plugin.defaults[name]
    const byDefault =
      value === undefined ? "" : ` (default ${hidden ? placeholder : showDefault(value)})`
    return `  ${name.padEnd(width)}  ${need}  ${text}${hidden ? " (secret)" : ""}${byDefault}`
  })
}

const showDefault = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value)
