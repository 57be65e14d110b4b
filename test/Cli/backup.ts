/** SQLite databases and their backups, as tests of the command line make and look at them. */
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readdirSync, statSync, watch } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as TempDir from "../support/TempDir.js"

/** A bot with a database in WAL mode of so many users. */
export const make = (users = 1000) =>
  Effect.gen(function* () {
    const cwd = yield* TempDir.make("bot")
    const file = path.join(cwd, "dmarket_bot.db")
    const env = { DATABASE_URL: "sqlite:///dmarket_bot.db" }
    write(file, users)
    return {
      cwd,
      file,
      env,
      backups: path.join(cwd, "backups"),
      holter: (...args: ReadonlyArray<string>) =>
        Effect.scoped(Cli.run(["backup", ...args], { cwd, env }))
    }
  })

/** The database anew, with so many users, as the bot itself would leave it. */
export const write = (file: string, users: number): void => {
  const database = new Sqlite(file)
  database.pragma("journal_mode = WAL")
  database.exec(`
    CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT);
    DELETE FROM users;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${users})
    INSERT INTO users SELECT i, 'user ' || i FROM n;
  `)
  database.close()
}

export const count = (file: string): number => {
  const database = new Sqlite(file, { readonly: true })
  const users = database.prepare("SELECT count(*) FROM users").pluck().get() as number
  database.close()
  return users
}

/** The names in the directory, without manifests and marks; hidden ones too, so that nothing is overlooked. */
export const names = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory)
    .filter((name) => !name.endsWith(".manifest.json") && !name.startsWith(".holter-store"))
    .sort()

/** Waits until a run has written a part of a backup into the directory, which must be there. */
export const awaitPartial = (directory: string): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const watcher = watch(directory, (_, file) => {
      // The draft of a lock has such a name as well, and a few bytes.
      if (file?.startsWith(".partial-") !== true || sizeOf(path.join(directory, file)) < 65_536)
        return
      watcher.close()
      resume(Effect.void)
    })
    return Effect.sync(() => {
      watcher.close()
    })
  })

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

export const mode = (file: string): number => statSync(file).mode & 0o777

/** With the tools of the machine, as somebody without Holter would. */
export const shell = (command: string, cwd: string): string =>
  execFileSync("/bin/sh", ["-c", command], { cwd, encoding: "utf8", stdio: "pipe" })

/** The one document on standard output. */
export const documentOf = (result: Cli.CliResult): Readonly<Record<string, unknown>> => {
  if (result.stdout === "") throw new Error(`nothing on stdout (${result.code}): ${result.stderr}`)
  return JSON.parse(result.stdout) as Readonly<Record<string, unknown>>
}
