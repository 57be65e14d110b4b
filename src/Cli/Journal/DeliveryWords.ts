/**
 * What became of an alert, for programs and for people. Pure.
 */
import type { DateTime } from "effect"
import type { Secrets } from "../../Common/Secrets.js"
import type { Delivery } from "../../Monitor/Journal.js"
import { onOneLine } from "../Presentation.js"
import * as Moments from "./moments.js"
import * as Format from "../../Common/Format.js"

/**
 * `queued`: its channel is about to be asked, or `holter watch` does not run. `retrying`: it did not
 * take it. `waiting`: the channel is disabled. `unknown`: it left the outbox before that was noted.
 */
export type State =
  | "delivered"
  | "queued"
  | "retrying"
  | "waiting"
  | "handed on"
  | "given up"
  | "unknown"

export type Document = ReturnType<typeof toDocument>

export const toDocument = (delivery: Delivery | undefined) => ({
  state: stateOf(delivery),
  /** When it was delivered, handed on or given up. */
  at: isoOrNull(delivery?.at),
  failures: delivery?.trouble?.failures ?? 0,
  last_error: delivery?.trouble?.error ?? null,
  next_attempt: isoOrNull(delivery?.trouble?.nextAttempt)
})

/** What a channel said may quote a secret of the configuration. */
export const hiding = (
  deliveries: ReadonlyMap<string, Delivery>,
  { scrub }: Secrets
): ReadonlyMap<string, Delivery> =>
  new Map(
    [...deliveries].map(([key, one]) => {
      const { trouble: found } = one
      return found === null
        ? [key, one]
        : [key, { ...one, trouble: { ...found, error: scrub(found.error) } }]
    })
  )

const stateOf = (delivery: Delivery | undefined): State => {
  if (delivery === undefined) return "unknown"
  const { outcome, trouble } = delivery
  if (outcome !== "queued" || trouble === null) return outcome
  return trouble.nextAttempt === null ? "waiting" : "retrying"
}

const isoOrNull = (at: number | null | undefined): string | null =>
  at === null || at === undefined ? null : Moments.iso(at)

/** Whether its channel has it. What nobody noted was taken: it left the outbox. */
export const isTaken = ({ state }: Document): boolean =>
  state === "delivered" || state === "unknown"

/** Whether its channel is still to get it. */
export const isOwed = ({ state }: Document): boolean =>
  state === "queued" || state === "retrying" || state === "waiting"

/** Why its channel does not have it yet, to stand behind what it is. */
export const trouble = (
  { failures, last_error, next_attempt, state }: Document,
  zone: DateTime.TimeZone
): string => {
  const error = onOneLine(last_error ?? "")
  if (state === "waiting") return `: the channel is disabled (${error})`
  if (state !== "retrying" || next_attempt === null) return ""
  const next = Moments.shownIn(zone)(next_attempt)
  return `: ${Format.many(failures, "attempt")} failed (${error}), the next one is at ${next}`
}

/** Why its channel does not get it any more. */
export const end = ({ at, state }: Document, zone: DateTime.TimeZone): string => {
  const time = at === null ? "" : ` at ${Moments.shownIn(zone)(at)}`
  return state === "given up"
    ? `given up${time}, as the channel is no longer configured`
    : `handed on${time} to another channel`
}
