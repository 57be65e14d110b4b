/**
 * Takes up what an earlier run knew, while this one runs already. Channels that were notified of an outage
 * get its end, though it was over before this run knew of it.
 *
 * @internal
 */
import * as Format from "../../Common/Format.js"
import { worst } from "../Alert.js"
import type { Of } from "./Event.js"
import * as Incidents from "./incidents.js"
import type { Ended, Incident } from "./State.js"
import * as Step from "./Step.js"

export const remembered = (step: Step.Step, { state: earlier }: Of<"Remembered">): Step.Step => {
  // Both clocks are the wall's, with what each of them has seen it set by.
  const shift = step.state.offset - earlier.offset
  const found = Object.values(earlier.incidents).map((incident) => moved(incident, shift))
  const sequence = Math.max(step.state.sequence, earlier.sequence)
  const next = Step.forEach(Step.change(step, { sequence }), found, takeUp)
  const known = new Set(next.state.quiets.map(({ id, kind }) => `${kind}:${id}`))
  const quiets = earlier.quiets
    .filter(({ id, kind }) => !known.has(`${kind}:${id}`))
    .map((quiet) => ({ ...quiet, until: quiet.until === null ? null : quiet.until + shift }))
  const ended = earlier.ended.map((one): Ended => {
    return { ...one, at: one.at + shift, incident: moved(one.incident, shift) }
  })
  return Step.note(
    Step.change(next, {
      ended: [...next.state.ended, ...ended],
      quiets: [...next.state.quiets, ...quiets]
    }),
    "start",
    `The journal is there: it has ${Format.many(found.length, "open incident")} of an earlier run`
  )
}

/** One that is open now is the same outage, or one that its channels take for the same. */
const takeUp = (step: Step.Step, earlier: Incident): Step.Step => {
  const { service } = earlier
  const own = Step.incident(step, service)
  if (!step.policy.checks.has(service)) {
    const opened = Step.setIncident(step, earlier)
    return Incidents.end(opened, earlier, "removed", "It is no longer checked")
  }
  if (own === undefined) return Step.setIncident(step, earlier)
  return Step.setIncident(step, {
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

/** A channel that was notified by both runs knows both ids. */
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
