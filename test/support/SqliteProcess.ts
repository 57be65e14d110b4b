/**
 * Other programs that have a SQLite database open: real processes, since locks are per process.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as path from "node:path"
import * as ManagedProcess from "./ManagedProcess.js"
import { ServerError } from "./ServerError.js"

export type Row = Readonly<Record<string, unknown>>

export interface SqliteProcess {
  readonly pid: number
  readonly sql: (text: string) => Effect.Effect<ReadonlyArray<Row>, ServerError>
  /** Transactions over two tables, one after another; `stop` tells how many. Needs `ledgerSchema`. */
  readonly startWriting: Effect.Effect<void, ServerError>
  readonly stopWriting: Effect.Effect<number, ServerError>
  /** Opens the database, writes and closes it, again and again. */
  readonly startVisiting: Effect.Effect<void, ServerError>
  readonly stopVisiting: Effect.Effect<number, ServerError>
}

/** What `startWriting` and `startVisiting` write to; in every snapshot the total is the sum. */
export const ledgerSchema = `
  CREATE TABLE ledger (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, note TEXT);
  CREATE TABLE account (total INTEGER NOT NULL, moves INTEGER NOT NULL);
  CREATE TABLE visits (id INTEGER PRIMARY KEY);
  INSERT INTO account VALUES (0, 0);`

interface Answer {
  readonly rows?: ReadonlyArray<Row>
  readonly done?: number
  readonly error?: string
}

const program = path.resolve("test/support/sqliteProgram.cjs")

export const open = (file: string): Effect.Effect<SqliteProcess, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const process_ = yield* ManagedProcess.start({
      name: "sqlite",
      command: process.execPath,
      args: [program, file],
      cwd: path.dirname(file),
      keepStdinOpen: true
    })
    let heard = 1
    yield* process_.awaitOutput(/ready/, "stdout")
    const ask = (question: object): Effect.Effect<Answer, ServerError> =>
      Effect.suspend(() => {
        const before = heard
        heard += 1
        process_.child.stdin?.write(`${JSON.stringify(question)}\n`)
        const lines = new RegExp(`^(?:.*\n){${before}}(.*)\n`)
        return Effect.map(
          process_.awaitOutput(lines, "stdout"),
          (match) => JSON.parse(match[1] ?? "") as Answer
        )
      })
    const done = (question: object) => Effect.map(ask(question), ({ done: count }) => count ?? 0)
    return {
      pid: process_.pid,
      sql: (text) =>
        Effect.flatMap(ask({ sql: text }), ({ error, rows }) =>
          error === undefined
            ? Effect.succeed(rows ?? [])
            : Effect.fail(new ServerError({ server: "sqlite", operation: text, detail: error }))
        ),
      startWriting: Effect.asVoid(ask({ write: "on" })),
      stopWriting: done({ write: "off" }),
      startVisiting: Effect.asVoid(ask({ visit: "on" })),
      stopVisiting: done({ visit: "off" })
    }
  })
