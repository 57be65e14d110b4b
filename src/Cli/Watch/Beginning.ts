/**
 * What `holter watch` knows and says when it starts.
 */
import { Clock, Effect } from "effect"
import { Alerting } from "../../Monitor/Alerting.js"
import { Journal } from "../../Monitor/Journal.js"
import { many } from "../Backup/Amounts.js"
import { briefly, Output } from "../Output.js"
import * as Board from "./Board.js"
import { Line } from "./Lines.js"
import { Reporter } from "./Reporter.js"
import * as Summary from "./Summary.js"
import type { WatchSettings } from "./WatchSettings.js"

/** The rows as an earlier run left them, so that a restart hides neither beats nor outages. */
export const remember: Effect.Effect<void, never, Reporter | Journal | Alerting> = Effect.gen(
  function* () {
    const { board, update } = yield* Reporter
    const journal = yield* Journal
    const now = yield* Clock.currentTimeMillis
    const { rows } = yield* board
    const samples = yield* Effect.forEach(rows, ({ service }) =>
      Effect.orElseSucceed(
        journal.results({ service, since: now - recent, limit: Board.mostBeats }),
        () => []
      )
    )
    const { incidents, offset } = yield* Effect.flatMap(Alerting, ({ state }) => state)
    yield* update((before) => {
      const known = samples.flat().reduce(Board.checked, before)
      // The journal's recent results do not reach back to the beginning of a long outage.
      return Object.values(incidents).reduce(
        (one, { service, since }) => Board.downSince(one, service, since - offset),
        known
      )
    })
  }
)

/** What is older says nothing of how things are. */
const recent = 15 * 60_000

/** What is watched, and what is not as it was meant. */
export const say = (settings: WatchSettings): Effect.Effect<void, never, Reporter | Output> =>
  Effect.gen(function* () {
    const { note } = yield* Output
    const reporter = yield* Reporter
    yield* briefly(Effect.forEach(Summary.warnings(settings), note, { discard: true }))
    const names = Summary.watched(settings)
    const message = [
      `${many(names.length, "service")} (${names.join(", ")})`,
      `alerts to ${settings.alerts.names.join(", ")}`,
      `journal ${Summary.journal(settings)}`,
      ...Summary.schedules(settings)
    ].join("; ")
    const at = yield* Clock.currentTimeMillis
    yield* reporter.say(Line.start({ at, name: settings.configuration.name, message }))
  })
