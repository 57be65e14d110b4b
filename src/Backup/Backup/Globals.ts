/**
 * What a server has outside of its databases and a restore on a new one needs: roles and tablespaces, without
 * a password. They lie beside the backup as statements.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import { BackupError } from "../BackupError.js"
import * as GlobalsFile from "../GlobalsFile.js"
import * as Manifest from "../Manifest.js"
import type { Chosen } from "./Choose.js"
import type { Desk } from "./Options.js"

/** Beside the dump that is being made. @internal */
export const save = (
  { strategy }: Desk,
  dump: string
): Effect.Effect<Manifest.Globals, BackupError> => {
  if (strategy.globals === undefined) {
    return new BackupError({
      reason: "WrongEngine",
      subject: "globals",
      expected: "a database whose server has roles and tablespaces (PostgreSQL)",
      found: `one of ${strategy.engine}`,
      advice: "Leave it out (--globals, backup.globals)"
    })
  }
  const file = Manifest.globalsOf(dump)
  return Effect.zipRight(strategy.globals(file), GlobalsFile.measure(file))
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
