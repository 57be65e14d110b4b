/**
 * `holter simulate`: which alerts another configuration would have sent.
 */
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Chunk, Clock, DateTime, Duration, Effect, Option, Stream } from "effect"
import { Journal } from "../../Monitor/Journal.js"
import { jsonFlag } from "../Backup/BackupFlags.js"
import { UsageError } from "../ConfigurationError.js"
import { Dialog } from "../Dialog.js"
import { configFlag } from "../Flags.js"
import { exitCodes } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import * as JournalPolicy from "./JournalPolicy.js"
import * as JournalRun from "./JournalRun.js"
import * as Replay from "./Replay.js"
import * as SimulatePage from "./SimulatePage.js"
import * as TimeText from "./TimeText.js"

export const command = Command.make(
  "simulate",
  {
    config: configFlag,
    since: CliOptions.text("since").pipe(
      CliOptions.withDescription(
        `From when on (default: everything that the journal has): ${TimeText.forms}`
      ),
      CliOptions.optional
    ),
    json: jsonFlag
  },
  (flags) => simulate(flags)
).pipe(
  Command.withDescription(
    "Replay what the journal has with the alerts of a configuration, and compare what would be sent with what was"
  )
)

interface Flags {
  readonly config: Option.Option<string>
  readonly since: Option.Option<string>
  readonly json: boolean
}

const simulate = (flags: Flags) =>
  Effect.gen(function* () {
    const zone = yield* ReaderZone.load(flags.config)
    const since = yield* sinceOf(flags.since, zone)
    yield* JournalRun.withJournal(flags, exitCodes.failed, ({ source }) =>
      Effect.gen(function* () {
        const { maintenance, policy } = yield* JournalPolicy.load(source)
        const replay = Replay.make(policy, maintenance)
        yield* replayed(replay, since, zone)
        const span = replay.span()
        const sent = span === undefined ? [] : yield* recorded(span.from)
        const was = Replay.known(policy, sent)
        const report = {
          results: replay.results(),
          span,
          rows: Replay.compare(was, replay.sent()),
          leftOut: { ...replay.leftOut(), alerts: sent.length - was.length }
        }
        if (flags.json) yield* JournalRun.document(Replay.toDocument(report))
        else yield* JournalRun.page(SimulatePage.lines(report, zone))
      })
    )
  })

const sinceOf = (
  text: Option.Option<string>,
  zone: DateTime.TimeZone
): Effect.Effect<number, UsageError> =>
  Option.match(text, {
    onNone: () => Effect.succeed(0),
    onSome: (words) =>
      Effect.flatMap(DateTime.now, (now) =>
        Option.match(TimeText.past(words, now, zone), {
          onNone: () =>
            new UsageError({
              flag: "--since",
              expected: `${TimeText.forms}, that has been`,
              found: JSON.stringify(words)
            }),
          onSome: (time) => Effect.succeed(time.epochMillis)
        })
      )
  })

/** With a line on a terminal that says how far it is. */
const replayed = (replay: Replay.Replay, since: number, zone: DateTime.TimeZone) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const { columns, rewrite } = yield* Dialog
    const width = yield* columns
    const draw = Effect.gen(function* () {
      const span = replay.span()
      if (width === undefined || span === undefined) return
      const now = yield* Clock.currentTimeMillis
      const line = SimulatePage.progress(replay.results(), span.to, span.from, now, zone)
      yield* rewrite(line.slice(0, width - 1))
    })
    yield* journal.history(since).pipe(
      Stream.runForEachChunk((events) =>
        Effect.zipRight(
          Effect.sync(() => {
            for (const event of events) replay.take(event)
          }),
          draw
        )
      ),
      Effect.ensuring(width === undefined ? Effect.void : rewrite(""))
    )
  })

/** A day at a time: all decisions of a month at once are a lot of memory. */
const recorded = (since: number) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const now = yield* Clock.currentTimeMillis
    const day = Duration.toMillis("1 day")
    const days = Stream.iterate(since, (from) => from + day).pipe(
      Stream.takeWhile((from) => from <= now),
      Stream.mapEffect((from) =>
        journal.decisions({ since: from, until: from + day - 1, limit: mostDecisions })
      )
    )
    const sent = yield* Stream.runCollect(
      Stream.map(days, (decisions) => decisions.flatMap(Replay.sentOf))
    )
    return Chunk.toReadonlyArray(sent).flat()
  })

const mostDecisions = 1_000_000
