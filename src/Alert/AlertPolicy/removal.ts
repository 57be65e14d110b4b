/**
 * A channel is taken out of the configuration. It is told nothing any more, not even the end of what
 * it knows, and what it had not taken is given up.
 *
 * @internal
 */
import type { Alert } from "../Alert.js"
import * as Draft from "./Draft.js"
import type { ChannelRemoved } from "./Event.js"
import type { Incident } from "./State.js"
import * as Format from "../../Common/Format.js"

export const channelRemoved = (
  draft: Draft.Draft,
  { channel, pending }: typeof ChannelRemoved.Type
): void => {
  const gone = `Channel ${channel} is no longer configured`
  draft.unsettled = true
  for (const incident of Draft.incidents(draft)) {
    if (!Object.hasOwn(incident.told, channel)) continue
    Draft.setIncident(draft, without(incident, channel))
    const why = `${gone}: it will not get the end`
    Draft.nothing(draft, incident, "GivenUp", "route", why)
  }
  const { [channel]: _disabled, ...disabled } = draft.state.disabled
  const { [channel]: _away, ...unreachable } = draft.state.unreachable
  draft.state.disabled = disabled
  draft.state.unreachable = unreachable
  draft.state.ended = draft.state.ended.map((ended) => ({
    ...ended,
    channels: ended.channels.filter((name) => name !== channel)
  }))
  for (const alert of pending) {
    const why = `${gone}: what it had not taken is given up (${alert.kind})`
    for (const { incident: id, service } of alert.subjects) giveUp(draft, service, id, why)
  }
  const what = Format.many(pending.length, "alert")
  const lost =
    pending.length === 0
      ? ""
      : `, and ${what} that it had not taken ${pending.length === 1 ? "is" : "are"} given up`
  Draft.nothing(draft, { service: null }, "Noted", "route", `${gone}: it gets nothing more${lost}`)
}

const without = (incident: Incident, channel: string): Incident => {
  const { [channel]: _, ...told } = incident.told
  const { [channel]: _names, ...names } = incident.names
  return { ...incident, told, names }
}

const giveUp = (
  draft: Draft.Draft,
  service: Alert["subjects"][0]["service"],
  incident: string,
  why: string
): void => {
  draft.decisions.push({
    _tag: "Nothing",
    ...Draft.common(draft, { service }, "route", why),
    incident,
    reason: "GivenUp"
  })
}
