/** How backups are made and kept, and what the work on them has at hand. */
import { type DateTime, Duration, Effect, type Scope } from "effect"
import type { BackupError } from "../BackupError.js"
import { BeforeStep, type BackupStep } from "../BackupStep.js"
import * as BackupName from "../BackupName.js"
import type { Store } from "../Store.js"
import type { DumpOptions, OnProgress, Strategy } from "../BackupStrategy/Strategy.js"
import type * as Manifest from "../Manifest.js"
import * as Retention from "../Retention.js"
import * as Identity from "./Identity.js"

export interface Options {
  /** The name of the program: the start of the names of its backups. */
  readonly app: string
  /** How many backups stay, the last ones; 7 unless told otherwise. */
  readonly keep?: number | undefined
  /** Beside them the last one of each of so many days, weeks, months and years; none by default. */
  readonly daily?: number | undefined
  readonly weekly?: number | undefined
  readonly monthly?: number | undefined
  readonly yearly?: number | undefined
  /** Whose days; UTC unless told otherwise. */
  readonly timeZone?: DateTime.TimeZone | undefined
  /** `gzip` unless told otherwise. */
  readonly compression?: DumpOptions["compression"] | undefined
  readonly level?: number | undefined
  /** Bytes that must stay free on the disk beside a new backup. */
  readonly minimumFree?: number | undefined
  /**
   * Tables that may lose all their rows without a word, as queues do: their names, with or without the
   * schema; a star stands for any characters.
   */
  readonly ignoreTables?: ReadonlyArray<string> | undefined
  /**
   * Saves the roles and tablespaces of the server with each backup, without a password. Fails with
   * `WrongEngine` where the database has no server.
   */
  readonly globals?: boolean | undefined
  /** How long a copy may give no sign of life before it is given up; 5 minutes by default. */
  readonly copyPatience?: Duration.DurationInput | undefined
  /** How long to wait for another run on the same directory to end; an hour by default. */
  readonly lockPatience?: Duration.DurationInput | undefined
  /**
   * This machine, in the identity of a database that is on it; its host name unless told otherwise.
   * To be given in containers that get another name at each start.
   */
  readonly host?: string | undefined
  /**
   * What this database is called, where nothing else tells it from another one of its name: a managed
   * server that hides its system identifier, a copy of a whole server beside the original.
   */
  readonly identity?: string | undefined
}

/** @internal */
export interface Desk {
  readonly strategy: Strategy
  /** The database at hand. What it is by itself is missing where the strategy cannot tell it now. */
  readonly database: Effect.Effect<Manifest.Database, BackupError>
  /** One that a dump tells of, likewise. */
  readonly identify: (database: Manifest.Database) => Effect.Effect<Manifest.Database>
  readonly main: Store
  readonly copies: ReadonlyArray<Store>
  readonly app: string
  readonly slug: string
  readonly policy: Retention.Policy
  readonly compression: DumpOptions["compression"]
  readonly level: number | undefined
  readonly minimumFree: number
  readonly ignoreTables: ReadonlyArray<string>
  readonly globals: boolean
  readonly copyPatience: Duration.Duration
  readonly lockPatience: Duration.Duration
}

/** @internal */
export const desk = (
  options: Options,
  strategy: Strategy,
  stores: { readonly main: Store; readonly copies: ReadonlyArray<Store> },
  host: string | undefined
): Desk => ({
  strategy,
  ...identity(strategy, { given: options.host, host, label: options.identity }),
  ...stores,
  app: options.app,
  slug: BackupName.slug(options.app),
  policy: {
    keep: options.keep ?? Retention.defaults.keep,
    daily: options.daily ?? Retention.defaults.daily,
    weekly: options.weekly ?? Retention.defaults.weekly,
    monthly: options.monthly ?? Retention.defaults.monthly,
    yearly: options.yearly ?? Retention.defaults.yearly,
    zone: options.timeZone ?? Retention.defaults.zone
  },
  compression: options.compression ?? "gzip",
  level: options.level,
  minimumFree: options.minimumFree ?? 0,
  ignoreTables: options.ignoreTables ?? [],
  globals: options.globals === true,
  copyPatience: Duration.decode(options.copyPatience ?? "5 minutes"),
  lockPatience: Duration.decode(options.lockPatience ?? "1 hour")
})

const identity = (
  strategy: Strategy,
  known: Identity.Known
): Pick<Desk, "database" | "identify"> => ({
  database: Identity.database(strategy, known),
  identify: (database) => Identity.identify(strategy, database, known)
})

/** Waits for another run as long as the desk does, and shows that. @internal */
export const lock = (
  desk: Desk,
  store: Store,
  purpose: string,
  onProgress: OnProgress
): Effect.Effect<void, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const said = yield* Effect.once(
      Effect.logInfo(`Waiting for another run on ${store.description}`)
    )
    yield* store.lock(purpose, {
      wait: desk.lockPatience,
      onWait: (note) =>
        Effect.zipRight(said, onProgress({ stage: "wait", note, bytes: 0, total: undefined }))
    })
  })

/** Announces a step. @internal */
export const step = (name: BackupStep): Effect.Effect<void, BackupError> =>
  Effect.flatMap(BeforeStep, (before) => before(name))

/** @internal */
export const silent: OnProgress = () => Effect.void
