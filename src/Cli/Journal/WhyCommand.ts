/**
 * `holter why`: which rule decided what about a service, and when.
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { Clock, DateTime, Duration, Effect, Option } from "effect"
import type { Decision } from "../../Alert/AlertPolicy.js"
import { rulesOf } from "../../Alert/AlertPolicy/Policy.js"
import { Journal, type JournaledIncident } from "../../Monitor/Journal.js"
import { jsonFlag } from "../Backup/BackupFlags.js"
import { UsageError } from "../ConfigurationError.js"
import { configFlag } from "../Flags.js"
import { exitCodes, Output } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import * as DeliveryWords from "./DeliveryWords.js"
import * as JournalPolicy from "./JournalPolicy.js"
import * as JournalRun from "./JournalRun.js"
import * as Suppressions from "./Suppressions.js"
import * as TimeText from "./TimeText.js"
import * as Watched from "./Watched.js"
import * as WhyPage from "./WhyPage.js"
import * as WhyStory from "./WhyStory.js"

export const command = Command.make(
  "why",
  {
    service: Args.text({ name: "service" }),
    at: CliOptions.text("at").pipe(
      CliOptions.withDescription(
        `The moment that is asked about (default: now): ${TimeText.forms}`
      ),
      CliOptions.optional
    ),
    json: jsonFlag,
    config: configFlag
  },
  (flags) => why(flags)
).pipe(
  Command.withDescription(
    "Say why channels were notified of a service, or were not: results, rules, times"
  )
)

interface Flags {
  readonly service: string
  readonly at: Option.Option<string>
  readonly json: boolean
  readonly config: Option.Option<string>
}

const why = (flags: Flags) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const zone = yield* ReaderZone.load(flags.config)
    const asked = yield* momentOf(flags.at, now, zone)
    yield* JournalRun.withJournal(flags, exitCodes.failed, ({ secrets, source }) =>
      Effect.gen(function* () {
        const { look } = yield* Output
        const { service } = flags
        yield* checkKnown(service)
        const { isUsable, policy } = yield* JournalPolicy.lenient(source)
        const at = Option.getOrElse(asked, () => now)
        const incident = yield* incidentAt(service, asked)
        const { interval } = rulesOf(policy, service)
        const span = spanOf(incident, at, now, interval)
        const found = yield* within(service, span)
        const alerts = yield* alertsOf(found.decisions)
        const { deliveries } = yield* Journal
        const story = WhyStory.make({
          ...{ service, at, now, policy, incident, alerts },
          isConfigured: !isUsable || policy.checks.has(service),
          ...found,
          quiet: Option.isSome(asked) ? [] : Suppressions.documents(yield* Watched.state),
          deliveries: DeliveryWords.hiding(yield* deliveries(alerts), secrets)
        })
        if (flags.json) yield* JournalRun.document(story)
        else yield* JournalRun.page(WhyPage.lines(story, look, zone))
      })
    )
  })

const momentOf = (
  text: Option.Option<string>,
  now: number,
  zone: DateTime.TimeZone
): Effect.Effect<Option.Option<number>, UsageError> =>
  Option.match(text, {
    onNone: () => Effect.succeedNone,
    onSome: (words) =>
      Option.match(TimeText.past(words, DateTime.unsafeMake(now), zone), {
        onNone: () =>
          new UsageError({
            flag: "--at",
            expected: `${TimeText.forms}, that has been`,
            found: JSON.stringify(words)
          }),
        onSome: (time) => Effect.succeedSome(time.epochMillis)
      })
  })

/** One that is not checked any more has left results or incidents. */
const checkKnown = (service: string) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    if ((yield* journal.results({ service, limit: 1 })).length > 0) return
    if ((yield* journal.incidents({ service, limit: 1 })).length > 0) return
    const known = yield* Watched.services
    if (!known.includes(service)) return yield* Watched.refuse("why", [service], known)
  })

/** The one that was open then; where nothing was asked, the last one. */
const incidentAt = (service: string, asked: Option.Option<number>) =>
  Effect.gen(function* () {
    const { incidents } = yield* Journal
    const found = yield* Option.match(asked, {
      onNone: () => incidents({ service, limit: 1 }),
      onSome: (at) => incidents({ service, since: at, until: at, limit: 1 })
    })
    return found.at(-1)
  })

interface Span {
  readonly since: number
  readonly until: number
}

/** An incident and what led to it; without one, what came before the moment that is asked about. */
const spanOf = (
  incident: JournaledIncident | undefined,
  at: number,
  now: number,
  interval: number
): Span => {
  const before = 10 * interval
  if (incident === undefined) return { since: at - before, until: at }
  // Its end is told a little later.
  const after = Duration.toMillis("1 minute")
  const end = incident.ended_at === null ? now : Math.min(now, incident.ended_at + after)
  // A clock that was set back meanwhile has its end before its beginning.
  return {
    since: Math.min(incident.since, end) - before,
    until: end < incident.since ? incident.opened_at + after : end
  }
}

const mostEntries = 5000

const within = (service: string, span: Span) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const results = yield* journal.results({ service, ...span, limit: mostEntries })
    const own = yield* journal.decisions({ service, ...span, limit: mostEntries })
    const all = yield* journal.decisions({ ...span, limit: mostEntries })
    const general = all.filter((decision) => decision.service === null)
    const decisions =
      all.length < mostEntries
        ? // In the order of arrival.
          all.filter((decision) => decision.service === null || decision.service === service)
        : [...general, ...own].sort((one, other) => one.at - other.at)
    return { results, decisions }
  })

/** With those that the decision on another service has, which was told together with this one. */
const alertsOf = (decisions: ReadonlyArray<Decision>) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const without = decisions.filter(({ alerts, channels }) => alerts.length < channels.length)
    const others = yield* Effect.forEach(new Set(without.map(({ at }) => at)), (at) =>
      journal.decisions({ since: at, until: at, limit: mostEntries })
    )
    return [...decisions, ...others.flat()].flatMap(({ alerts }) => alerts)
  })
