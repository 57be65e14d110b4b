/**
 * The journal and the outbox of an installation, from a SQLite file or a PostgreSQL server. A driver
 * is loaded when it is needed.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import * as Reactivity from "@effect/experimental/Reactivity"
import { SqlClient } from "@effect/sql/SqlClient"
import { Context, Effect, Layer, Scope } from "effect"
import type { Outbox } from "../../Alert/Outbox.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Journal from "../../Monitor/Journal.js"
import * as JournalErrors from "../../Monitor/Journal/JournalError.js"
import { fromSqlError } from "../../Monitor/Journal/open.js"
import * as JournalFile from "./JournalFile.js"
import type { JournalSettings } from "./JournalSettings.js"

export interface Options {
  /** For a command that looks at what was recorded, and makes no journal where there is none. */
  readonly reading?: boolean
  /** For a program that must be the only one on it. */
  readonly holder?: Journal.Holder | string
}

export const layer = (
  settings: JournalSettings,
  { holder, reading = false }: Options = {}
): Layer.Layer<Journal.Journal | Outbox, Journal.JournalError, FileSystem | Path> => {
  const { retain, url } = settings
  const journalOver = ({ intact, prepare, sql }: Client) =>
    Journal.layer({
      reading,
      intact,
      prepare,
      ...(retain === undefined ? {} : { retain }),
      ...(holder === undefined ? {} : { holder })
    }).pipe(Layer.provide(Layer.succeed(SqlClient, sql)))
  return Layer.unwrapScoped(Effect.map(clientOf(url, reading), journalOver)).pipe(
    Layer.provide(Reactivity.layer),
    Layer.catchAll((error) => Layer.fail(placed(error, url))),
    Layer.map((context) => {
      const journal = Context.get(context, Journal.Journal)
      const lost = Effect.map(journal.lost, (error) => placed(error, url))
      return Context.add(context, Journal.Journal, { ...journal, lost })
    })
  )
}

/** Which journal it is, and what an operator can do about it. */
const placed = (
  error: Journal.JournalError,
  url: DatabaseUrl.DatabaseUrl
): Journal.JournalError => {
  const { cause, expected, found, reason } = error
  const place = placeOf(url)
  const advice = adviceFor[reason] ?? error.advice
  return new Journal.JournalError({ reason, place, expected, found, advice, cause })
}

const adviceFor: Readonly<Partial<Record<Journal.JournalError["reason"], string>>> = {
  Corrupt:
    "Nothing in it was changed. Move the file and its -wal and -shm files away to start a new journal, or name another one with HOLTER_JOURNAL_URL",
  Missing:
    "`holter watch` keeps one: start it, or name the one of another place with HOLTER_JOURNAL_URL",
  NewerVersion:
    "Nothing in it was changed. Use that Holter again, or name another journal with HOLTER_JOURNAL_URL",
  Unreadable: "Use the Holter that wrote it, or name another journal with HOLTER_JOURNAL_URL"
}

export const placeOf = (url: DatabaseUrl.DatabaseUrl): string =>
  url._tag === "Postgres" && url.database !== undefined
    ? `${url.database} on ${DatabaseUrl.address(url)}`
    : DatabaseUrl.address(url)

interface Client {
  readonly sql: SqlClient
  readonly intact: Effect.Effect<void, Journal.JournalError>
  readonly prepare: NonNullable<Journal.Options["prepare"]>
}

const clientOf = (
  url: DatabaseUrl.DatabaseUrl,
  reading: boolean
): Effect.Effect<
  Client,
  Journal.JournalError,
  Scope.Scope | Reactivity.Reactivity | FileSystem | Path
> =>
  url._tag === "Sqlite"
    ? Effect.gen(function* () {
        yield* JournalFile.prepare(url.path, reading)
        const { make, tune } = yield* Effect.promise(() => import("./SqliteClient.js"))
        const identity = yield* JournalFile.watched(url.path)
        yield* Effect.addFinalizer(() => identity.left)
        const sql = yield* Effect.mapError(make(url.path), fromSqlError)
        yield* identity.opened
        yield* Effect.addFinalizer(() =>
          identity.leave(Effect.ignore(sql`PRAGMA wal_checkpoint(TRUNCATE)`))
        )
        return { sql, intact: identity.intact, prepare: tune }
      })
    : Effect.flatMap(
        Effect.promise(() => import("./PostgresClient.js")),
        ({ make }) =>
          Effect.mapBoth(make(url, reading ? "1 minute" : "10 seconds"), {
            onFailure: (error) => JournalErrors.unavailable(error.found, error),
            onSuccess: (sql) => ({ sql, intact: Effect.void, prepare: () => Effect.void })
          })
      )
