/**
 * `holter silence`: for a while, nobody is told of some services.
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

export const command = Command.make("silence", SuppressionFlags.suppressionFlags, (flags) =>
  silence(flags)
).pipe(
  Command.withDescription(
    "Send no messages about these services for a while; checks go on, and holter watch takes it within seconds"
  )
)

const silence = (flags: SuppressionFlags.SuppressionFlags) =>
  Effect.gen(function* () {
    const at = yield* Clock.currentTimeMillis
    const zone = yield* ReaderZone.load(flags.config)
    const until = yield* EndFlags.endOf("silence", flags, { now: DateTime.unsafeMake(at), zone })
    const services = yield* WhomFlags.whomOf("silence", flags)
    yield* JournalRun.withJournal(flags, exitCodes.failed, () =>
      Effect.gen(function* () {
        const { look } = yield* Output
        const journal = yield* Journal
        yield* Watched.known("silence", flags.services)
        const id = yield* SuppressionId.make
        yield* journal.request({ _tag: "Silenced", at, id, services, until, why: flags.why })
        yield* JournalRun.page([
          ...RequestPage.silenced({ id, services, until }, at, look, zone),
          ...RequestPage.taking(yield* Watched.seemsToRun, look)
        ])
      })
    )
  })
