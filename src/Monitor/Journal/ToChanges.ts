/**
 * What a step of the alert policy, or the end of a delivery, changes in a journal. Pure.
 *
 * @internal
 */
import type { Outcome } from "../../Alert/Outbox.js"
import * as Changes from "./Changes.js"
import * as Entry from "./Entry.js"

/** Alerts that are owed no longer, and what became of them. */
export const left = (
  keys: ReadonlyArray<string>,
  outcome: Outcome,
  at: number
): Changes.Changes => ({
  ...Changes.none,
  outbox: new Map(keys.map((key) => [key, undefined])),
  deliveries: new Map(keys.map((key) => [key, { at, outcome }]))
})

/** One step of the policy, as it is written. */
export const ofCommit = (
  { after, before, decisions, event, removed = [], taken = [] }: Entry.Commit,
  numbered: <A>(value: A) => Changes.Numbered<A>
): Changes.Changes => {
  // Results are recorded as such, and the time is no news.
  const isPlain = event._tag === "Result" || event._tag === "Time"
  const news = decisions.filter((decision) => !Entry.isRoutine(decision))
  const { deliveries } = left(
    removed,
    event._tag === "ChannelRemoved" ? "given up" : "handed on",
    event.at
  )
  return {
    ...Changes.none,
    deliveries,
    taken,
    events: isPlain ? [] : [numbered(event)],
    decisions: news.map(numbered),
    incidents: new Map([
      // What was open in an earlier run may be over at once.
      ...(event._tag === "Remembered" ? Changes.incidentsOf(event.state, after, event.at) : []),
      ...Changes.incidentsOf(before, after, event.at)
    ]),
    state: after,
    outbox: new Map([
      ...removed.map((key) => [key, undefined] as const),
      ...decisions.flatMap(({ alerts }) =>
        alerts.map((alert) => [alert.key, numbered(alert)] as const)
      )
    ])
  }
}
