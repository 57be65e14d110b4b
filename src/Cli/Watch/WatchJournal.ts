/**
 * The journal of `holter watch`. One that cannot be reached must keep nobody from watching: what is to
 * be written waits in memory until it can be. One that is damaged or newer is left as it is, and
 * nothing starts; nor where another one is watching with it.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Effect, Layer } from "effect"
import type { Outbox } from "../../Alert/Outbox.js"
import type * as Journal from "../../Monitor/Journal.js"
import * as PatientJournal from "../../Monitor/PatientJournal.js"
import { ConfigurationError } from "../ConfigurationError.js"
import type { Configuration } from "../Configuration.js"
import * as JournalAccess from "../Journal/JournalAccess.js"
import * as JournalHolder from "./JournalHolder.js"

export const layer = ({
  journal,
  source
}: Configuration): Layer.Layer<Journal.Journal | Outbox, ConfigurationError, FileSystem | Path> =>
  Layer.unwrapEffect(
    Effect.map(JournalHolder.self, (holder) =>
      PatientJournal.layer(JournalAccess.layer(journal, { holder }))
    )
  ).pipe(Layer.catchAll((error) => Layer.fail(refused(error, source))))

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
