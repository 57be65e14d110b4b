/**
 * What every command on backups does around its work: one document for `--json`, what failed in
 * words and as an exit code.
 */
import { Effect } from "effect"
import type { BackupError } from "../../Backup/BackupError.js"
import * as Excerpt from "../../Common/Excerpt.js"
import type { ConfigurationError } from "../ConfigurationError.js"
import { ExitCode, exitCodes, json, Output, page } from "../Output.js"
import * as BackupDocument from "./BackupDocument.js"
import type { BackupSettings } from "./BackupSettings.js"

interface Asked {
  readonly json: boolean
  /** The command that restores a backup at the same place. */
  readonly restoreOf?: ((name: string) => string) | undefined
}

type Hiding = Pick<BackupSettings, "secrets">

/** The work's failure as the operator and a program read it. */
export const reporting =
  (asked: Asked, settings: Hiding) =>
  <R>(
    work: Effect.Effect<void, BackupError | ConfigurationError, R>
  ): Effect.Effect<void, ConfigurationError, R | Output | ExitCode> =>
    Effect.catchTag(Excerpt.knowing(settings.secrets)(work), "BackupError", (error) =>
      Effect.gen(function* () {
        const { note } = yield* Output
        const { preRestore } = error
        const back = preRestore === undefined ? undefined : asked.restoreOf?.(preRestore)
        if (asked.json) {
          yield* document({ error: BackupDocument.ofError(error, back) }, settings)
        }
        yield* note(`holter: ${error.message}`)
        if (back !== undefined) yield* notes(["   to restore that one:", `   ${back}`])
        yield* failed
      })
    )

/**
 * One document on standard output. What tools have said may stand in its texts, so these are
 * scrubbed; names are not, since a file is found by its name only.
 */
export const document = (value: object, { secrets }: Hiding): Effect.Effect<void, never, Output> =>
  json(value, (key, part) => (texts.has(key) ? secrets.scrubAll(part) : part))

const texts = new Set(["error", "problem", "warnings"])

export { page }

/** Lines on standard error, which cron mails also where standard output goes into a file. */
export const notes = (lines: ReadonlyArray<string>): Effect.Effect<void, never, Output> =>
  Effect.flatMap(Output, ({ note }) => Effect.forEach(lines, note, { discard: true }))

export const failed: Effect.Effect<void, never, ExitCode> = Effect.flatMap(ExitCode, ({ set }) =>
  set(exitCodes.failed)
)
