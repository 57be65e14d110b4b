import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as PrivateFile from "../../src/Cli/PrivateFile.js"
import * as TempDir from "../support/TempDir.js"

const modeOf = (file: string) => fs.statSync(file).mode & 0o777

describe("a file of Holter's own", () => {
  it.scopedLive(
    "is for its user alone, with what SQLite lays beside it; one that is there stays",
    () =>
      Effect.gen(function* () {
        const directory = yield* TempDir.make("private")
        const file = path.join(directory, "holter.db")
        PrivateFile.make(file)
        const database = new Sqlite(file)
        database.pragma("journal_mode = wal")
        database.exec("CREATE TABLE t (a)")
        for (const end of ["", "-wal", "-shm"]) assert.strictEqual(modeOf(`${file}${end}`), 0o600)
        database.close()
        fs.chmodSync(file, 0o640)
        PrivateFile.make(file)
        assert.strictEqual(modeOf(file), 0o640)
      })
  )
})
