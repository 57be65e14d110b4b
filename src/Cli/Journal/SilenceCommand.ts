/**
 * `holter silence`: for a while, nobody is told of some services.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Clock, DateTime, Effect, Option, Random } from "effect"
import { Journal } from "../../Monitor/Journal.js"
import { UsageError } from "../ConfigurationError.js"
import { configFlag } from "../Flags.js"
import { exitCodes, Output } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import * as JournalRun from "./JournalRun.js"
import * as RequestPage from "./RequestPage.js"
import * as TimeText from "./TimeText.js"
import * as Watched from "./Watched.js"

export const command = Command.make(
  "silence",
  {
    services: Args.repeated(Args.text({ name: "service" })),
    all: CliOptions.boolean("all").pipe(
      CliOptions.withDescription("Every service, also those that are added later")
    ),
    for: CliOptions.text("for").pipe(
      CliOptions.withDescription(`How long: ${TimeText.spanForms}`),
      CliOptions.optional
    ),
    until: CliOptions.text("until").pipe(
      CliOptions.withDescription(`Until when: ${TimeText.futureForms}`),
      CliOptions.optional
    ),
    why: CliOptions.text("why").pipe(
      CliOptions.withDescription("A reason, which holter status and holter why show"),
      CliOptions.withDefault("by hand")
    ),
    config: configFlag
  },
  (flags) => silence(flags)
).pipe(
  Command.withDescription(
    "Tell nobody of these services for a while; checks go on, and holter watch takes it within seconds"
  )
)

interface Flags {
  readonly services: ReadonlyArray<string>
  readonly all: boolean
  readonly for: Option.Option<string>
  readonly until: Option.Option<string>
  readonly why: string
  readonly config: Option.Option<string>
}

const silence = (flags: Flags) =>
  Effect.gen(function* () {
    const at = yield* Clock.currentTimeMillis
    const zone = yield* ReaderZone.load(flags.config)
    const until = yield* endOf(flags, DateTime.unsafeMake(at), zone)
    if (flags.all === flags.services.length > 0) {
      const found = flags.all ? "both" : "neither"
      return yield* usage("silence", "names of services, or --all", found)
    }
    yield* JournalRun.withJournal(flags, exitCodes.failed, () =>
      Effect.gen(function* () {
        const { look } = yield* Output
        const journal = yield* Journal
        const known = yield* Watched.services
        const unknown = flags.services.filter((name) => !known.includes(name))
        if (unknown.length > 0) return yield* Watched.refuse("silence", unknown, known)
        const id = (yield* Random.nextIntBetween(0x1000_0000, 0x1_0000_0000)).toString(16)
        const services = flags.all ? null : [...new Set(flags.services)]
        yield* journal.request({ _tag: "Silenced", at, id, services, until, why: flags.why })
        yield* JournalRun.page([
          ...RequestPage.silenced({ id, services, until }, at, look, zone),
          ...RequestPage.taking(yield* Watched.seemsToRun, look)
        ])
      })
    )
  })

const usage = (flag: string, expected: string, found: string) =>
  new UsageError({ flag, expected, found })

const endOf = (
  flags: Flags,
  now: DateTime.Utc,
  zone: DateTime.TimeZone
): Effect.Effect<number, UsageError> => {
  const given = Option.isSome(flags.for) ? flags.for : flags.until
  if (Option.isSome(flags.for) === Option.isSome(flags.until) || Option.isNone(given)) {
    return usage("silence", "--for SPAN or --until TIME", Option.isSome(given) ? "both" : "neither")
  }
  const end = Option.isSome(flags.for)
    ? Option.map(TimeText.span(given.value), (span) => DateTime.addDuration(now, span))
    : TimeText.future(given.value, now, zone)
  return Option.match(end, {
    onNone: () =>
      Option.isSome(flags.for)
        ? usage("--for", TimeText.spanForms, JSON.stringify(given.value))
        : usage("--until", TimeText.futureForms, JSON.stringify(given.value)),
    onSome: (time) => Effect.succeed(time.epochMillis)
  })
}
