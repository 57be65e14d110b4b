/**
 * The maintenances that the journal knows of: windows of the configuration that are open, and those
 * that somebody started by hand, also where no watching program has taken that yet.
 */
import { Clock, Effect } from "effect"
import * as Windows from "../../Alert/Maintenance.js"
import { Journal } from "../../Monitor/Journal.js"
import * as Watched from "./Watched.js"

export interface Maintenance {
  readonly id: string
  /** `null` is all of them. */
  readonly services: ReadonlyArray<string> | null
  /** In milliseconds of the wall clock. */
  readonly until: number | null
  readonly why: string
}

export const open = Effect.gen(function* () {
  const { offset, quiets } = yield* Watched.state
  const { known } = yield* Effect.flatMap(Journal, ({ requests }) => requests)
  const now = yield* Clock.currentTimeMillis
  const all = new Map<string, Maintenance>()
  for (const { id, kind, services, until, why } of quiets) {
    if (kind !== "Maintenance") continue
    all.set(id, { id, services, until: until === null ? null : until - offset, why })
  }
  for (const { event } of known) {
    if (event._tag === "MaintenanceStarted") all.set(event.id, event)
    if (event._tag === "MaintenanceEnded") all.delete(event.id)
  }
  const there = [...all.values()].filter(({ until }) => until === null || until > now)
  return {
    byHand: there.filter(({ id }) => !Windows.isWindow(id)),
    windows: there.filter(({ id }) => Windows.isWindow(id))
  }
})

/** What becomes of one when these services leave it: `known` are all services that are checked. */
export const without = (
  { services }: Maintenance,
  leaving: ReadonlyArray<string>,
  known: ReadonlyArray<string>
): ReadonlyArray<string> => (services ?? known).filter((service) => !leaving.includes(service))
