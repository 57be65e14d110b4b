/**
 * An entry of the configuration file whose `type` names a plugin: it has the plugin's fields and, beside
 * them, what every entry of its section has. None knows the keys of the others.
 */
import { Effect, type Either, type Schema, SchemaAST } from "effect"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"
import * as ConfigSecrets from "../Plugin/ConfigSecrets.js"
import * as Catalog from "./Catalog.js"
import { withNumbers } from "./Numbers.js"
import type { Reading } from "./Section.js"

export type Fields = Readonly<Record<string, unknown>>

export interface Options extends Reading {
  /** Whether all plugins could be loaded. */
  readonly complete: boolean
}

/** The plugin of a type, or that there is none. */
export const find = <A>(
  types: Catalog.Types<A>,
  type: string,
  path: ReadonlyArray<string>,
  { complete, scrub }: Options
): Effect.Effect<A, ConfigIssue> =>
  types.get(type) ??
  Effect.fail({
    path: [...path, "type"],
    expected: Catalog.oneOf(types, complete),
    found: ConfigIssues.show(type, scrub)
  })

export interface Opened {
  /** Those of the plugin. */
  readonly fields: Fields
  /** What belongs to nothing. */
  readonly unknown: ReadonlyArray<ConfigIssue>
  /** What its fields hold that nobody may see. */
  readonly secrets: ReadonlyArray<ConfigSecrets.Found>
  /** Of its fields, where a variable may stand for a number. */
  readonly decode: <A>(
    decode: (fields: unknown) => Either.Either<A, ReadonlyArray<ConfigIssue>>
  ) => Either.Either<A, ReadonlyArray<ConfigIssue>>
}

/** `beside` are the keys that every entry of the section has, `path` is where it lies. */
export const open = (
  entry: Fields,
  { config }: { readonly config: Schema.Schema.AnyNoContext },
  beside: ReadonlyArray<string>,
  path: ReadonlyArray<string>,
  { interpolated }: Options
): Opened => {
  const ofPlugin = SchemaAST.getPropertySignatures(config.ast)
    .map(({ name }) => String(name))
    .filter((name) => !beside.includes(name))
  const known = [...ofPlugin, "type", ...beside]
  const fields = pick(entry, ofPlugin)
  return {
    fields,
    unknown: Object.entries(entry)
      .filter(([key]) => !known.includes(key))
      .map(([key, value]) => ConfigIssues.noSuchKey([key], known, value)),
    secrets: ConfigSecrets.collect(config, fields),
    decode: (decode) => withNumbers(path, interpolated)(fields, decode)
  }
}

export const pick = (entry: Fields, keys: ReadonlyArray<string>): Fields =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => keys.includes(key)))

/** Names the variable where the value came from the environment, otherwise the path in the file. */
export const located =
  (path: ReadonlyArray<string>, variables: Readonly<Record<string, string>>) =>
  (issue: ConfigIssue): ConfigIssue => {
    const [field, ...rest] = issue.path
    const variable = field === undefined ? undefined : variables[field]
    return {
      ...issue,
      path: variable === undefined ? [...path, ...issue.path] : [variable, ...rest]
    }
  }
