/**
 * The `journal` section of the configuration file.
 */
import { Schema } from "effect"
import * as ConfigField from "../../Plugin/ConfigField.js"
import type * as Decoder from "../../Plugin/Decoder.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Section from "../Section.js"

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
  reading: Section.Reading
): Decoder.Checked<JournalSection> =>
  Section.decodeAt(JournalSection, ["journal"], reading)(content ?? {})
