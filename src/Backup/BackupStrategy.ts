/**
 * How one kind of database is dumped, verified and restored. The face of the strategies: the
 * contract, and the choice by a database's URL.
 */
import { Effect, Either, Layer, type Redacted } from "effect"
import * as DatabaseUrl from "../Common/DatabaseUrl.js"
import type { Options as PostgresOptions } from "./BackupStrategy/Postgres.js"
import type { Options as SqliteOptions } from "./BackupStrategy/Sqlite.js"
import type { Requirements } from "./BackupStrategy/Definition.js"
import type { BackupStrategy } from "./BackupStrategy/Strategy.js"

export { BackupError } from "./BackupError.js"
export type { Table } from "./Manifest.js"

export {
  define,
  type Definition,
  isDefinition,
  type Requirements
} from "./BackupStrategy/Definition.js"

/** All that a strategy of another package has to name. */
export type {
  Drilled,
  DumpOptions,
  Held,
  HoldOptions,
  Leniency,
  OnProgress,
  Outcome,
  Payload,
  Present,
  Progress,
  Restored,
  RestoreOptions,
  SetAside,
  Verification,
  VerifyOptions
} from "./BackupStrategy/Strategy.js"

export {
  BackupStrategy,
  type Strategy
} from "./BackupStrategy/Strategy.js"

export interface Options {
  readonly sqlite?: SqliteOptions | undefined
  readonly postgres?: PostgresOptions | undefined
}

/**
 * The strategy for the database at a URL; fails where the URL is of a kind that is not supported.
 * The driver of the other kind is not loaded.
 *
 * @example
 * import { BackupStrategy } from "holter"
 * import { Redacted } from "effect"
 *
 * BackupStrategy.layerUrl(Redacted.make("sqlite:///data/bot.db"))
 */
export const layerUrl = (
  url: Redacted.Redacted<string> | string,
  options: Options = {}
): Layer.Layer<BackupStrategy, DatabaseUrl.DatabaseUrlError, Requirements> =>
  Either.match(DatabaseUrl.parse(url), {
    onLeft: (error) => Layer.fail(error),
    onRight: (parsed) => layerParsed(parsed, options)
  })

/** The same for a URL that was read before. */
export const layerParsed = (
  url: DatabaseUrl.DatabaseUrl,
  options: Options = {}
): Layer.Layer<BackupStrategy, never, Requirements> => {
  switch (url._tag) {
    case "Sqlite":
      return loaded(
        () => import("./BackupStrategy/Sqlite.js"),
        (sqlite) => sqlite.layer(url, options.sqlite)
      )
    case "Postgres":
      return loaded(
        () => import("./BackupStrategy/Postgres.js"),
        (postgres) => postgres.layer(url, options.postgres)
      )
  }
}

const loaded = <Module>(
  load: () => Promise<Module>,
  layer: (module: Module) => Layer.Layer<BackupStrategy, never, Requirements>
): Layer.Layer<BackupStrategy, never, Requirements> =>
  Layer.unwrapEffect(Effect.map(Effect.promise(load), layer))
