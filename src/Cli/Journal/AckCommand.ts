/**
 * `holter ack`: somebody has seen an incident, and needs no reminders.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Clock, Config, Effect, Option } from "effect"
import { Journal } from "../../Monitor/Journal.js"
import { configFlag } from "../Flags.js"
import { exitCodes, Output } from "../Output.js"
import * as JournalRun from "./JournalRun.js"
import * as RequestPage from "./RequestPage.js"
import * as Watched from "./Watched.js"

export const command = Command.make(
  "ack",
  {
    service: Args.text({ name: "service" }),
    by: CliOptions.text("by").pipe(
      CliOptions.withDescription("The person who has seen it (default: this user)"),
      CliOptions.optional
    ),
    config: configFlag
  },
  (flags) => acknowledge(flags)
).pipe(
  Command.withDescription(
    "Acknowledge the incident of a service: no more reminders, unless it becomes worse"
  )
)

interface Flags {
  readonly service: string
  readonly by: Option.Option<string>
  readonly config: Option.Option<string>
}

const acknowledge = (flags: Flags) =>
  JournalRun.withJournal(flags, exitCodes.failed, () =>
    Effect.gen(function* () {
      const { look, note } = yield* Output
      const journal = yield* Journal
      const { service } = flags
      yield* Watched.known("ack", [service])
      const { incidents } = yield* Watched.state
      if (incidents[service] === undefined) {
        yield* note(`holter: no incident of ${service} is open, so there is nothing to acknowledge`)
        return yield* JournalRun.failed
      }
      const by = yield* Option.match(flags.by, { onNone: () => user, onSome: Effect.succeed })
      const at = yield* Clock.currentTimeMillis
      yield* journal.request({ _tag: "Acknowledged", at, service, by })
      yield* JournalRun.page([
        ...RequestPage.acknowledged(service, by, look),
        ...RequestPage.taking(yield* Watched.seemsToRun, look)
      ])
    })
  )

const user = Config.nonEmptyString("USER").pipe(
  Effect.orElse(() => Config.nonEmptyString("LOGNAME")),
  Effect.orElseSucceed(() => "a user at the command line")
)
