/**
 * `holter status`: what the journal of a watching program says about now.
 */
import * as Command from "@effect/cli/Command"
import { Clock, Effect, type Option } from "effect"
import { Outbox } from "../../Alert/Outbox.js"
import { Journal, type JournaledResult } from "../../Monitor/Journal.js"
import { jsonFlag } from "../Backup/BackupFlags.js"
import { configFlag } from "../Flags.js"
import { exitCodes, Output } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import * as DeliveryWords from "./DeliveryWords.js"
import * as JournalAccess from "./JournalAccess.js"
import * as JournalPolicy from "./JournalPolicy.js"
import * as JournalRun from "./JournalRun.js"
import * as StatusPage from "./StatusPage.js"
import * as StatusReport from "./StatusReport.js"
import * as Watched from "./Watched.js"

export const command = Command.make("status", { json: jsonFlag, config: configFlag }, (flags) =>
  status(flags)
).pipe(
  Command.withDescription(
    "Show what holter watch found last, without checking anything. Exit codes as of check"
  )
)

interface Flags {
  readonly json: boolean
  readonly config: Option.Option<string>
}

const status = (flags: Flags) =>
  JournalRun.withJournal(flags, exitCodes.unknown, (settings) =>
    Effect.gen(function* () {
      const { look } = yield* Output
      const journal = yield* Journal
      const owed = yield* Effect.flatMap(Outbox, ({ pending }) => pending)
      const { known, unreadable } = yield* journal.requests
      const report = StatusReport.make({
        now: yield* Clock.currentTimeMillis,
        place: JournalAccess.placeOf(settings.url),
        policy: (yield* JournalPolicy.lenient(settings.source)).policy,
        state: yield* Watched.state,
        results: yield* newest,
        owed,
        deliveries: DeliveryWords.hiding(yield* journal.deliveries(owed), settings.secrets),
        requests: known.length + unreadable.length
      })
      if (flags.json) yield* JournalRun.document(report)
      else {
        const zone = yield* ReaderZone.of(settings.source.content)
        yield* JournalRun.page(StatusPage.lines(report, look, zone))
      }
      yield* JournalRun.exit(exitCodes[report.overall_status])
    })
  )

/** How far back is looked for when a status began. */
const mostResults = 500

const newest = Effect.gen(function* () {
  const { results } = yield* Journal
  const each = yield* Effect.forEach(yield* Watched.services, (service) =>
    Effect.map(results({ service, limit: mostResults }), (some) => [service, some] as const)
  )
  return new Map<string, ReadonlyArray<JournaledResult>>(each)
})
