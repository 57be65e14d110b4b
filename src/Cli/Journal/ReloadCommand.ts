/**
 * `holter reload`: has the program that watches read its configuration again, and says what became of
 * that.
 */
import * as Command from "@effect/cli/Command"
import { Clock, type Duration, Effect, Option, Stream } from "effect"
import type { Event } from "../../Alert/AlertPolicy.js"
import * as SuppressionId from "../../Alert/SuppressionId.js"
import { Journal } from "../../Monitor/Journal.js"
import * as BackupPage from "../Backup/BackupPage.js"
import { configFlag } from "../Flags.js"
import { exitCodes, Output } from "../Output.js"
import * as JournalRun from "./JournalRun.js"
import * as Watched from "./Watched.js"

export const command = Command.make("reload", { config: configFlag }, (flags) =>
  reload(flags)
).pipe(
  Command.withDescription(
    "Have the holter watch that keeps the journal read its configuration again: what did not change goes on with its state. Exit code: 0 done, 78 the configuration cannot be used and all goes on as before, 1 no answer"
  )
)

const reload = (flags: JournalRun.Asked) =>
  JournalRun.withJournal(flags, exitCodes.failed, ({ secrets }) =>
    Effect.gen(function* () {
      const { line, look, note } = yield* Output
      const id = yield* SuppressionId.make
      const at = yield* Clock.currentTimeMillis
      const { request } = yield* Journal
      yield* request({ _tag: "ReloadAsked", at, id })
      const runs = yield* Watched.seemsToRun
      const answer = yield* answerTo(id, at, runs ? patience : doubt)
      if (Option.isNone(answer)) {
        yield* note(runs ? noAnswer : nobody)
        return yield* JournalRun.failed
      }
      if (answer.value._tag === "Reconfigured") {
        const { by, why } = answer.value
        return yield* line(secrets.scrub(`${BackupPage.good(look)} ${by}: ${why}`))
      }
      const { by, problems } = answer.value
      yield* note(`holter: ${by} goes on as before:`)
      yield* Effect.forEach(problems, (problem) => note(secrets.scrub(problem)), { discard: true })
      yield* JournalRun.exit(exitCodes.configuration)
    })
  )

/** It looks every five seconds, and may have a database to wait for. */
const patience = "30 seconds"

/** Where there are no young results: it may have begun a moment ago. */
const doubt = "10 seconds"

const noAnswer = `holter: holter watch did not answer within ${patience}. It takes this when it can, and its log says what became of it; where it has no terminal, SIGHUP does the same`

const nobody =
  "holter: no holter watch seems to run on this journal: start it, and it reads the configuration then. One whose journal was another at its start is to be restarted"

type Answer = Extract<Event.Event, { readonly _tag: "Reconfigured" | "ReconfigurationRefused" }>

const isAnswer = (event: Event.Event): event is Answer =>
  event._tag === "Reconfigured" || event._tag === "ReconfigurationRefused"

/** Clocks of two machines differ. */
const leeway = 60_000

const answerTo = (id: string, since: number, within: Duration.DurationInput) =>
  Effect.gen(function* () {
    const { history } = yield* Journal
    const look = history(since - leeway).pipe(
      Stream.filter(isAnswer),
      Stream.filter(({ asked }) => asked === id),
      Stream.runHead
    )
    return yield* Effect.delay(look, "200 millis").pipe(
      Effect.repeat({ until: Option.isSome }),
      Effect.timeoutOption(within),
      Effect.map(Option.flatten)
    )
  })
