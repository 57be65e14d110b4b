/**
 * Reminders go by time, with growing gaps, and never by the number of beats.
 *
 * @internal
 */
import * as Format from "../../Common/Format.js"
import type { Of } from "./Event.js"
import * as Incidents from "./incidents.js"
import { type Message, type Notification, present } from "./Notification.js"
import { channelRules, type Millis, type Policy } from "./Policy.js"
import * as Routing from "./routing.js"
import type { Incident } from "./State.js"
import * as Step from "./Step.js"
import * as Suppressions from "./suppressions.js"

export const acknowledged = (step: Step.Step, { by, service }: Of<"Acknowledged">): Step.Step => {
  const incident = Step.incident(step, service)
  if (incident === undefined) {
    const why = `${by} acknowledged it, but no incident is open`
    return Step.nothing(step, { service }, "Noted", "acknowledged", why)
  }
  const why = `${by} acknowledged it: no more reminders, unless it becomes worse`
  const next = Step.setIncident(step, { ...incident, acknowledgedBy: by, remindAt: null })
  return Step.nothing(next, incident, "Noted", "acknowledged", why)
}

/** A notification for each incident of which a reminder is due. */
export const find: Step.Stage = (step) => ({
  ...step,
  notifications: Step.incidents(step).flatMap((incident): ReadonlyArray<Notification> => {
    const { flapping, remindAt, severity, told } = incident
    if (remindAt === null || remindAt > step.now) return []
    // It seems to come back: the next results decide, and not a message that is wrong by then.
    if (flapping === null && Incidents.severityNow(step, incident) === undefined) return []
    const isOff = Routing.isDisabled(step)
    const channels = Object.keys(told).filter(
      (channel) => channelRules(step.policy, channel).reminders && !isOff(channel)
    )
    return [{ about: "reminder", incident, severity, channels, heldBy: [] }]
  })
})

/** When the next one is due, and what held this one back. After a start it waits until it was seen again. */
export const record: Step.Stage = (step) =>
  Step.forEach(step, step.notifications, (next, { channels, heldBy, incident }) => {
    const [first] = heldBy
    if (first?.reason === "Start") {
      return first.until === undefined ? next : Step.lookAgain(next, first.until)
    }
    const noted = Step.forEach(next, heldBy, (one, suppression) =>
      Suppressions.decide(one, incident, suppression, `A reminder was due. ${suppression.why}`)
    )
    return Step.setIncident(noted, {
      ...incident,
      reminders: incident.reminders + 1,
      remindAt: step.now + gapAfter(step.policy, incident),
      messages: incident.messages + channels.length
    })
  })

/** After a channel was notified of an incident they begin anew. */
export const begin: Step.Stage = (step) => {
  const gap = step.policy.reminders[0]
  return Step.setIncidents(
    step,
    step.notifications.flatMap(({ channels, incident: { service } }) => {
      const incident = Step.incident(step, service)
      if (incident === undefined || channels.length === 0) return []
      const isOver = gap === undefined || incident.acknowledgedBy !== null
      return [{ ...incident, reminders: 0, remindAt: isOver ? null : step.now + gap }]
    })
  )
}

export const messages = (step: Step.Step, notification: Notification): ReadonlyArray<Message> => {
  const now = present(notification)
  const { incident } = notification
  const gap = gapAfter(step.policy, incident)
  const why = `Still ${now.severity}, for ${Format.span(step.now - incident.since)}; the next reminder is due in ${Format.span(gap)}`
  return notification.channels.map((channel) => {
    const insteadOf = Routing.insteadOfWhom(step, incident, channel)
    return { incident: now, channel, kind: "reminder", rule: "reminder", why, insteadOf }
  })
}

const gapAfter = ({ reminders: gaps }: Policy, { reminders }: Incident): Millis =>
  gaps[Math.min(reminders + 1, gaps.length - 1)] ?? Number.POSITIVE_INFINITY
