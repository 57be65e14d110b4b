/**
 * Outages that start together are one message, and so are those that end together: the first one opens a
 * window, and what comes in it waits for its end.
 *
 * @internal
 */
import type { Notification } from "./Notification.js"
import { channelRules } from "./Policy.js"
import * as Step from "./Step.js"

/** Takes out the channels whose window is open: what they are to hear is found again at its end. */
export const wait: Step.Stage = (step) => {
  const now = step.notifications.map((one): Notification => {
    return { ...one, channels: one.channels.filter((channel) => isTime(step, channel)) }
  })
  const isAnyLeft = now.some(
    ({ channels }, index) => channels.length < (step.notifications[index]?.channels.length ?? 0)
  )
  const next = { ...step, notifications: now }
  return isAnyLeft ? open(next) : next
}

/** Whether this channel is notified at once, or its window has ended. */
export const isTime = ({ now, policy, state }: Step.Step, channel: string): boolean => {
  if (!channelRules(policy, channel).grouped || policy.groupWindow === 0) return true
  const { groupUntil } = state
  return groupUntil !== null && now >= groupUntil
}

export const open = (step: Step.Step): Step.Step =>
  step.state.groupUntil === null
    ? { ...step, state: { ...step.state, groupUntil: step.now + step.policy.groupWindow } }
    : step

/** A window that is over. */
export const close: Step.Stage = (step) => {
  const { groupUntil } = step.state
  return groupUntil === null || groupUntil > step.now
    ? step
    : { ...step, state: { ...step.state, groupUntil: null } }
}
