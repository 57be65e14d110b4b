/**
 * Turns what happens into lines and rows: results, decisions, and how channels and the journal do.
 */
import { Clock, DateTime, Effect, Mailbox, type Scope, Stream } from "effect"
import type { Decision } from "../../Alert/AlertPolicy.js"
import { Notifier } from "../../Alert/Notifier.js"
import { Alerting } from "../../Monitor/Alerting.js"
import type { HealthEvent } from "../../Monitor/HealthEvent.js"
import { HealthMonitor } from "../../Monitor/HealthMonitor.js"
import { Journal } from "../../Monitor/Journal.js"
import * as Suppressions from "../Journal/Suppressions.js"
import * as WatchState from "./WatchState.js"
import * as Chatter from "./Chatter.js"
import { Line } from "./Lines.js"
import { Reporter } from "./Reporter.js"
import * as Problems from "./Problems.js"

/** Decisions from the start on, kept until they are shown. */
export const hear: Effect.Effect<Decisions, never, Alerting | Scope.Scope> = Effect.flatMap(
  Alerting,
  ({ decisions }) => Mailbox.fromStream(decisions)
)

type Decisions = Mailbox.ReadonlyMailbox<Decision>

/** For as long as the scope is open; nothing that happens from when this comes back is missed. */
export const run = (
  verbose: boolean,
  decisions: Decisions
): Effect.Effect<
  void,
  never,
  Reporter | HealthMonitor | Alerting | Notifier | Journal | Scope.Scope
> =>
  Effect.gen(function* () {
    const { say } = yield* Reporter
    const { incidents } = yield* Effect.flatMap(Alerting, ({ state }) => state)
    const isWorthALine = Chatter.make(verbose, Object.keys(incidents))
    const events = yield* Effect.flatMap(HealthMonitor, ({ subscribe }) => subscribe)
    const seen = new Set<string>()
    yield* Effect.forkScoped(
      Stream.runForEach(Mailbox.toStream(events), (event) => onEvent(event, seen))
    )
    yield* Effect.forkScoped(
      Stream.runForEach(Stream.filter(Mailbox.toStream(decisions), isWorthALine), (decision) =>
        say(Line.alert({ decision }))
      )
    )
    yield* Effect.forkScoped(Effect.forever(Effect.delay(lookAround, "1 second")))
  })

/** `seen`: the services that had a result since the start. The first one is told in any case. */
const onEvent = (event: HealthEvent, seen: Set<string>): Effect.Effect<void, never, Reporter> =>
  Effect.gen(function* () {
    const { board, say, update } = yield* Reporter
    const service = event.check.name
    if (event._tag === "Stale") {
      const at = DateTime.toEpochMillis(event.noticedAt)
      yield* update((before) => WatchState.stale(before, service))
      yield* say(Line.stale({ at, service, message: "no result for three intervals" }))
      return
    }
    const { message, status } = event.result
    const at = DateTime.toEpochMillis(event.result.lastCheck)
    const previous = WatchState.row(yield* board, service)?.status ?? "unknown"
    yield* update((before) => WatchState.checked(before, WatchState.sampleOf(event.result)))
    if (status !== previous || !seen.has(service)) {
      seen.add(service)
      yield* say(Line.status({ at, service, status, previous, message }))
    }
  })

/** Channels, the journal and what is quiet say nothing by themselves. */
const lookAround = Effect.gen(function* () {
  const { board, say, update } = yield* Reporter
  const now = yield* Clock.currentTimeMillis
  const health = yield* Effect.flatMap(Notifier, (notifier) => notifier.health)
  const journal = yield* Effect.flatMap(Journal, (one) => one.health)
  const before = yield* board
  const after = Problems.noticed(before, health, journal)
  const state = yield* Effect.flatMap(Alerting, (alerting) => alerting.state)
  const shown = {
    channels: after.channels,
    journal: after.journal,
    quiet: Suppressions.documents(state)
  }
  yield* update((latest) => WatchState.held({ ...latest, ...shown }, state))
  const news = Problems.lines({ before, after, health, at: now })
  yield* Effect.forEach(news, say, { discard: true })
})
