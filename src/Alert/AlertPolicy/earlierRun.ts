/**
 * Takes up what an earlier run knew, while this one runs already. Who was told of an outage is told
 * of its end, though it was over before anybody remembered it.
 *
 * @internal
 */
import { worst } from "../Alert.js"
import * as Draft from "./Draft.js"
import * as Incidents from "./incidents.js"
import type { Ended, Incident, State } from "./State.js"
import * as Format from "../../Common/Format.js"

export const remembered = (draft: Draft.Draft, earlier: State): void => {
  const { state } = draft
  // Both clocks are the wall's, with what each of them has seen it set by.
  const shift = state.offset - earlier.offset
  const found = Object.values(earlier.incidents).map((incident) => moved(incident, shift))
  state.sequence = Math.max(state.sequence, earlier.sequence)
  for (const incident of found) takeUp(draft, incident)
  state.ended = [
    ...state.ended,
    ...earlier.ended.map((ended): Ended => {
      const { at, incident } = ended
      return { ...ended, at: at + shift, incident: moved(incident, shift) }
    })
  ]
  const known = new Set(state.quiets.map(({ id, kind }) => `${kind}:${id}`))
  state.quiets = [
    ...state.quiets,
    ...earlier.quiets
      .filter(({ id, kind }) => !known.has(`${kind}:${id}`))
      .map((quiet) => ({ ...quiet, until: quiet.until === null ? null : quiet.until + shift }))
  ]
  draft.unsettled = true
  const why = `The journal is there: it has ${Format.many(found.length, "open incident")} of an earlier run`
  Draft.nothing(draft, { service: null }, "Noted", "start", why)
}

/** One that is open now is the same outage, or one that whoever was told takes for the same. */
const takeUp = (draft: Draft.Draft, earlier: Incident): void => {
  const { service } = earlier
  const own = Draft.incident(draft, service)
  if (!draft.policy.checks.has(service)) {
    Draft.setIncident(draft, earlier)
    return Incidents.end(draft, earlier, "removed", "It is no longer checked")
  }
  if (own === undefined) return Draft.setIncident(draft, earlier)
  Draft.setIncident(draft, {
    ...earlier,
    guidance: own.guidance,
    severity: worst([earlier.severity, own.severity]),
    told: { ...earlier.told, ...own.told },
    names: namesOf(earlier, own),
    messages: Math.max(earlier.messages, own.messages),
    remindAt: own.remindAt ?? earlier.remindAt,
    flapping: own.flapping ?? earlier.flapping,
    held: own.held
  })
}

/** A channel that was told by both runs knows both ids. */
const namesOf = (earlier: Incident, own: Incident): Incident["names"] => {
  if (earlier.id === own.id && Object.keys(own.names).length === 0) return earlier.names
  const channels = new Set([...Object.keys(earlier.told), ...Object.keys(own.told)])
  const of = ({ id, names, told }: Incident, channel: string) =>
    Object.hasOwn(told, channel) ? (names[channel] ?? [id]) : []
  return Object.fromEntries(
    [...channels].map((channel) => [
      channel,
      [...new Set([...of(earlier, channel), ...of(own, channel)])]
    ])
  )
}

const moved = (incident: Incident, shift: number): Incident => {
  const { flapping, opened, remindAt, since } = incident
  return {
    ...incident,
    opened: opened + shift,
    since: since + shift,
    remindAt: remindAt === null ? null : remindAt + shift,
    flapping: flapping === null ? null : { ...flapping, lastChange: flapping.lastChange + shift }
  }
}
