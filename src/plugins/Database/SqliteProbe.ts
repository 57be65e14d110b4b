/**
 * What a query and a look at its files tell of a SQLite database. The files are looked at with
 * `stat` and `access` only: whoever has the database open must not open them another way.
 *
 * @internal
 */
import { Effect, Predicate } from "effect"
import { access, constants, stat } from "node:fs/promises"
import * as path from "node:path"
import type * as Outcome from "../../Check/Outcome.js"
import type { Session } from "./DatabaseClient.js"
import { DatabaseError } from "./DatabaseError.js"
import * as SqliteQuickCheck from "./SqliteQuickCheck.js"

/** The schema is read, so that a file that is no database cannot pass. */
const sql = `SELECT sqlite_version() AS version,
  (SELECT count(*) FROM sqlite_master) AS objects,
  (SELECT page_count FROM pragma_page_count) AS pages,
  (SELECT file FROM pragma_database_list WHERE name = 'main') AS file`

export interface Answer {
  readonly version: string
  /** Empty for a database in memory. */
  readonly file: string
  /** What it reported that is no damage; undefined where it was not asked for. */
  readonly quickCheck: ReadonlyArray<string> | undefined
}

export const ask = (
  session: Session,
  address: string,
  quickCheck: boolean
): Effect.Effect<Answer, DatabaseError> =>
  Effect.gen(function* () {
    const [row] = yield* session.query(sql)
    // To SQLite an empty file is a new database; to whoever had one there, it is lost.
    if (row?.["pages"] === 0 && row["file"] !== "") {
      return yield* new DatabaseError({ reason: "NotADatabase", address, found: "an empty file" })
    }
    const notes = quickCheck ? yield* SqliteQuickCheck.quickCheck(session, address) : undefined
    return {
      version: String(row?.["version"]),
      file: Predicate.isString(row?.["file"]) ? row["file"] : "",
      quickCheck: notes
    }
  })

export const details = (answer: Answer): Effect.Effect<Outcome.Details> =>
  Effect.map(
    answer.file === ""
      ? Effect.succeed({})
      : Effect.all({
          size_bytes: sizeOf(answer.file),
          wal_bytes: sizeOf(`${answer.file}-wal`)
        }),
    (sizes) => ({
      version: answer.version,
      ...sizes,
      ...(answer.quickCheck === undefined ? {} : { quick_check: verdict(answer.quickCheck) })
    })
  )

/** No damage, in any case. */
const verdict = (notes: ReadonlyArray<string>): string =>
  notes.length === 0 ? "ok" : `no damage; ${notes.join("; ")}`

/** A writer needs the file and, for its journal or WAL, the folder. */
export const isWritable = (file: string): Effect.Effect<boolean> =>
  file === ""
    ? Effect.succeed(true)
    : Effect.tryPromise(async () => {
        await access(file, constants.W_OK)
        await access(path.dirname(file), constants.W_OK)
      }).pipe(
        Effect.as(true),
        Effect.orElseSucceed(() => false)
      )

const sizeOf = (file: string): Effect.Effect<number> =>
  Effect.tryPromise(() => stat(file)).pipe(
    Effect.map(({ size }) => size),
    Effect.orElseSucceed(() => 0)
  )
