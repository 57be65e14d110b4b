/**
 * Steps of the alert policy for a journal to keep.
 */
import { DateTime, Duration, Schema } from "effect"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import type { CheckResult, Status } from "../../../src/Check/CheckResult.js"
import type * as Journal from "../../../src/Monitor/Journal.js"
import { beats, type Event, policy, restarted, result, seconds, start } from "../../Alert/trace.js"

const rules = policy({ groupWindow: 0 })

export const checkResult = (at: number, service: string, status: Status): CheckResult => ({
  service,
  status,
  message: `${service} is ${status}`,
  note: undefined,
  responseTime: Duration.millis(12.5),
  lastCheck: DateTime.unsafeMake(start + at),
  details: { latency_ms: 12 },
  reason: status === "healthy" ? undefined : "Unreachable",
  retryAfter: undefined
})

/** Redis goes down and, with two successes more, comes back. */
export const outage = (successes = 2): ReadonlyArray<Event> => [
  restarted(0),
  result(seconds(15), "redis", "healthy"),
  ...beats(seconds(45), "redis", ["unhealthy", "unhealthy", "unhealthy"]),
  ...beats(
    seconds(135),
    "redis",
    Array.from({ length: successes }, () => "healthy" as const)
  )
]

/** A state as it is written: two that say the same may be built in other ways. */
export const written = Schema.encodeSync(AlertPolicy.State)

export const commits = (
  events: ReadonlyArray<Event>,
  from: AlertPolicy.State = AlertPolicy.initial
): ReadonlyArray<Journal.Commit> => {
  let before = from
  return events.map((event) => {
    const [after, decisions] = AlertPolicy.advance(rules, before, event)
    const commit = { event, before, after, decisions }
    before = after
    return commit
  })
}
