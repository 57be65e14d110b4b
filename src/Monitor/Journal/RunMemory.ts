/**
 * What this run knows of its own, so that a journal that is taken away can be begun anew from memory,
 * and a successor be left what only this run told. Pure, apart from its own memory.
 *
 * @internal
 */
import { HashMap, Option } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type { Earlier } from "./Earlier.js"
import type { Commit } from "./Entry.js"

type Remembered = Extract<AlertPolicy.Event.Event, { _tag: "Remembered" }>

/** Ids of incidents that are kept, so that one that is over is not taken up again. */
const mostIds = 10_000

export class RunMemory {
  private last: AlertPolicy.State | undefined
  private readonly owed = new Map<string, Alert>()
  private readonly ids = new Set<string>()

  /** What was there at the start. */
  begin({ pending, state }: Earlier): void {
    this.last = Option.getOrUndefined(state)
    this.note(this.last)
    for (const alert of pending) this.owed.set(alert.key, alert)
  }

  commit({ after, before, decisions, event, removed = [] }: Commit): void {
    if (before.incidents !== after.incidents) this.note(before)
    if (this.last?.incidents !== after.incidents) this.note(after)
    this.last = after
    if (event._tag === "Remembered") {
      this.note(event.state)
      for (const alert of event.pending) this.owed.set(alert.key, alert)
    }
    for (const { alerts } of decisions) for (const alert of alerts) this.owed.set(alert.key, alert)
    this.settle(removed)
  }

  /** These are owed no longer. */
  settle(keys: ReadonlyArray<string>): void {
    for (const key of keys) this.owed.delete(key)
  }

  /** All that a new journal must have, as one step. */
  beginning(at: number, why: string): Commit | undefined {
    const { last } = this
    if (last === undefined) return undefined
    const pending = [...this.owed.values()]
    return {
      event: { _tag: "Remembered", at, state: last, pending },
      before: AlertPolicy.initial,
      after: last,
      decisions: [
        {
          ...{ _tag: "Nothing", at, service: null, incident: null, reason: "Noted" },
          ...{ rule: "start", why, channels: [], alerts: pending }
        }
      ]
    }
  }

  /** Without what this run has ended, or told, itself. */
  unknown({ _tag, at, pending, state }: Remembered): Remembered {
    const open = new Set(Object.values(this.last?.incidents ?? {}).map(({ id }) => id))
    const isNew = (id: string) => !this.ids.has(id)
    return {
      _tag,
      at,
      state: {
        ...state,
        incidents: Object.fromEntries(
          Object.entries(state.incidents).filter(([, { id }]) => isNew(id) || open.has(id))
        ),
        ended: state.ended.filter(({ incident }) => isNew(incident.id))
      },
      pending: pending.filter(({ subjects }) => subjects.some(({ incident }) => isNew(incident)))
    }
  }

  /** For a successor: what channels were told of, and ends that they do not have yet. */
  legacy(at: number): Remembered | undefined {
    const { last } = this
    if (last === undefined) return undefined
    const owed = [...this.owed.values()]
    const begun = owed.filter(({ kind }) => kind !== "resolved")
    const incidents = Object.values(last.incidents).flatMap((incident) => {
      const untold = begun.flatMap(({ channel, subjects }) =>
        subjects.some((subject) => subject.incident === incident.id) ? [channel] : []
      )
      const told = Object.entries(incident.told).filter(([channel]) => !untold.includes(channel))
      return told.length === 0 ? [] : [{ ...incident, told: Object.fromEntries(told) }]
    })
    const pending = owed.filter(({ kind }) => kind === "resolved")
    if (incidents.length + last.ended.length + pending.length === 0) return undefined
    const open = Object.fromEntries(incidents.map((incident) => [incident.service, incident]))
    const rest = { checks: HashMap.empty(), quiets: [], disabled: {}, groupUntil: null }
    return { _tag: "Remembered", at, state: { ...last, ...rest, incidents: open }, pending }
  }

  private note(state: AlertPolicy.State | undefined): void {
    for (const { id } of Object.values(state?.incidents ?? {})) this.ids.add(id)
    for (const { incident } of state?.ended ?? []) this.ids.add(incident.id)
    for (const id of this.ids) {
      if (this.ids.size <= mostIds) return
      this.ids.delete(id)
    }
  }
}
