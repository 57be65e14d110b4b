/**
 * A journal of bounded size in memory.
 *
 * @internal
 */
import { Effect, Option, Stream } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import * as Changes from "./Changes.js"
import {
  type Delivery,
  type JournaledIncident,
  type Query,
  type Request,
  type Requests,
  toEvent
} from "./Entry.js"

/** How many ended incidents are kept. */
const mostIncidents = 1000
/** Of how many alerts it is known what became of them. */
const mostDeliveries = 1000

export const make = () => {
  let kept = Changes.none
  let requests: ReadonlyArray<Request> = []
  let count = 0
  return {
    write: (changes: Changes.Changes) =>
      Effect.sync(() => {
        const all = Changes.merge(kept, changes)
        const owed = [...all.outbox].filter(([, alert]) => alert !== undefined)
        const isOwed = new Set(owed.map(([key]) => key))
        const attempts = [...all.attempts].filter(([key, delivery]) => {
          return delivery !== null && isOwed.has(key)
        })
        const incidents = [...all.incidents].slice(-mostIncidents)
        const deliveries = [...all.deliveries].slice(-mostDeliveries)
        const troubles = [...all.troubles].filter(([, trouble]) => trouble !== undefined)
        kept = {
          ...all,
          outbox: new Map(owed),
          attempts: new Map(attempts),
          incidents: new Map(incidents),
          deliveries: new Map(deliveries),
          troubles: new Map(troubles),
          taken: []
        }
        requests = requests.filter(({ id }) => !changes.taken.includes(id))
      }),
    state: Effect.sync(() => Option.fromNullable(kept.state)),
    pending: Effect.sync(
      (): ReadonlyArray<Alert> =>
        [...kept.outbox.values()].flatMap((owed) => {
          if (owed === undefined) return []
          const attempt = kept.attempts.get(owed.value.key) ?? undefined
          return [attempt === undefined ? owed.value : { ...owed.value, attempt }]
        })
    ),
    results: (query: Query) => Effect.sync(() => select(kept.results.map(valueOf), query)),
    decisions: (query: Query) => Effect.sync(() => select(kept.decisions.map(valueOf), query)),
    incidents: (query: Query) =>
      Effect.sync(() => selectIncidents([...kept.incidents.values()], query)),
    history: (since: number) =>
      Stream.suspend(() => {
        const all = [
          ...kept.results.map(({ seq, value }) => ({ seq, value: toEvent(value) })),
          ...kept.events
        ]
        const ordered = all.sort((one, other) => one.seq - other.seq).map(valueOf)
        return Stream.fromIterable(ordered.filter(({ at }) => at >= since))
      }),
    request: (event: AlertPolicy.Event.Event) =>
      Effect.sync(() => {
        count += 1
        requests = [...requests, { id: `${event.at}-${count}`, event }]
      }),
    requests: Effect.sync((): Requests => ({ known: requests, unreadable: [] })),
    setAside: () => Effect.void,
    deliveries: (alerts: ReadonlyArray<Pick<Alert, "channel" | "key">>) =>
      Effect.sync(
        () =>
          new Map(
            alerts.flatMap(({ channel, key }): ReadonlyArray<readonly [string, Delivery]> => {
              const left = kept.deliveries.get(key)
              if (left !== undefined) return [[key, { ...left, trouble: null }]]
              const trouble = kept.troubles.get(channel) ?? null
              return kept.outbox.has(key) ? [[key, { outcome: "queued", at: null, trouble }]] : []
            })
          )
      )
  }
}

const valueOf = <A>({ value }: Changes.Numbered<A>): A => value

const select = <A extends { readonly at: number; readonly service: string | null }>(
  all: ReadonlyArray<A>,
  { limit = 1000, service, since, until }: Query
): ReadonlyArray<A> =>
  all
    .filter(
      (one) =>
        (service === undefined || one.service === service) &&
        (since === undefined || one.at >= since) &&
        (until === undefined || one.at <= until)
    )
    .slice(-limit)

const selectIncidents = (
  all: ReadonlyArray<JournaledIncident>,
  { limit = 1000, service, since, until }: Query
): ReadonlyArray<JournaledIncident> =>
  all
    .filter(
      (one) =>
        (service === undefined || one.service === service) &&
        (since === undefined || one.ended_at === null || one.ended_at >= since) &&
        (until === undefined || one.opened_at <= until)
    )
    .slice(-limit)
