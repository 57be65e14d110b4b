/**
 * `holter plugins`: which checks there are, and what each takes.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { Effect, JSONSchema, Option } from "effect"
import type * as Check from "../Check/Check.js"
import * as Catalog from "./Catalog.js"
import * as Configuration from "./Configuration.js"
import { UsageError } from "./ConfigurationError.js"
import { configFlag } from "./Flags.js"
import { Output } from "./Output.js"

const list = Command.make("list", { config: configFlag }, ({ config }) =>
  Effect.gen(function* () {
    const { line } = yield* Output
    const catalog = yield* Configuration.catalog(config)
    const checks = yield* Effect.forEach(catalog.values(), Catalog.load)
    const width = Math.max(...checks.map((check) => check.type.length))
    yield* Effect.forEach(checks, (check) =>
      line(`${check.type.padEnd(width)}  ${check.description}`)
    )
  })
).pipe(Command.withDescription("List the types of checks that a configuration may use"))

const describe = Command.make(
  "describe",
  { config: configFlag, type: Args.text({ name: "type" }) },
  ({ config, type }) =>
    Effect.gen(function* () {
      const { line } = yield* Output
      const catalog = yield* Configuration.catalog(config)
      const plugin = Option.fromNullable(catalog.get(type))
      if (Option.isNone(plugin)) {
        return yield* new UsageError({
          flag: "type",
          expected: `one of ${[...catalog.keys()].join(", ")}`,
          found: JSON.stringify(type)
        })
      }
      const check = yield* Catalog.load(plugin.value)
      yield* Effect.forEach(description(check), line)
    })
).pipe(Command.withDescription("Describe a type of check: its fields and what they expect"))

export const command = Command.make("plugins").pipe(
  Command.withDescription("The types of checks that there are"),
  Command.withSubcommands([list, describe])
)

const description = (check: Check.Any): ReadonlyArray<string> => [
  `${check.type}: ${check.description}`,
  `Service name: ${check.name} (where the configuration gives no other)`,
  "",
  "Fields:",
  ...fields(check)
]

const fields = (check: Check.Any): ReadonlyArray<string> => {
  const root = JSONSchema.make(check.config)
  if (!("properties" in root)) return ["  none"]
  const all = Object.entries(root.properties)
  if (all.length === 0) return ["  none"]
  const width = Math.max(...all.map(([name]) => name.length))
  return all.map(([name, property]) => {
    const need = root.required.includes(name) ? "required" : "optional"
    const text = describeProperty(property, root.$defs ?? {})
    const value = check.defaults[name]
    const byDefault = value === undefined ? "" : ` (default ${showDefault(value)})`
    return `  ${name.padEnd(width)}  ${need}  ${text}${byDefault}`
  })
}

const showDefault = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value)

const describeProperty = (
  property: JSONSchema.JsonSchema7,
  definitions: Readonly<Record<string, JSONSchema.JsonSchema7>>
): string => {
  const target =
    "$ref" in property ? (definitions[property.$ref.replace("#/$defs/", "")] ?? property) : property
  if (target.description !== undefined) return target.description
  if ("enum" in target) return target.enum.map((value) => JSON.stringify(value)).join(" or ")
  return "type" in target ? String(target.type) : "see the documentation"
}
