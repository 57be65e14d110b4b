/**
 * What a server has outside of its databases and a restore on a new one needs: roles and tablespaces, without
 * a password. They lie beside the backup as statements.
 */
import { Effect } from "effect"
import { BackupError } from "../BackupError.js"
import * as GlobalsFile from "../GlobalsFile.js"
import * as LocalFiles from "../LocalFiles.js"
import * as Manifest from "../Manifest.js"
import type { Chosen } from "./Selection.js"
import type { Desk } from "./Options.js"

/** Before the work of a dump: fails where the database has none. @internal */
export const possible = ({ strategy }: Desk): Effect.Effect<void, BackupError> =>
  strategy.globals === undefined
    ? new BackupError({
        reason: "WrongEngine",
        subject: "globals",
        expected: "a database whose server has roles and tablespaces (PostgreSQL)",
        found: `one of ${strategy.engine}`,
        advice: "Leave it out (--globals, backup.globals)"
      })
    : Effect.void

/** @internal */
export interface Saved {
  readonly globals: Manifest.Globals | undefined
  /** Why they are not there, as a warning. */
  readonly lacks: ReadonlyArray<string>
}

/** @internal */
export const none: Saved = { globals: undefined, lacks: [] }

/** Beside the dump that is being made, which is a backup without them too. @internal */
export const save = ({ strategy }: Desk, dump: string): Effect.Effect<Saved> => {
  const file = Manifest.globalsOf(dump)
  return Effect.zipRight(strategy.globals?.(file) ?? Effect.void, GlobalsFile.measure(file)).pipe(
    Effect.map((globals): Saved => ({ globals, lacks: [] })),
    Effect.catchAll((error) =>
      Effect.as(Effect.ignore(LocalFiles.remove(file)), {
        globals: undefined,
        lacks: [`The roles and tablespaces were not saved: ${error.message}`]
      })
    )
  )
}

/** An error that names missing roles or tablespaces names the file that has all of them. @internal */
export const pointAt =
  ({ manifest, payload }: Chosen) =>
  (error: BackupError): BackupError =>
    manifest?.globals !== undefined && /CREATE (?:ROLE|TABLESPACE) /.test(error.advice ?? "")
      ? new BackupError({
          ...error,
          advice: `${error.advice}. The roles and tablespaces of the server that it was made on are statements in ${Manifest.globalsOf(payload.path)}: look through them, then psql -d postgres -f that file`
        })
      : error
