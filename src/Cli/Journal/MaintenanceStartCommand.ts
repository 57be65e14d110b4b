/**
 * `holter maintenance start`: a maintenance window that opens now.
 */
import * as Command from "@effect/cli/Command"
import { Clock, DateTime, Effect } from "effect"
import * as SuppressionId from "../../Alert/SuppressionId.js"
import { Journal } from "../../Monitor/Journal.js"
import { exitCodes, Output } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import * as EndFlags from "./EndFlags.js"
import * as JournalRun from "./JournalRun.js"
import * as SuppressionFlags from "./SuppressionFlags.js"
import * as RequestPage from "./RequestPage.js"
import * as Watched from "./Watched.js"
import * as WhomFlags from "./WhomFlags.js"

export const command = Command.make("start", SuppressionFlags.suppressionFlags, (flags) =>
  start(flags)
).pipe(
  Command.withDescription(
    "Begin a maintenance now, for an hour where neither --for nor --until is given; holter watch takes it within seconds, and it ends by itself"
  )
)

const start = (flags: SuppressionFlags.SuppressionFlags) =>
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
        const id = yield* SuppressionId.make
        const maintenance = { id, services, until, why: flags.why }
        yield* journal.request({ _tag: "MaintenanceStarted", at, ...maintenance })
        yield* JournalRun.page([
          ...RequestPage.maintained(maintenance, at, look, zone),
          ...RequestPage.taking(yield* Watched.seemsToRun, look)
        ])
      })
    )
  })
