/**
 * What `holter watch` knows and says when it starts.
 */
import { Clock, Effect } from "effect"
import { Outbox } from "../../Alert/Outbox.js"
import { Alerting } from "../../Monitor/Alerting.js"
import { Journal } from "../../Monitor/Journal.js"
import { briefly, Output } from "../Output.js"
import * as WatchState from "./WatchState.js"
import { Line } from "./Lines.js"
import { Reporter } from "./Reporter.js"
import * as Summary from "./Summary.js"
import type { WatchSettings } from "./WatchSettings.js"
import * as Format from "../../Common/Format.js"

/** The rows as an earlier run left them, so that a restart hides neither beats nor outages. */
export const remember: Effect.Effect<void, never, Reporter | Journal | Alerting> = Effect.gen(
  function* () {
    const { board, update } = yield* Reporter
    const journal = yield* Journal
    const now = yield* Clock.currentTimeMillis
    const { rows } = yield* board
    const samples = yield* Effect.forEach(rows, ({ service }) =>
      Effect.orElseSucceed(
        journal.results({ service, since: now - recent, limit: WatchState.mostBeats }),
        () => []
      )
    )
    const { incidents, offset } = yield* Effect.flatMap(Alerting, ({ state }) => state)
    yield* update((before) => {
      const known = samples.flat().reduce(WatchState.checked, before)
      // The journal's recent results do not reach back to the beginning of a long outage.
      return Object.values(incidents).reduce(
        (one, { service, since }) => WatchState.downSince(one, service, since - offset),
        known
      )
    })
  }
)

/** What is older says nothing of how things are. */
const recent = 15 * 60_000

/** What an earlier run left: outages that it told of, and alerts that no channel had taken. */
export const takeOver: Effect.Effect<void, never, Reporter | Alerting | Outbox> = Effect.gen(
  function* () {
    const { say } = yield* Reporter
    const at = yield* Clock.currentTimeMillis
    const { incidents, offset } = yield* Effect.flatMap(Alerting, ({ state }) => state)
    const owed = yield* Effect.flatMap(Outbox, ({ pending }) => pending)
    const since = (time: number) => Format.span(Math.max(0, at - time))
    const lines = [
      ...Object.values(incidents).map(({ cause, service, severity, since: began, told }) => {
        const channels = Object.keys(told)
        const what = cause === "stale" ? "without results" : severity
        const whom =
          channels.length === 0 ? "no channel was notified" : `notified: ${channels.join(", ")}`
        const message = `${what} for ${since(began - offset)}, as an earlier run left it; ${whom}`
        return Line.part({ at, part: "incident", name: service, message })
      }),
      ...owed.map((alert) => {
        const services = alert.subjects.map(({ service }) => service).join(", ")
        const message = `${alert.kind}, ${services}, decided ${since(alert.at.epochMillis)} ago by an earlier run`
        return Line.part({ at, part: "pending", name: alert.channel, message })
      })
    ]
    yield* Effect.forEach(lines, say, { discard: true })
  }
)

/** What is watched, and what is not as it was meant. */
export const say = (settings: WatchSettings): Effect.Effect<void, never, Reporter | Output> =>
  Effect.gen(function* () {
    const { note } = yield* Output
    const reporter = yield* Reporter
    yield* briefly(Effect.forEach(Summary.warnings(settings), note, { discard: true }))
    const names = Summary.watched(settings)
    const message = [
      `${Format.many(names.length, "service")} (${names.join(", ")})`,
      `alerts to ${settings.alerts.names.join(", ")}`,
      `journal ${Summary.journal(settings)}`,
      ...Summary.schedules(settings)
    ].join("; ")
    const at = yield* Clock.currentTimeMillis
    yield* reporter.say(Line.start({ at, name: settings.configuration.name, message }))
  })
