/**
 * How the commands reach backups: with the database that they are of, or by their files alone.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Context, DateTime, Effect, Layer, Option, type Scope } from "effect"
import * as path from "node:path"
import * as Backup from "../../Backup/Backup.js"
import type { BackupError } from "../../Backup/BackupError.js"
import * as BackupStore from "../../Backup/BackupStore.js"
import * as BackupStrategy from "../../Backup/BackupStrategy.js"
import type { SetAside } from "../../Backup/BackupStrategy/Strategy.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import { ConfigurationError } from "../ConfigurationError.js"
import type { BackupSettings } from "./BackupSettings.js"
import * as Children from "./Children.js"
import type { Database } from "./Database.js"

/** The backups of the configured database. */
export const open = (
  settings: BackupSettings
): Effect.Effect<Backup.Backup["Type"], BackupError | ConfigurationError, Scope.Scope> =>
  settings.url === undefined ? noDatabase(settings) : openUrl(settings, settings.url)

/** The same for a database that need not be the configured one, nor be there at all. */
export const openUrl = (
  settings: BackupSettings,
  url: Database
): Effect.Effect<Backup.Backup["Type"], BackupError, Scope.Scope> => {
  const { compression, keep, section } = settings
  const { daily, globals, host, identity, ignoreTables, level, monthly, timeZone, weekly, yearly } =
    section
  const layer = Backup.layer({
    app: settings.app ?? nameOf(url),
    keep,
    daily,
    weekly,
    monthly,
    yearly,
    timeZone:
      timeZone === undefined ? undefined : Option.getOrUndefined(DateTime.zoneFromString(timeZone)),
    compression,
    level,
    host,
    identity,
    ignoreTables,
    globals
  }).pipe(Layer.provide(strategyOf(settings, url)), Layer.provide(storeOf(settings)))
  return Effect.map(Layer.build(layer), Context.get(Backup.Backup))
}

export const choiceOf = (file: Option.Option<string>): Backup.Choice =>
  Option.match(file, {
    onNone: (): Backup.Choice => ({ _tag: "Latest" }),
    onSome: (name): Backup.Choice => ({ _tag: "File", file: name })
  })

/** What `list` shows. */
export interface Found extends Pick<Backup.Listing, "backups" | "setAside"> {
  /** Why a part of it is missing, and what is wrong with the place. */
  readonly warnings: ReadonlyArray<string>
}

/** All backups of the directory, whatever they are of: a database is asked only what it set aside. */
export const list = (settings: BackupSettings): Effect.Effect<Found, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const { main } = yield* Effect.provide(BackupStore.BackupStore, storeOf(settings))
    const backups = yield* main.list
    const { warnings } = yield* main.describe
    const { setAside, warning } = yield* setAsideOf(settings)
    return { backups, setAside, warnings: [...warnings, ...warning] }
  })

/** At three in the morning the server may be what is broken: the list of files is there without it. */
const setAsideOf = (settings: BackupSettings) => {
  const none: ReadonlyArray<SetAside> = []
  if (settings.url === undefined) return Effect.succeed({ setAside: none, warning: [] })
  return Effect.flatMap(BackupStrategy.BackupStrategy, (strategy) => strategy.setAside).pipe(
    Effect.provide(strategyOf(settings, settings.url)),
    Effect.mapError(({ message }) => message),
    Effect.disconnect,
    Effect.timeoutFail({
      duration: "5 seconds",
      onTimeout: () => "the database gave no answer within 5 seconds"
    }),
    Effect.match({
      onSuccess: (setAside) => ({ setAside, warning: [] as ReadonlyArray<string> }),
      onFailure: (problem) => ({
        setAside: none,
        warning: [`The databases that restores set aside cannot be listed: ${problem}`]
      })
    })
  )
}

const storeOf = ({
  copies,
  directory,
  section: { host, mounted }
}: BackupSettings): Layer.Layer<BackupStore.BackupStore> =>
  BackupStore.layerDirectory({ path: directory, copies, mounted, host })

const strategyOf = (
  { section: { copy, jobs, level } }: BackupSettings,
  url: Database
): Layer.Layer<BackupStrategy.BackupStrategy, BackupError> => {
  const strategy: Layer.Layer<
    BackupStrategy.BackupStrategy,
    BackupError,
    BackupStrategy.Requirements
  > =
    url._tag === "Foreign"
      ? url.definition.layer(url.url)
      : BackupStrategy.layerParsed(url, { sqlite: { copy }, postgres: { jobs, level } })
  return Layer.provide(strategy, platform)
}

/** Not `NodeContext`, which opens standard input as well. */
const platform = Layer.mergeAll(Children.layer, NodePath.layer).pipe(
  Layer.provideMerge(NodeFileSystem.layer)
)

/** What names of backups begin with where nobody has named the program. */
const nameOf = (url: Database): string => {
  switch (url._tag) {
    case "Sqlite":
      return path.parse(url.path).name
    case "Postgres":
      return url.database ?? url.user ?? "postgres"
    case "Foreign":
      return url.definition.type
  }
}

const noDatabase = ({ source }: BackupSettings): ConfigurationError =>
  new ConfigurationError({
    source,
    issues: [
      {
        path: ["DATABASE_URL"],
        expected: `the URL of a database, here, as \`backup.url\` of the configuration file or by --database-url: ${DatabaseUrl.supported}`,
        found: "nothing"
      }
    ]
  })
