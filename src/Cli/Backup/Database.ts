/**
 * Which database is backed up: one that Holter knows itself, or one of a plugin's strategy.
 */
import { Either, Redacted } from "effect"
import type { Definition } from "../../Backup/BackupStrategy/Definition.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"

export interface Foreign {
  readonly _tag: "Foreign"
  readonly definition: Definition
  readonly url: Redacted.Redacted<string>
}

export type Database = DatabaseUrl.DatabaseUrl | Foreign

/** By scheme. */
export type Strategies = ReadonlyMap<string, Definition>

export const noStrategies: Strategies = new Map()

export const parse = (
  text: string,
  strategies: Strategies
): Either.Either<Database, DatabaseUrl.DatabaseUrlError> => {
  const definition = strategies.get(schemeOf(text))
  return definition === undefined
    ? DatabaseUrl.parse(text)
    : Either.right({ _tag: "Foreign", definition, url: Redacted.make(text) })
}

const schemeOf = (text: string): string =>
  /^([a-z][a-z0-9+._-]*):/i.exec(text)?.[1]?.toLowerCase() ?? ""
