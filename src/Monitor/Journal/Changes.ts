/**
 * What is not written yet. Two of them make one, so that everything that waits is written in one
 * transaction, and its size is bounded however long that takes. Pure.
 *
 * @internal
 */
import type { Alert } from "../../Alert/Alert.js"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { JournaledIncident, JournaledResult } from "./Entry.js"

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
}

export const none: Changes = {
  results: [],
  events: [],
  decisions: [],
  incidents: new Map(),
  state: undefined,
  outbox: new Map()
}

/** More results than these are not kept in memory; the oldest are lost, and counted. */
const mostResults = 20_000
/** The same for decisions and events. */
const mostDecisions = 20_000

export const isEmpty = (changes: Changes): boolean => size(changes) === 0

export const size = ({ decisions, events, incidents, outbox, results, state }: Changes): number =>
  results.length +
  events.length +
  decisions.length +
  incidents.size +
  outbox.size +
  (state === undefined ? 0 : 1)

/** What came first, and what came after it. */
export const merge = (first: Changes, then: Changes): Changes => ({
  results: last([...first.results, ...then.results], mostResults),
  events: last([...first.events, ...then.events], mostDecisions),
  decisions: last([...first.decisions, ...then.decisions], mostDecisions),
  incidents: mergeMaps(first.incidents, then.incidents),
  state: then.state ?? first.state,
  outbox: mergeMaps(first.outbox, then.outbox)
})

const mergeMaps = <A>(
  first: ReadonlyMap<string, A>,
  then: ReadonlyMap<string, A>
): ReadonlyMap<string, A> => (then.size === 0 ? first : new Map([...first, ...then]))

const last = <A>(all: ReadonlyArray<A>, most: number): ReadonlyArray<A> =>
  all.length <= most ? all : all.slice(-most)

/** The incidents that a step opened, made worse or ended. */
export const incidentsOf = (
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
