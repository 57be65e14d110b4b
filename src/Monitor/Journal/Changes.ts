/**
 * What is not written yet. Two of them make one, so that everything that waits is written in one
 * transaction, and its size is bounded however long that takes. Pure.
 *
 * @internal
 */
import type { Alert } from "../../Alert/Alert.js"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Outcome, Trouble } from "../../Alert/Outbox.js"
import { type Commit, isRoutine, type JournaledIncident, type JournaledResult } from "./Entry.js"

/** A thing and its place in the order of everything that this run has written. */
export interface Numbered<A> {
  readonly seq: number
  readonly value: A
}

export interface Changes {
  readonly results: ReadonlyArray<Numbered<JournaledResult>>
  readonly events: ReadonlyArray<Numbered<AlertPolicy.Event.Event>>
  readonly decisions: ReadonlyArray<Numbered<AlertPolicy.Decision>>
  /** The last word on each. */
  readonly incidents: ReadonlyMap<string, JournaledIncident>
  readonly state: AlertPolicy.State | undefined
  /** Alerts that are owed, by key; `undefined` where one is owed no longer. */
  readonly outbox: ReadonlyMap<string, Numbered<Alert> | undefined>
  /** The key of the delivery in which an alert is tried, by its own; `null` where it did not arrive. */
  readonly attempts: ReadonlyMap<string, string | null>
  /** What became of alerts that are owed no longer, by key. */
  readonly deliveries: ReadonlyMap<string, Delivered>
  /** The last word on each channel. */
  readonly troubles: ReadonlyMap<string, Trouble | undefined>
  /** The ids of requests that were taken. */
  readonly taken: ReadonlyArray<string>
}

export interface Delivered {
  readonly at: number
  readonly outcome: Outcome
}

export const none: Changes = {
  results: [],
  events: [],
  decisions: [],
  incidents: new Map(),
  state: undefined,
  outbox: new Map(),
  attempts: new Map(),
  deliveries: new Map(),
  troubles: new Map(),
  taken: []
}

/** More results than these are not kept in memory; the oldest are lost, and counted. */
const mostResults = 20_000
/** The same for decisions and events. */
const mostDecisions = 20_000

/** How much of what is bounded is in it. */
export const bounded = ({ decisions, results }: Changes): number =>
  results.length + decisions.length

export const isEmpty = (changes: Changes): boolean => size(changes) === 0

export const size = (changes: Changes): number =>
  changes.results.length +
  changes.events.length +
  changes.decisions.length +
  changes.incidents.size +
  changes.outbox.size +
  changes.attempts.size +
  changes.deliveries.size +
  changes.troubles.size +
  changes.taken.length +
  (changes.state === undefined ? 0 : 1)

/** What came first, and what came after it. */
export const merge = (first: Changes, ...then: ReadonlyArray<Changes>): Changes => {
  const all = [first, ...then]
  return {
    results: last(all, ({ results }) => results, mostResults),
    events: last(all, ({ events }) => events, mostDecisions),
    decisions: last(all, ({ decisions }) => decisions, mostDecisions),
    incidents: latest(all, ({ incidents }) => incidents),
    state: all.findLast(({ state }) => state !== undefined)?.state,
    outbox: latest(all, ({ outbox }) => outbox),
    attempts: latest(all, ({ attempts }) => attempts),
    deliveries: latest(all, ({ deliveries }) => deliveries),
    troubles: latest(all, ({ troubles }) => troubles),
    taken: last(all, ({ taken }) => taken, Number.POSITIVE_INFINITY)
  }
}

const latest = <A>(
  all: ReadonlyArray<Changes>,
  part: (changes: Changes) => ReadonlyMap<string, A>
): ReadonlyMap<string, A> => new Map(all.flatMap((one) => [...part(one)]))

const last = <A>(
  all: ReadonlyArray<Changes>,
  part: (changes: Changes) => ReadonlyArray<A>,
  most: number
): ReadonlyArray<A> => {
  const joined = all.flatMap(part)
  return joined.length <= most ? joined : joined.slice(-most)
}

/** Alerts that are owed no longer, and what became of them. */
export const left = (keys: ReadonlyArray<string>, outcome: Outcome, at: number): Changes => ({
  ...none,
  outbox: new Map(keys.map((key) => [key, undefined])),
  deliveries: new Map(keys.map((key) => [key, { at, outcome }]))
})

/** One step of the policy, as it is written. */
export const ofCommit = (
  { after, before, decisions, event, removed = [], taken = [] }: Commit,
  numbered: <A>(value: A) => Numbered<A>
): Changes => {
  // Results are recorded as such, and the time is no news.
  const isPlain = event._tag === "Result" || event._tag === "Time"
  const news = decisions.filter((decision) => !isRoutine(decision))
  const { deliveries } = left(
    removed,
    event._tag === "ChannelRemoved" ? "given up" : "handed on",
    event.at
  )
  return {
    ...none,
    deliveries,
    taken,
    events: isPlain ? [] : [numbered(event)],
    decisions: news.map(numbered),
    incidents: new Map([
      // What was open in an earlier run may be over at once.
      ...(event._tag === "Remembered" ? incidentsOf(event.state, after, event.at) : []),
      ...incidentsOf(before, after, event.at)
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

/** The incidents that a step opened, made worse or ended. */
const incidentsOf = (
  before: AlertPolicy.State,
  after: AlertPolicy.State,
  at: number
): ReadonlyMap<string, JournaledIncident> => {
  const changed = new Map<string, JournaledIncident>()
  if (before.incidents === after.incidents) return changed
  const open = new Set(Object.values(after.incidents).map(({ id }) => id))
  for (const incident of Object.values(before.incidents)) {
    if (!open.has(incident.id)) changed.set(incident.id, entry(incident, after.offset, at))
  }
  for (const incident of Object.values(after.incidents)) {
    const known = before.incidents[incident.service]
    const isSame = known?.id === incident.id && known.severity === incident.severity
    if (!isSame) changed.set(incident.id, entry(incident, after.offset, null))
  }
  return changed
}

const entry = (
  incident: AlertPolicy.Incident,
  offset: number,
  endedAt: number | null
): JournaledIncident => ({
  id: incident.id,
  service: incident.service,
  severity: incident.severity,
  cause: incident.cause,
  since: incident.since - offset,
  opened_at: incident.opened - offset,
  ended_at: endedAt
})
