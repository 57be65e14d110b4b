/**
 * A journal of bounded size in memory.
 *
 * @internal
 */
import { Effect, Option, Stream } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import * as Changes from "./Changes.js"
import type { Store } from "./Store.js"
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

export const make = (): Store => {
  let kept = Changes.none
  let latest = 0
  let requests: ReadonlyArray<Request> = []
  let count = 0
  return {
    gather: 0,
    write: (written) =>
      Effect.sync(() => {
        const changes = behind(latest, written)
        latest = [changes.results, changes.events, changes.decisions].reduce(
          (most, all) => Math.max(most, all.at(-1)?.seq ?? 0),
          latest
        )
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

/** Several runs may share it: what the next one has numbered from the start comes behind the one before. */
const behind = (latest: number, changes: Changes.Changes): Changes.Changes => {
  const { decisions, events, results } = changes
  const first = [results, events, decisions].reduce(
    (least, all) => Math.min(least, all[0]?.seq ?? least),
    Number.POSITIVE_INFINITY
  )
  if (first > latest) return changes
  const shifted = <A>({ seq, value }: Changes.Numbered<A>): Changes.Numbered<A> => ({
    seq: latest + 1 - first + seq,
    value
  })
  return {
    ...changes,
    results: results.map(shifted),
    events: events.map(shifted),
    decisions: decisions.map(shifted)
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
