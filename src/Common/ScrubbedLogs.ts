/** Log lines without secrets. */
import { HashMap, HashSet, identity, List, Logger } from "effect"
import { cleanCause, cleanValue } from "./ScrubbedValue.js"
import type { Secrets } from "./Secrets.js"

/** A logger that sees messages, annotations and causes only after they were scrubbed. */
const scrubbed =
  (secrets: Secrets) =>
  <Output>(logger: Logger.Logger<unknown, Output>): Logger.Logger<unknown, Output> =>
    Logger.make((options) =>
      logger.log({
        ...options,
        message: cleanValue(options.message, secrets),
        cause: cleanCause(options.cause, secrets),
        annotations: HashMap.fromIterable(
          Array.from(options.annotations, ([key, value]) => [
            secrets.scrub(key),
            cleanValue(value, secrets)
          ])
        ),
        spans: List.map(options.spans, (span) => ({ ...span, label: secrets.scrub(span.label) }))
      })
    )

/** Loggers that see nothing of the secrets, in the place of others. */
export const scrubbedLoggers = (secrets: Secrets): ((loggers: Loggers) => Loggers) => {
  if (secrets.values.size === 0) return identity
  // Loggers hardly ever change between two runs, and wrapping them anew costs more than a probe.
  let known: Loggers | undefined
  let wrapped: Loggers = HashSet.empty()
  return (loggers) => {
    if (loggers !== known && loggers !== wrapped) {
      known = loggers
      wrapped = HashSet.map(loggers, scrubbed(secrets))
    }
    return wrapped
  }
}

type Loggers = HashSet.HashSet<Logger.Logger<unknown, unknown>>
