/**
 * What every command on the journal does around its work: the journal opened for reading, what
 * failed in words and as an exit code, one document for `--json`.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Effect, type Option } from "effect"
import type { Outbox } from "../../Alert/Outbox.js"
import type { Journal, JournalError } from "../../Monitor/Journal.js"
import type { ConfigurationError, UsageError } from "../ConfigurationError.js"
import { ExitCode, exitCodes, json, Output, page } from "../Output.js"
import * as JournalAccess from "./JournalAccess.js"
import * as JournalSettings from "./JournalSettings.js"

export interface Asked {
  readonly config: Option.Option<string>
  readonly json?: boolean
}

/** Runs the work on the journal that the configuration names; a failure of it ends with the code. */
export const withJournal = <E extends ConfigurationError | UsageError, R>(
  asked: Asked,
  code: number,
  work: (settings: JournalSettings.Loaded) => Effect.Effect<void, E | JournalError, R>
): Effect.Effect<
  void,
  E | ConfigurationError | UsageError,
  Exclude<R, Journal | Outbox> | FileSystem | Path | Output | ExitCode
> =>
  Effect.gen(function* () {
    const settings = yield* JournalSettings.load(asked.config)
    const journal = JournalAccess.layer(settings, { reading: true })
    yield* Effect.provide(work(settings), journal).pipe(
      Effect.catchIf(isJournalError, (error) =>
        Effect.gen(function* () {
          const { note } = yield* Output
          const { advice, expected, found, reason } = error
          const text = settings.secrets.scrub(error.message)
          const shown = { reason, message: text, expected, found, advice }
          if (asked.json === true) yield* document({ error: settings.secrets.scrubAll(shown) })
          yield* note(`holter: ${text}`)
          yield* exit(code)
        })
      )
    )
  })

const isJournalError = (error: { readonly _tag: string }): error is JournalError =>
  error._tag === "JournalError"

export const document = (value: object): Effect.Effect<void, never, Output> => json(value)

export { page }

export const exit = (code: number): Effect.Effect<void, never, ExitCode> =>
  Effect.flatMap(ExitCode, ({ set }) => set(code))

export const failed: Effect.Effect<void, never, ExitCode> = exit(exitCodes.failed)
