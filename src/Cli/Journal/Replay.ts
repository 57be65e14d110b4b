/**
 * A past that is judged by another policy, and what was told compared with what would have been.
 * Pure.
 */
import type { Alert, Kind } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import * as AlertText from "../../Alert/AlertText.js"
import * as Maintenance from "../../Alert/Maintenance.js"
import * as Windows from "../../Monitor/Alerting/Windows.js"
import * as Moments from "./moments.js"

/** An alert, as far as two policies are compared by it. */
export interface Sent {
  /** Milliseconds of the wall clock. */
  readonly at: number
  readonly channel: string
  readonly kind: Kind
  readonly services: ReadonlyArray<string>
  readonly title: string
}

export const sentOf = (decision: AlertPolicy.Decision): ReadonlyArray<Sent> =>
  decision.alerts.map((alert: Alert) => ({
    at: alert.at.epochMillis,
    channel: alert.channel,
    kind: alert.kind,
    services: alert.subjects.map(({ service }) => service).sort(),
    title: AlertText.title(alert)
  }))

export interface LeftOut {
  readonly results: number
  readonly services: ReadonlyArray<string>
}

export interface Replay {
  /** Takes what happened next. */
  readonly take: (event: AlertPolicy.Event.Event) => void
  readonly sent: () => ReadonlyArray<Sent>
  readonly results: () => number
  /** What was recorded of services that the policy does not know. */
  readonly leftOut: () => LeftOut
  /** The times of the first and the last event. */
  readonly span: () => { readonly from: number; readonly to: number } | undefined
}

/** Windows of the past are left out: those of the other configuration stand in their place. */
export const make = (
  policy: AlertPolicy.Policy,
  maintenance: ReadonlyArray<Maintenance.Window>
): Replay => {
  const windows = Windows.make(maintenance)
  const sent: Array<Sent> = []
  const given: Array<Alert> = []
  let state = AlertPolicy.initial
  let results = 0
  const leftOut = new Map<string, number>()
  let span: { readonly from: number; readonly to: number } | undefined
  const fold = (event: AlertPolicy.Event.Event): void => {
    const [next, decisions] = AlertPolicy.advance(policy, state, event)
    state = next
    for (const decision of decisions) {
      sent.push(...sentOf(decision))
      given.push(...decision.alerts)
    }
  }
  const look = (until: number): void => {
    for (let due = windows.due(); due !== undefined && due <= until; due = windows.due()) {
      for (const change of windows.events(state, due)) fold(change)
    }
  }
  return {
    take: (event) => {
      const { at } = event
      const isFirst = span === undefined
      span = { from: span?.from ?? at, to: at }
      if (!isFirst) look(at)
      if (event._tag === "Result" && !policy.checks.has(event.service)) {
        leftOut.set(event.service, (leftOut.get(event.service) ?? 0) + 1)
      } else {
        if (event._tag === "Result") results += 1
        if (!isOfThen(event)) fold(forPolicy(event, given))
      }
      // The windows that are open then, as a program hears of them when it starts.
      if (isFirst) for (const change of windows.events(state, at)) fold(change)
    },
    sent: () => sent,
    results: () => results,
    leftOut: () => ({
      results: [...leftOut.values()].reduce((sum, count) => sum + count, 0),
      services: [...leftOut.keys()].sort()
    }),
    span: () => span
  }
}

/** Windows and channels of the configuration of then. */
const isOfThen = (event: AlertPolicy.Event.Event): boolean =>
  event._tag === "ChannelRemoved" ||
  ((event._tag === "MaintenanceStarted" || event._tag === "MaintenanceEnded") &&
    Maintenance.isWindow(event.id))

/**
 * What waited at a channel when it failed were alerts of the policy of then. Those of this policy
 * would have waited from the same time on.
 */
const forPolicy = (
  event: AlertPolicy.Event.Event,
  given: ReadonlyArray<Alert>
): AlertPolicy.Event.Event => {
  if (event._tag !== "ChannelDisabled") return event
  const since = Math.min(...event.pending.map(({ at }) => at.epochMillis)) - aLittle
  const pending = given.filter(
    ({ at, channel }) => channel === event.channel && at.epochMillis >= since
  )
  return { ...event, pending }
}

/** A live program looks at the time a little later than it meant to, a replay does not. */
const aLittle = 1000

/** What was sent, as far as the policy knows the services in it. */
export const known = (policy: AlertPolicy.Policy, sent: ReadonlyArray<Sent>): ReadonlyArray<Sent> =>
  sent.flatMap((one) => {
    const services = one.services.filter((service) => policy.checks.has(service))
    return services.length === 0 ? [] : [{ ...one, services }]
  })

/** One alert on either side or on both. */
export interface Row {
  readonly at: number
  readonly channel: string
  readonly was: Sent | undefined
  readonly would: Sent | undefined
}

/** A live program looks at the time a little later than it meant to. */
const sameTime = 60_000

/** Both sides by time, and what is the same side by side. */
export const compare = (
  was: ReadonlyArray<Sent>,
  would: ReadonlyArray<Sent>
): ReadonlyArray<Row> => {
  const pairs = pairsOf(was, would)
  const paired = new Set(pairs.values())
  const rows = was.map(
    (one): Row => ({ at: one.at, channel: one.channel, was: one, would: pairs.get(one) })
  )
  const rest = would
    .filter((one) => !paired.has(one))
    .map((one): Row => ({ at: one.at, channel: one.channel, was: undefined, would: one }))
  return [...rows, ...rest].sort((one, other) => one.at - other.at)
}

/** The nearest first: one that is near may be the pair of another that is nearer. */
const pairsOf = (was: ReadonlyArray<Sent>, would: ReadonlyArray<Sent>): ReadonlyMap<Sent, Sent> => {
  const alike = new Map<string, Array<Sent>>()
  for (const other of would) {
    const key = identity(other)
    const others = alike.get(key)
    if (others === undefined) alike.set(key, [other])
    else others.push(other)
  }
  const near = was
    .flatMap((one) =>
      (alike.get(identity(one)) ?? []).flatMap((other) => {
        const apart = Math.abs(other.at - one.at)
        return apart <= sameTime ? [{ one, other, apart }] : []
      })
    )
    .sort((left, right) => left.apart - right.apart)
  const pairs = new Map<Sent, Sent>()
  const taken = new Set<Sent>()
  for (const { one, other } of near) {
    if (pairs.has(one) || taken.has(other)) continue
    pairs.set(one, other)
    taken.add(other)
  }
  return pairs
}

const identity = ({ channel, kind, services }: Sent): string =>
  JSON.stringify([channel, kind, services])

export interface Count {
  readonly channel: string
  readonly was_sent: number
  readonly would_be_sent: number
  readonly in_both: number
}

export const counts = (rows: ReadonlyArray<Row>): ReadonlyArray<Count> => {
  const channels = [...new Set(rows.map(({ channel }) => channel))].sort()
  return channels.map((channel) => {
    const own = rows.filter((row) => row.channel === channel)
    return {
      channel,
      was_sent: own.filter(({ was }) => was !== undefined).length,
      would_be_sent: own.filter(({ would }) => would !== undefined).length,
      in_both: own.filter(({ was, would }) => was !== undefined && would !== undefined).length
    }
  })
}

export interface Report {
  readonly results: number
  readonly span: { readonly from: number; readonly to: number } | undefined
  readonly rows: ReadonlyArray<Row>
  /** Also the alerts that were sent of nothing but such services. */
  readonly leftOut: LeftOut & { readonly alerts: number }
}

/** As programs read it. */
export const toDocument = ({ leftOut, results, rows, span }: Report) => ({
  since: span === undefined ? null : Moments.iso(span.from),
  until: span === undefined ? null : Moments.iso(span.to),
  results,
  left_out: leftOut,
  summary: counts(rows),
  alerts: rows.map(({ at, channel, was, would }) => ({
    at: Moments.iso(at),
    channel,
    was_sent: was === undefined ? null : shown(was),
    would_be_sent: would === undefined ? null : shown(would)
  }))
})

const shown = ({ at, kind, services, title }: Sent) => ({
  at: Moments.iso(at),
  kind,
  services,
  title
})
