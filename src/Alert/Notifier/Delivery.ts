/**
 * One delivery, and the alerts that it stands for. Once it was tried it may have arrived, whatever came
 * back: it is sent again as it is, until its channel says that it has it. A story is made only of what
 * was never tried. Pure.
 *
 * @internal
 */
import { Array as Arr, DateTime } from "effect"
import type { Alert } from "../Alert.js"
import { collapse } from "./collapse.js"

export interface Delivery {
  readonly alert: Alert
  readonly keys: ReadonlyArray<string>
  /** Whether it may have arrived. */
  readonly isTried: boolean
  /** When it was first tried as one that comes late: it says so, and has one late key, however often. */
  readonly lateSince?: number
  /** What it was made of, where that can be told apart again. */
  readonly parts: ReadonlyArray<Delivery>
}

export const single = ({ attempt: _, ...alert }: Alert): Delivery => ({
  alert,
  keys: [alert.key],
  isTried: false,
  parts: []
})

/** What was tried in one delivery, by this run or an earlier one, is that delivery again. */
export const fromAlerts = (alerts: ReadonlyArray<Alert>): ReadonlyArray<Delivery> => {
  const deliveries = new Map<string, Array<Delivery>>()
  const tried = new Set<string>()
  for (const alert of alerts) {
    const { attempt } = alert
    const [, sent] = clearKey.exec(attempt ?? "") ?? []
    const parcel =
      sent === undefined ? single(alert) : { ...single(alert), lateSince: Number(sent) }
    const delivery = sent === undefined ? (attempt ?? alert.key) : alert.key
    if (delivery === attempt) tried.add(delivery)
    deliveries.set(delivery, [...(deliveries.get(delivery) ?? []), parcel])
  }
  return [...deliveries].flatMap(([key, parts]): ReadonlyArray<Delivery> => {
    if (!tried.has(key)) return parts
    return asOne(parts).map((parcel) => ({ ...inDelivery(parcel, key), isTried: true }))
  })
}

const inDelivery = (parcel: Delivery, key: string): Delivery => {
  const [, sent] = lateKey.exec(key) ?? []
  return sent === undefined
    ? { ...parcel, alert: { ...parcel.alert, key } }
    : sentAt(parcel, Number(sent))
}

/**
 * One that was decided a while ago says when it was first tried after that. The key tells that text from
 * the one that was tried in time, and has the time in it, so that the same delivery can be made after a
 * restart.
 */
export const dated = (parcel: Delivery, now: number): Delivery => {
  const { alert, parts } = parcel
  // A story says of each part when that was.
  const isOne = parts.length === 0 && alert.kind !== "story" && alert.kind !== "test"
  return isOne && now - alert.at.epochMillis > late
    ? sentAt(parcel, parcel.lateSince ?? now)
    : parcel
}

/** It is clear that it did not arrive: what it was made of, each with the late key that it has. */
export const returned = (parcel: Delivery): ReadonlyArray<Delivery> => {
  const { sent } = parcel.alert
  const parts = opened(parcel)
  return sent === undefined
    ? parts
    : parts.map((part) => ({ ...part, lateSince: sent.epochMillis }))
}

/**
 * What the outbox is to remember of parcels that clearly did not arrive, by their keys: the late key that
 * they have, where they have one.
 */
export const remembered = (
  parcels: ReadonlyArray<Delivery>
): ReadonlyArray<readonly [keys: ReadonlyArray<string>, delivery: string | undefined]> => {
  const [fresh, dated] = Arr.partition(parcels, ({ lateSince }) => lateSince !== undefined)
  const none = fresh.flatMap(({ keys }) => keys)
  return [
    ...(none.length === 0 ? [] : [[none, undefined] as const]),
    ...dated.map(
      ({ alert, keys, lateSince }) => [keys, `${alert.key}/late/${lateSince}${clear}`] as const
    )
  ]
}

const late = 60_000
const lateKey = /\/late\/(\d+)$/
const clear = "/clear"
const clearKey = /\/late\/(\d+)\/clear$/

const sentAt = (parcel: Delivery, now: number): Delivery => {
  const { alert } = parcel
  return {
    ...parcel,
    alert: { ...alert, key: `${alert.key}/late/${now}`, sent: DateTime.unsafeMake(now) },
    parts: [parcel]
  }
}

/** A story of all that was never tried, behind what was. */
export const joined = (parcels: ReadonlyArray<Delivery>): ReadonlyArray<Delivery> => {
  const [tried, fresh] = Arr.partition(parcels, ({ isTried }) => !isTried)
  return [...tried, ...asOne(fresh)]
}

const asOne = (parcels: ReadonlyArray<Delivery>): ReadonlyArray<Delivery> => {
  if (!Arr.isNonEmptyReadonlyArray(parcels) || parcels.length === 1) return parcels
  return [
    {
      alert: collapse(Arr.map(parcels, ({ alert }) => alert)),
      keys: parcels.flatMap(({ keys }) => keys),
      isTried: false,
      parts: parcels
    }
  ]
}

/** The same without its parts, for what waits for long: the memory that they take is bounded. */
export const sealed = (parcel: Delivery): Delivery => ({ ...parcel, parts: [] })

/** What it was made of. */
export const opened = (parcel: Delivery): ReadonlyArray<Delivery> =>
  parcel.parts.length === 0 ? [{ ...parcel, isTried: false }] : parcel.parts

/**
 * What is left when this end need not be delivered, as all that was to be told of these incidents
 * still waits and was never tried; nothing, where it must.
 */
export const cancelled = (
  parcels: ReadonlyArray<Delivery>,
  end: Alert
): readonly [left: ReadonlyArray<Delivery>, gone: ReadonlyArray<string>] | undefined => {
  const over = new Set(end.subjects.map(({ incident }) => incident))
  const isAbout = ({ alert }: Delivery) =>
    alert.subjects.every(({ incident }) => over.has(incident))
  const gone = parcels.filter((parcel) => !parcel.isTried && isAbout(parcel))
  const begun = new Set(
    gone
      .filter(({ alert }) => beginnings.has(alert.kind))
      .flatMap(({ alert }) => alert.subjects.map(({ incident }) => incident))
  )
  if ([...over].some((incident) => !begun.has(incident))) return undefined
  return [
    parcels.filter((parcel) => !gone.includes(parcel)),
    [...gone.flatMap(({ keys }) => keys), end.key]
  ]
}

const beginnings: ReadonlySet<string> = new Set(["opened", "stale", "flapping"])

/** What is left without these alerts, and the keys of what went. */
export const without = (
  parcels: ReadonlyArray<Delivery>,
  keys: ReadonlySet<string>
): readonly [left: ReadonlyArray<Delivery>, gone: ReadonlyArray<string>] => {
  const isMeant = ({ alert, keys: own }: Delivery) =>
    keys.has(alert.key) || own.every((key) => keys.has(key))
  const all = parcels.flatMap((parcel) =>
    !isMeant(parcel) && parcel.parts.some(isMeant) ? parcel.parts : [parcel]
  )
  return [
    all.filter((parcel) => !isMeant(parcel)),
    all.filter(isMeant).flatMap((parcel) => parcel.keys)
  ]
}
