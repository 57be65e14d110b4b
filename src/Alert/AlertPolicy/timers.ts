/**
 * What the passing of time alone does: quiet times end, checks without results become stale,
 * flapping calms down.
 *
 * @internal
 */
import { HashMap } from "effect"
import * as Draft from "./Draft.js"
import * as Incidents from "./incidents.js"
import type { Incident } from "./State.js"
import * as Format from "../../Common/Format.js"

export const run = (draft: Draft.Draft): void => {
  endQuiets(draft)
  findStale(draft)
  calmDown(draft)
}

const endQuiets = (draft: Draft.Draft): void => {
  const { quiets } = draft.state
  const over = quiets.filter(({ until }) => until !== null && until <= draft.now)
  if (over.length === 0) return
  draft.state.quiets = quiets.filter((quiet) => !over.includes(quiet))
  for (const { id, kind } of over) {
    const rule = kind === "Maintenance" ? "maintenance" : "silence"
    Draft.nothing(draft, { service: null }, "Noted", rule, `${kind} ${id} is over`)
  }
}

const findStale = (draft: Draft.Draft): void => {
  for (const [service, check] of HashMap.entries(draft.state.checks)) {
    if (check.expectedBy === null || check.expectedBy > draft.now) continue
    const waited = Format.span(draft.now - Math.max(check.lastResult, draft.state.awakeSince))
    const message = `No result for ${waited}`
    const why = `${message}, and one was due every ${Format.span(Draft.rules(draft, service).interval)}`
    const previous = check.status === "unknown" ? check.previous : check.status
    Draft.setCheck(draft, service, { ...check, ...notKnown, previous, message })
    const incident = Draft.incident(draft, service)
    if (incident !== undefined) {
      draft.unsettled = true
      Draft.nothing(draft, incident, "StillOpen", "stale", `${why}; the incident is open already`)
      continue
    }
    Incidents.open(draft, {
      service,
      cause: "stale",
      severity: Draft.rules(draft, service).critical ? "unhealthy" : "degraded",
      since: Math.max(check.lastResult, draft.state.awakeSince),
      why
    })
  }
}

/** What comes after the silence is counted from nothing. */
const notKnown = {
  status: "unknown",
  expectedBy: null,
  failures: 0,
  unhealthy: 0,
  successes: 0,
  failingSince: null
} as const

const calmDown = (draft: Draft.Draft): void => {
  const { calm } = draft.policy.flapping
  for (const incident of Draft.incidents(draft)) {
    const { flapping } = incident
    if (flapping === null || flapping.lastChange + calm > draft.now) continue
    const why = `Nothing changed for ${Format.span(calm)} after ${Format.many(flapping.changes, "change")}`
    if (flapping.up) Incidents.end(draft, incident, "flapping", why)
    else stayDown(draft, incident, why)
  }
}

/** The final state is bad: that is said as a reminder, which is due now. */
const stayDown = (draft: Draft.Draft, incident: Incident, why: string): void => {
  const isTold = Object.keys(incident.told).length > 0
  const remindAt = isTold && incident.acknowledgedBy === null ? draft.now : incident.remindAt
  Draft.setIncident(draft, { ...incident, flapping: null, remindAt })
  Draft.nothing(draft, incident, "StillOpen", "flapping", `${why}: it stays ${incident.severity}`)
}
