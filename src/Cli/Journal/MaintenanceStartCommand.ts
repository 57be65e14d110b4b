/**
 * `holter maintenance start`: a maintenance window that opens now.
 */
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Clock, DateTime, Effect } from "effect"
import * as QuietId from "../../Alert/QuietId.js"
import { Journal } from "../../Monitor/Journal.js"
import { configFlag } from "../Flags.js"
import { exitCodes, Output } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import * as EndFlags from "./EndFlags.js"
import * as JournalRun from "./JournalRun.js"
import * as RequestPage from "./RequestPage.js"
import * as Watched from "./Watched.js"
import * as WhomFlags from "./WhomFlags.js"

export const command = Command.make(
  "start",
  {
    ...WhomFlags.whomFlags("Every service, also those that are added later"),
    ...EndFlags.endFlags,
    why: CliOptions.text("why").pipe(
      CliOptions.withDescription("A reason, which holter status and holter why show"),
      CliOptions.withDefault("by hand")
    ),
    config: configFlag
  },
  (flags) => start(flags)
).pipe(
  Command.withDescription(
    "Begin a maintenance now, for an hour where neither --for nor --until is given; holter watch takes it within seconds, and it ends by itself"
  )
)

interface Flags extends EndFlags.EndFlags, JournalRun.Asked, WhomFlags.WhomFlags {
  readonly why: string
}

const start = (flags: Flags) =>
  Effect.gen(function* () {
    const at = yield* Clock.currentTimeMillis
    const now = DateTime.unsafeMake(at)
    const zone = yield* ReaderZone.load(flags.config)
    const asked = { now, zone, otherwise: "1 hour" } as const
    const until = yield* EndFlags.endOf("maintenance start", flags, asked)
    const services = yield* WhomFlags.whomOf("maintenance start", flags)
    yield* JournalRun.withJournal(flags, exitCodes.failed, () =>
      Effect.gen(function* () {
        const { look } = yield* Output
        const journal = yield* Journal
        yield* Watched.known("maintenance start", flags.services)
        const id = yield* QuietId.make
        const maintenance = { id, services, until, why: flags.why }
        yield* journal.request({ _tag: "MaintenanceStarted", at, ...maintenance })
        yield* JournalRun.page([
          ...RequestPage.maintained(maintenance, at, look, zone),
          ...RequestPage.taking(yield* Watched.seemsToRun, look)
        ])
      })
    )
  })
