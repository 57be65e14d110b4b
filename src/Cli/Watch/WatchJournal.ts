/**
 * The journal of `holter watch`, which no other one may be watching with.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import type { Layer } from "effect"
import type { Outbox } from "../../Alert/Outbox.js"
import type * as Journal from "../../Monitor/Journal.js"
import { ConfigurationError } from "../ConfigurationError.js"
import type { Configuration } from "../Configuration.js"
import * as JournalAccess from "../Journal/JournalAccess.js"

export const layer = ({
  journal
}: Configuration): Layer.Layer<Journal.Journal | Outbox, Journal.JournalError, FileSystem | Path> =>
  JournalAccess.layer(journal, { holder: "holter watch" })

/** As the rest of the configuration: with what was expected, found, and what to do. */
export const refused = (error: Journal.JournalError, source: string): ConfigurationError =>
  new ConfigurationError({
    source,
    issues: [
      {
        path: ["journal"],
        expected: error.expected,
        found: `${error.found} (${error.place ?? "the journal"}). ${error.advice}`
      }
    ]
  })
