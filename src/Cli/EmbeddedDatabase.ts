/**
 * The SQLite database of Holter's own, which is checked when nothing else is configured.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Redacted } from "effect"
import * as DatabaseUrl from "../Common/DatabaseUrl.js"
import { ConfigurationError } from "./ConfigurationError.js"
import * as PrivateFile from "./PrivateFile.js"
import { messageOf } from "../Common/Errors.js"

export type Requirements = FileSystem | Path

export const location = "data/holter.db"

/** Where it is or will be: who only looks at a configuration makes no file. */
export const url: Effect.Effect<string, never, Path> = Effect.map(Path, (path) =>
  Redacted.value(DatabaseUrl.format({ _tag: "Sqlite", path: path.resolve(location) }))
)

/** Makes the database where there is none yet. */
export const ensure: Effect.Effect<void, ConfigurationError, Requirements> = Effect.gen(
  function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const file = path.resolve(location)
    yield* Effect.mapError(fs.makeDirectory(path.dirname(file), { recursive: true }), (error) =>
      cannot(error.message)
    )
    const { default: Sqlite } = yield* Effect.promise(() => import("better-sqlite3"))
    yield* Effect.try({
      try: () => {
        PrivateFile.make(file)
        const database = new Sqlite(file)
        // A database without a table is an empty file, which proves nothing when it is checked.
        database.exec("CREATE TABLE IF NOT EXISTS holter (key TEXT PRIMARY KEY, value TEXT)")
        database.close()
      },
      catch: (error) => cannot(messageOf(error))
    })
  }
)

const cannot = (found: string) =>
  new ConfigurationError({
    source: "environment",
    issues: [
      {
        path: ["database"],
        expected: `DATABASE_URL to be set, or ${location} to be a place where Holter can keep its own database`,
        found
      }
    ]
  })
