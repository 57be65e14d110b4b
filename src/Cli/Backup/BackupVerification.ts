/**
 * `holter backup verify` over a directory: each backup is read by the strategy of its own engine,
 * whether or not there is a database to back up.
 */
import { Effect, Option } from "effect"
import * as path from "node:path"
import type { Choice, Common, Verified } from "../../Backup/Backup.js"
import { BackupError } from "../../Backup/BackupError.js"
import * as BackupName from "../../Backup/BackupName.js"
import { problemOf, type Stored } from "../../Backup/BackupStore.js"
import type * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as BackupAccess from "./BackupAccess.js"
import type { BackupSettings } from "./BackupSettings.js"
import type { Database } from "./Database.js"

export type Which = Choice | { readonly _tag: "All" }

interface Options extends Common {
  readonly which: Which
  readonly deep: boolean
}

export const verify = (settings: BackupSettings, options: Options) =>
  Effect.gen(function* () {
    const { which } = options
    if (which._tag === "File") return [yield* one(settings, which.file, options)]
    if (which._tag === "Latest" && settings.url !== undefined) {
      const backup = yield* BackupAccess.open(settings)
      return yield* backup.verify({ ...options, choice: which })
    }
    const { backups } = yield* BackupAccess.list({ ...settings, url: undefined })
    if (which._tag === "All") {
      return yield* Effect.forEach(backups, (stored) => each(settings, stored, options))
    }
    const newest = backups.find((stored) => problemOf(stored) === undefined)
    return newest === undefined
      ? yield* nothing(settings)
      : [yield* one(settings, newest.name, options)]
  })

/** One that is broken keeps nobody from looking at the others. */
const each = (settings: BackupSettings, { name }: Stored, options: Options) =>
  Effect.catchTag(one(settings, name, options), "BackupError", (problem) =>
    Effect.succeed<Verified>({ name, problem, warnings: [] })
  )

const one = (settings: BackupSettings, file: string, options: Options) =>
  Effect.gen(function* () {
    const { deep, onProgress } = options
    const url = yield* urlFor(settings, file)
    const backup = yield* BackupAccess.openUrl(settings, url)
    const [verified] = yield* backup.verify({
      choice: { _tag: "File", file },
      deep,
      onProgress
    })
    return verified ?? { name: path.basename(file), problem: undefined, warnings: [] }
    // Each opens its own: of a hundred, none is to stay open until the last one.
  }).pipe(Effect.scoped)

/** The database, where the backup can be of it; else none that is ever opened: only its engine counts. */
const urlFor = ({ url }: BackupSettings, file: string): Effect.Effect<Database, BackupError> => {
  const engine = engineOf(path.basename(file))
  const place = engine === undefined ? url : (places[engine] ?? undefined)
  if (url !== undefined && (engine === undefined || isOf(url, engine))) {
    return Effect.succeed(url)
  }
  return place === undefined
    ? new BackupError({
        reason: "WrongEngine",
        subject: file,
        expected: `a backup of ${Object.keys(places).join(" or ")}, by its name`,
        found: engine === undefined ? "a name that does not tell" : `one of ${engine}`,
        advice: "Give the URL of the database that it is of (--database-url)"
      })
    : Effect.succeed(place)
}

/** A strategy of a plugin has an engine that is none of Holter's. */
const isOf = (url: Database, engine: string): boolean =>
  url._tag === "Foreign" ? places[engine] === undefined : engines[url._tag] === engine

const engines = { Sqlite: "sqlite", Postgres: "postgresql" } as const

const places: Readonly<Record<string, DatabaseUrl.DatabaseUrl | undefined>> = {
  sqlite: { _tag: "Sqlite", path: "none.db" },
  postgresql: {
    _tag: "Postgres",
    host: "localhost",
    socketDir: undefined,
    port: 5432,
    database: "none",
    user: undefined,
    password: undefined,
    ssl: undefined,
    options: undefined,
    parameters: {}
  }
}

const engineOf = (name: string): string | undefined =>
  Option.match(BackupName.parse(name), {
    onSome: ({ engine }) => engine,
    onNone: () => {
      if (name.endsWith(".dump")) return "postgresql"
      return /\.(?:db|sqlite3?)(?:\.gz|\.zst)?$/.test(name) ? "sqlite" : undefined
    }
  })

const nothing = ({ directory }: BackupSettings): BackupError =>
  new BackupError({
    reason: "NotFound",
    subject: directory,
    expected: "a backup",
    found: "none that is in order",
    advice: "Check the directory, or look at the last run of holter backup create"
  })
