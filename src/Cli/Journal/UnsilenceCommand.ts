/**
 * `holter unsilence`: ends a silence before its time.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Clock, Effect, Option } from "effect"
import { Journal } from "../../Monitor/Journal.js"
import { UsageError } from "../ConfigurationError.js"
import { configFlag } from "../Flags.js"
import { exitCodes, Output } from "../Output.js"
import * as JournalRun from "./JournalRun.js"
import * as RequestPage from "./RequestPage.js"
import * as Watched from "./Watched.js"

export const command = Command.make(
  "unsilence",
  {
    id: Args.optional(Args.text({ name: "id" })),
    all: CliOptions.boolean("all").pipe(CliOptions.withDescription("Every silence that there is")),
    config: configFlag
  },
  (flags) => unsilence(flags)
).pipe(Command.withDescription("End a silence before its time; holter status lists them"))

interface Flags {
  readonly id: Option.Option<string>
  readonly all: boolean
  readonly config: Option.Option<string>
}

const unsilence = (flags: Flags) =>
  Effect.gen(function* () {
    if (flags.all === Option.isSome(flags.id)) {
      const found = flags.all ? "both" : "neither"
      return yield* new UsageError({
        flag: "unsilence",
        expected: "the id of a silence, or --all",
        found
      })
    }
    yield* JournalRun.withJournal(flags, exitCodes.failed, () =>
      Effect.gen(function* () {
        const { look, note } = yield* Output
        const journal = yield* Journal
        const at = yield* Clock.currentTimeMillis
        const known = yield* silences
        const ids = Option.match(flags.id, { onNone: () => known, onSome: (id) => [id] })
        if (!ids.every((id) => known.includes(id))) {
          return yield* new UsageError({
            flag: "unsilence",
            expected:
              known.length === 0
                ? "the id of a silence, and there is none"
                : `the id of a silence (known: ${known.join(", ")})`,
            found: ids.map((id) => JSON.stringify(id)).join(", ")
          })
        }
        if (ids.length === 0) return yield* note("holter: there is no silence to end")
        yield* Effect.forEach(ids, (id) => journal.request({ _tag: "Unsilenced", at, id }))
        yield* JournalRun.page([
          ...RequestPage.unsilenced(ids, look),
          ...RequestPage.taking(yield* Watched.seemsToRun, look)
        ])
      })
    )
  })

/** Those in force, and those that wait to be. */
const silences = Effect.gen(function* () {
  const { quiets } = yield* Watched.state
  const { known } = yield* Effect.flatMap(Journal, (journal) => journal.requests)
  const requests = known.map(({ event }) => event)
  const ended = new Set(requests.flatMap((one) => (one._tag === "Unsilenced" ? [one.id] : [])))
  return [
    ...quiets.flatMap(({ id, kind }) => (kind === "Silence" ? [id] : [])),
    ...requests.flatMap((one) => (one._tag === "Silenced" ? [one.id] : []))
  ].filter((id) => !ended.has(id))
})
