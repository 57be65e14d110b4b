/**
 * The policy is another one than before: which checks there are, at a start and while Holter runs.
 *
 * @internal
 */
import { HashMap } from "effect"
import * as Draft from "./Draft.js"
import type { Event } from "./Event.js"
import * as Incidents from "./incidents.js"
import { unseen } from "./State.js"

type Of<Tag extends Event["_tag"]> = Extract<Event, { _tag: Tag }>

/** A result of every check of the policy is due, and of no other. */
export const follow = (draft: Draft.Draft): void => {
  for (const service of draft.policy.checks.keys()) {
    if (!HashMap.has(draft.state.checks, service)) begin(draft, service)
  }
  const gone = [...HashMap.keys(draft.state.checks)].filter(
    (service) => !draft.policy.checks.has(service)
  )
  for (const service of gone) {
    const incident = Draft.incident(draft, service)
    if (incident !== undefined) {
      Incidents.end(draft, incident, "removed", "It is no longer checked")
    }
    draft.state.checks = HashMap.remove(draft.state.checks, service)
  }
}

export const reconfigured = (draft: Draft.Draft, event: Of<"Reconfigured">): void => {
  draft.unsettled = true
  for (const service of event.started) {
    if (draft.policy.checks.has(service)) begin(draft, service)
  }
  follow(draft)
  Draft.nothing(draft, { service: null }, "Noted", "configuration", event.why)
}

export const refused = (draft: Draft.Draft, event: Of<"ReconfigurationRefused">): void => {
  const why = `All goes on as before: ${event.problems.map((line) => line.trim()).join(" ")}`
  Draft.nothing(draft, { service: null }, "Noted", "configuration", why)
}

export const asked = (draft: Draft.Draft, { id }: Of<"ReloadAsked">): void => {
  const why = `Somebody wants the configuration to be read again (${id})`
  Draft.nothing(draft, { service: null }, "Noted", "configuration", why)
}

/**
 * What was counted of a check that is another one now says nothing of this one. Who was told of its
 * incident is told of the end, and the messages of before count for the cap.
 */
const begin = (draft: Draft.Draft, service: string): void => {
  const { interval } = Draft.rules(draft, service)
  const expectedBy = draft.now + draft.policy.staleAfter * interval
  const { openings, recovered, sent } = Draft.check(draft, service)
  Draft.setCheck(draft, service, { ...unseen, openings, recovered, sent, expectedBy })
}
