/**
 * The second half of a step: what follows from the event, and from the time, for everybody. Skipped
 * for an event that changes nothing for anybody else, which is nearly every one.
 *
 * @internal
 */
import { HashMap } from "effect"
import * as Draft from "./Draft.js"
import * as Timers from "./timers.js"
import * as Reminders from "./reminders.js"
import * as Resolving from "./resolving.js"
import * as Notifying from "./notifying.js"

export const run = (draft: Draft.Draft): void => {
  Timers.run(draft)
  Resolving.run(draft)
  Notifying.run(draft)
  Reminders.run(draft)
  const { groupUntil } = draft.state
  if (groupUntil !== null && groupUntil <= draft.now) draft.state.groupUntil = null
  draft.state.due = due(draft) ?? null
}

/** The next time at which a rule that goes by time has something to say. */
const due = (draft: Draft.Draft): number | undefined => {
  const { checks, groupUntil, incidents, quiets } = draft.state
  let next = Math.min(
    groupUntil ?? Number.POSITIVE_INFINITY,
    draft.lookAgain ?? Number.POSITIVE_INFINITY
  )
  const at = (time: number | null) => {
    if (time !== null && time > draft.now && time < next) next = time
  }
  for (const { until } of quiets) at(until)
  for (const { expectedBy } of HashMap.values(checks)) at(expectedBy)
  for (const { flapping, remindAt } of Object.values(incidents)) {
    at(remindAt)
    if (flapping !== null) at(flapping.lastChange + draft.policy.flapping.calm)
  }
  return Number.isFinite(next) ? Math.max(next, draft.now + 1) : undefined
}
