/**
 * The journal of `holter watch`. One that cannot be reached must keep nobody from watching: it is
 * then kept in memory. One that is damaged or newer is left as it is, and nothing starts.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Clock, Effect, Layer } from "effect"
import type { Outbox } from "../../Alert/Outbox.js"
import * as Journal from "../../Monitor/Journal.js"
import { ConfigurationError } from "../ConfigurationError.js"
import type { Configuration } from "../Configuration.js"
import * as JournalAccess from "../Journal/JournalAccess.js"
import { Line } from "./Lines.js"
import { Reporter } from "./Reporter.js"

export const layer = ({
  journal,
  source
}: Configuration): Layer.Layer<
  Journal.Journal | Outbox,
  ConfigurationError,
  FileSystem | Path | Reporter
> =>
  JournalAccess.layer(journal).pipe(
    Layer.catchAll((error) =>
      error.reason === "Unavailable"
        ? Layer.provideMerge(Journal.layerMemory, Layer.effectDiscard(inMemory(error)))
        : Layer.fail(refused(error, source))
    )
  )

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

const inMemory = ({ found }: Journal.JournalError): Effect.Effect<void, never, Reporter> =>
  Effect.gen(function* () {
    const { say, update } = yield* Reporter
    const at = yield* Clock.currentTimeMillis
    const message = `it could not be reached at the start (${found}), so it is in memory only until the next start`
    yield* say(Line.part({ at, part: "journal", name: "unreachable", message }))
    yield* update((board) => ({ ...board, journal: { ...board.journal, inMemory: message } }))
  })
