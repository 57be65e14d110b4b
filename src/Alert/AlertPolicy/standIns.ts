/**
 * Channels that are told in the place of another one, which is there and does not take what it is
 * told: nothing for a while, or not this alert.
 *
 * @internal
 */
import type { Alert } from "../Alert.js"
import { clause } from "../../Common/Sentences.js"
import * as Routes from "../Routes.js"
import * as Draft from "./Draft.js"
import type { Event } from "./Event.js"
import * as EventHandlers from "./eventHandlers.js"

type Of<Tag extends Event["_tag"]> = Extract<Event, { _tag: Tag }>

/** What it did not take its fallback is told of, as is what is new from now on. Its line goes on. */
export const unreachable = (draft: Draft.Draft, event: Of<"ChannelUnreachable">): void => {
  const { channel, pending, why } = event
  draft.state.unreachable = { ...draft.state.unreachable, [channel]: why }
  draft.unsettled = true
  const words = `Channel ${channel} cannot be reached: ${clause(why)}. Its fallback is notified until it can`
  Draft.nothing(draft, { service: null }, "Noted", "fallback", words)
  for (const alert of pending) standIn(draft, channel, alert)
}

export const reached = (draft: Draft.Draft, channel: string): void => {
  const { [channel]: _, ...unreachableStill } = draft.state.unreachable
  draft.state.unreachable = unreachableStill
  draft.unsettled = true
  const why = `Channel ${channel} is tried with what is new again`
  Draft.nothing(draft, { service: null }, "Noted", "fallback", why)
}

/** The channel counts as told: it is asked to take the end, and is not told the same again. */
export const refused = (
  draft: Draft.Draft,
  { channel, pending, why }: Of<"AlertRefused">
): void => {
  const said = `Channel ${channel} does not take this alert: ${clause(why)}`
  for (const alert of pending) {
    const other = otherThan(draft, channel, alert)
    if (other === undefined) {
      for (const { incident, service } of alert.subjects) {
        draft.decisions.push({
          _tag: "Nothing",
          ...Draft.common(
            draft,
            { service },
            "fallback",
            `${said}. It has no fallback: it is given up`
          ),
          incident,
          reason: "GivenUp"
        })
      }
      continue
    }
    Draft.nothing(
      draft,
      { service: null },
      "Noted",
      "fallback",
      `${said}. ${other} is notified instead`
    )
    standIn(draft, channel, alert)
    if (alert.subjects.some(({ over }) => over)) EventHandlers.handOn(draft, channel, alert, said)
  }
}

const news: ReadonlySet<string> = new Set(["opened", "stale", "flapping", "escalated", "story"])

/** Of what is open still. Whether there is something to tell is decided as for any other channel. */
const standIn = (draft: Draft.Draft, channel: string, alert: Alert): void => {
  const other = otherThan(draft, channel, alert)
  if (other === undefined || !news.has(alert.kind)) return
  for (const { incident: id, service } of alert.subjects) {
    const incident = Draft.incident(draft, service)
    if (incident?.id !== id) continue
    const standIns = { ...incident.standIns, [other]: channel }
    Draft.setIncident(draft, { ...incident, standIns })
  }
  draft.unsettled = true
}

const otherThan = (draft: Draft.Draft, channel: string, alert: Alert): string | undefined =>
  Routes.fallback(draft.policy.routes, alert.severity, channel, (name) => {
    return name === channel || Draft.isDisabled(draft)(name)
  })
