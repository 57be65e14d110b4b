/**
 * The journal and the outbox of an installation, from a SQLite file or a PostgreSQL server. A driver
 * is loaded when it is needed.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import * as Reactivity from "@effect/experimental/Reactivity"
import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Layer, Option, Scope } from "effect"
import type { Outbox } from "../../Alert/Outbox.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Journal from "../../Monitor/Journal.js"
import * as JournalErrors from "../../Monitor/Journal/JournalError.js"
import { fromSqlError } from "../../Monitor/Journal/open.js"
import type { JournalSettings } from "./JournalSettings.js"

export interface Options {
  /** For a command that looks at what was recorded, and makes no journal where there is none. */
  readonly reading?: boolean
  /** For a program that must be the only one on it. */
  readonly holder?: Journal.Holder
}

export const layer = (
  settings: JournalSettings,
  { holder, reading = false }: Options = {}
): Layer.Layer<Journal.Journal | Outbox, Journal.JournalError, FileSystem | Path> => {
  const { retain, url } = settings
  const client = Layer.scoped(SqlClient, clientOf(url, reading))
  return Journal.layer({
    reading,
    ...(retain === undefined ? {} : { retain }),
    ...(holder === undefined ? {} : { holder })
  }).pipe(
    Layer.provide(client),
    Layer.provide(Reactivity.layer),
    Layer.catchAll((error) => Layer.fail(placed(error, url))),
    Layer.map((context) => {
      const journal = Context.get(context, Journal.Journal)
      const lost = Effect.map(journal.lost, (error) => placed(error, url))
      return Context.add(context, Journal.Journal, { ...journal, lost })
    })
  )
}

/** Which journal it is, for whoever has several. */
const placed = (
  error: Journal.JournalError,
  url: DatabaseUrl.DatabaseUrl
): Journal.JournalError => {
  const { advice, cause, expected, found, reason } = error
  const place = placeOf(url)
  return new Journal.JournalError({ reason, place, expected, found, advice, cause })
}

export const placeOf = (url: DatabaseUrl.DatabaseUrl): string =>
  url._tag === "Postgres" && url.database !== undefined
    ? `${url.database} on ${DatabaseUrl.address(url)}`
    : DatabaseUrl.address(url)

const clientOf = (
  url: DatabaseUrl.DatabaseUrl,
  reading: boolean
): Effect.Effect<
  SqlClient,
  Journal.JournalError,
  Scope.Scope | Reactivity.Reactivity | FileSystem | Path
> =>
  url._tag === "Sqlite"
    ? Effect.gen(function* () {
        yield* prepare(url.path, reading)
        const { make } = yield* Effect.promise(() => import("./SqliteClient.js"))
        return yield* Effect.mapError(make(url.path), fromSqlError)
      })
    : Effect.flatMap(
        Effect.promise(() => import("./PostgresClient.js")),
        ({ make }) =>
          Effect.mapError(make(url, reading ? "1 minute" : "10 seconds"), (error) =>
            JournalErrors.unavailable(error.found, error)
          )
      )

/** SQLite makes a missing file, which nobody wants who only looks. */
const prepare = (
  file: string,
  reading: boolean
): Effect.Effect<void, Journal.JournalError, FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const info = yield* fs.stat(file).pipe(
      Effect.asSome,
      Effect.catchAll((error) =>
        error._tag === "SystemError" && error.reason === "NotFound"
          ? Effect.succeedNone
          : Effect.fail(JournalErrors.unavailable(error.message, error))
      )
    )
    if (Option.exists(info, ({ type }) => type === "Directory")) {
      return yield* JournalErrors.unavailable("a directory in the place of its file")
    }
    if (Option.isSome(info)) return
    if (reading) return yield* JournalErrors.missing("no such file")
    yield* Effect.mapError(fs.makeDirectory(path.dirname(file), { recursive: true }), (error) =>
      JournalErrors.unavailable(`no place for its file (${error.message})`, error)
    )
  })
