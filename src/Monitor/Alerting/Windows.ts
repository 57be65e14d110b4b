/**
 * Makes events of maintenance windows at the times at which they open and close.
 *
 * @internal
 */
import { DateTime, Option, Schema } from "effect"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import * as Maintenance from "../../Alert/Maintenance.js"

export interface Windows {
  /**
   * What the policy must hear of now. The first time it hears also of windows that it knows, and that are
   * others by now.
   */
  readonly events: (state: AlertPolicy.State, now: number) => ReadonlyArray<AlertPolicy.Event.Event>
  /** When there may be something again. */
  readonly due: () => number | undefined
}

/** A clock that is set may open or close a window at any time. */
const longestLook = 60_000

export const make = (windows: ReadonlyArray<Maintenance.Window>): Windows => {
  let next = 0
  let looked = Number.POSITIVE_INFINITY
  return {
    events: (state, now) => {
      if (now < next && now >= looked) return []
      // A window that was changed since an earlier run has the same name: it is told anew.
      const isFirst = next === 0
      const time = DateTime.unsafeMake(now)
      const change = Option.map(Maintenance.nextChange(windows, time), DateTime.toEpochMillis)
      looked = now
      next = Math.min(
        Option.getOrElse(change, () => Number.POSITIVE_INFINITY),
        windows.length === 0 ? Number.POSITIVE_INFINITY : now + longestLook
      )
      const known = maintenances(state)
      return isFirst
        ? [
            ...Maintenance.events(windows, new Set(), time).filter(
              (event) => !isKnown(state, event)
            ),
            ...Maintenance.events(windows, known, time).filter(
              ({ _tag }) => _tag === "MaintenanceEnded"
            )
          ]
        : Maintenance.events(windows, known, time)
    },
    due: () => (Number.isFinite(next) ? next : undefined)
  }
}

const maintenances = ({ quiets }: AlertPolicy.State): ReadonlySet<string> =>
  new Set(quiets.filter(({ kind }) => kind === "Maintenance").map(({ id }) => id))

/** Whether the policy has heard of this maintenance, and of all that is in it. */
const isKnown = (
  { offset, quiets }: AlertPolicy.State,
  event: AlertPolicy.Event.Event
): boolean => {
  if (event._tag !== "MaintenanceStarted") return false
  const { id, services, why } = event
  const until = event.until === null ? null : event.until + offset
  return quiets.some((quiet) => equals(quiet, { kind: "Maintenance", id, services, until, why }))
}

const equals = Schema.equivalence(AlertPolicy.Quiet)
