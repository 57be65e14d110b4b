/**
 * A cap on the messages of one check on one channel. It counts what was sent, so a recovery does not
 * reset it; a resolve that is owed is not counted and not held back.
 *
 * @internal
 */
import * as Format from "../../Common/Format.js"
import type { Notification, Suppression } from "./Notification.js"
import * as Step from "./Step.js"

/** Takes out the channels that had enough of the check. */
export const limit: Step.Stage = (step) => ({
  ...step,
  notifications: step.notifications.map((one): Notification => {
    if (one.heldBy.length > 0) return one
    const { service } = one.incident
    const capped = one.channels.flatMap((channel) => suppression(step, service, channel) ?? [])
    const isCapped = (channel: string) => capped.some(({ id }) => id === idOf(channel))
    return {
      ...one,
      channels: one.channels.filter((channel) => !isCapped(channel)),
      heldBy: capped
    }
  })
})

/** What is sent counts. */
export const count: Step.Stage = (step) =>
  Step.forEach(step, step.notifications, (before, { channels, incident: { service } }) =>
    Step.forEach(before, channels, (next, channel) => {
      const check = Step.check(next, service)
      const sent = [...recent(next, service, channel), next.now].slice(-next.policy.cap.messages)
      return Step.setCheck(next, service, { ...check, sent: { ...check.sent, [channel]: sent } })
    })
  )

const suppression = (
  step: Step.Step,
  service: string,
  channel: string
): Suppression | undefined => {
  const { messages, within } = step.policy.cap
  const sent = recent(step, service, channel)
  const oldest = sent[sent.length - messages]
  if (oldest === undefined) return undefined
  return {
    reason: "Cap",
    rule: "cap",
    id: idOf(channel),
    why: `${channel} had ${messages} messages about it within ${Format.span(within)}, which is the cap`,
    until: oldest + within
  }
}

const idOf = (channel: string): string => `Cap:${channel}`

const recent = (step: Step.Step, service: string, channel: string): ReadonlyArray<number> =>
  (Step.check(step, service).sent[channel] ?? []).filter(
    (time) => time > step.now - step.policy.cap.within
  )
