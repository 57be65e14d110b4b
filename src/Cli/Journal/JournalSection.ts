/**
 * The `journal` section of the configuration file.
 */
import { Either, ParseResult, Schema } from "effect"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as ConfigField from "../../Plugin/ConfigField.js"
import * as ConfigIssues from "../../Plugin/ConfigIssues.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import { withNumbers } from "../Numbers.js"

export const JournalSection = Schema.Struct({
  url: Schema.optional(
    ConfigField.secret.annotations({
      description: `where the journal lies (HOLTER_JOURNAL_URL where it is left out, else data/holter.db): ${DatabaseUrl.supported}`
    })
  ),
  retain: Schema.optional(
    ConfigField.duration.annotations({
      description: 'how long results and decisions are kept, such as "30 days" (the default)'
    })
  )
})

export type JournalSection = typeof JournalSection.Type

/** The section, or everything that is wrong in it, by its path in the file. */
export const decode = (
  content: unknown,
  interpolated: ReadonlySet<string>,
  scrub: (text: string) => string
): Either.Either<JournalSection, ReadonlyArray<ConfigIssue>> =>
  withNumbers(["journal"], interpolated)(content ?? {}, (filled) =>
    ParseResult.decodeUnknownEither(JournalSection, { errors: "all", onExcessProperty: "error" })(
      filled
    ).pipe(
      Either.mapLeft((issue) =>
        ConfigIssues.fromParseIssue(issue, scrub).map((one) => ({
          ...one,
          path: ["journal", ...one.path]
        }))
      )
    )
  )
