/**
 * Holds notifications back, and writes down why: once for each cause, and when to look again.
 *
 * @internal
 */
import type { Notification, Suppression } from "./Notification.js"
import type { Incident } from "./State.js"
import * as Step from "./Step.js"

/** A stage that holds back what this has something against. What is held back already is not asked about. */
export const by =
  (
    suppression: (step: Step.Step, notification: Notification) => Suppression | undefined
  ): Step.Stage =>
  (step) => ({
    ...step,
    notifications: step.notifications.map((one): Notification => {
      if (one.heldBy.length > 0) return one
      const found = suppression(step, one)
      return found === undefined ? one : { ...one, channels: [], heldBy: [found] }
    })
  })

/** Writes down what holds the changes of incidents back. */
export const record: Step.Stage = (step) => {
  const recorded = Step.forEach(step, step.notifications, (before, { heldBy, incident }) => {
    const next = Step.forEach(before, heldBy, (one, { until }) =>
      until === undefined ? one : Step.lookAgain(one, until)
    )
    const news = heldBy.filter(({ id }) => !incident.held.includes(id))
    return Step.forEach(next, news, (one, suppression) =>
      decide(one, incident, suppression, whole(suppression))
    )
  })
  const incidents = step.notifications.flatMap(({ heldBy, incident }) => {
    const held = heldBy.map(({ id }) => id)
    return held.join("\n") === incident.held.join("\n") ? [] : [{ ...incident, held }]
  })
  return Step.setIncidents(recorded, incidents)
}

export const decide = (
  step: Step.Step,
  incident: Incident,
  { reason, rule }: Suppression,
  why: string
): Step.Step =>
  reason === "Recovering" || reason === "NoRoute"
    ? Step.nothing(step, incident, reason, rule, why)
    : Step.suppressed(step, incident, reason, rule, why)

const whole = ({ then, why }: Suppression): string => (then === undefined ? why : `${why}: ${then}`)
