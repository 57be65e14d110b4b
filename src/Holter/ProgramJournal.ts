/**
 * The journal that a program gives, with or without a database of its own, as `PatientJournal` opens it.
 *
 * @internal
 */
import { ConfigError, Effect, Layer } from "effect"
import type { Outbox } from "../Alert/Outbox.js"
import type { Journal } from "../Monitor/Journal.js"
import { JournalError, unavailable } from "../Monitor/Journal/JournalError.js"
import { reasonOf } from "../Monitor/Journal/open.js"
import * as PatientJournal from "../Monitor/PatientJournal.js"

/** Of what can fail, only a wrong configuration does not go away by waiting. */
export type Failure<E> = JournalError | Extract<E, ConfigError.ConfigError>

export const layer = <E, R>(
  journal: Layer.Layer<Journal | Outbox, E, R>
): Layer.Layer<Journal | Outbox, Failure<E>, R> =>
  PatientJournal.layer(
    Layer.scopedContext(
      Layer.build(journal).pipe(
        Effect.catchAll(unopened),
        // SQLite throws where its file cannot be opened.
        Effect.catchAllDefect(unopened)
      )
    )
  ).pipe(
    Layer.catchAll((error) => {
      const { cause } = error
      return Layer.fail(isConfigError<E>(cause) ? cause : error)
    })
  )

const unopened = (error: unknown): JournalError => {
  if (error instanceof JournalError) return error
  return ConfigError.isConfigError(error)
    ? new JournalError({
        reason: "Unsupported",
        expected: "a configuration of its database",
        found: reasonOf(error),
        advice: "Correct it",
        cause: error
      })
    : unavailable(reasonOf(error), error)
}

const isConfigError = <E>(error: unknown): error is Extract<E, ConfigError.ConfigError> =>
  ConfigError.isConfigError(error)
