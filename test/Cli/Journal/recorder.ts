/**
 * Writes a journal as a watching program does: results, and the steps of the alert policy.
 */
import { NodeContext } from "@effect/platform-node"
import { DateTime, Duration, Effect, Layer } from "effect"
import type { Status } from "../../../src/Check/CheckResult.js"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import { Outbox } from "../../../src/Alert/Outbox.js"
import * as JournalAccess from "../../../src/Cli/Journal/JournalAccess.js"
import type * as DatabaseUrl from "../../../src/Common/DatabaseUrl.js"
import * as Journal from "../../../src/Monitor/Journal.js"
import { check } from "../../Alert/trace.js"

export type Event = AlertPolicy.Event.Event

export const second = 1000
export const minute = 60_000

/** Two checks of 30 s, of which the first is told to `ops` when it is unhealthy. */
export const policy = AlertPolicy.make({
  checks: [check("redis"), check("web", { critical: false })],
  routes: [
    { severity: "unhealthy", to: ["ops"] },
    { severity: "degraded", to: ["log"] }
  ]
})

/** The results of a service, 30 s apart, of which the last is at this time. */
export const results = (
  service: string,
  last: number,
  statuses: ReadonlyArray<Status>
): ReadonlyArray<Event> =>
  statuses.map((status, index) => ({
    _tag: "Result",
    at: last - (statuses.length - 1 - index) * 30 * second,
    service,
    status,
    message: status === "healthy" ? "PONG" : "connection refused",
    retryAfter: null
  }))

export const times = (count: number, status: Status): ReadonlyArray<Status> =>
  Array.from({ length: count }, () => status)

export const restarted = (at: number): Event => ({ _tag: "Restarted", at })

/** By time, as they would come. */
export const inOrder = (...events: ReadonlyArray<Event>): ReadonlyArray<Event> =>
  [...events].sort((one, other) => one.at - other.at)

export const access = (url: DatabaseUrl.DatabaseUrl) =>
  Layer.provide(JournalAccess.layer({ url, retain: undefined }), NodeContext.layer)

/** Writes what happened, and acknowledges all alerts but those of these channels. */
export const record = (
  url: DatabaseUrl.DatabaseUrl,
  events: ReadonlyArray<Event>,
  hanging: ReadonlyArray<string> = []
) =>
  Effect.gen(function* () {
    const journal = yield* Journal.Journal
    const outbox = yield* Outbox
    let before = AlertPolicy.initial
    for (const event of events) {
      const [after, decisions] = AlertPolicy.advance(policy, before, event)
      if (event._tag === "Result") yield* journal.record(resultOf(event))
      const isNews = decisions.some(({ rule, _tag }) => _tag !== "Nothing" || rule !== "steady")
      if (isNews) yield* journal.commit({ event, before, after, decisions })
      before = after
      const taken = decisions.flatMap(({ alerts }) => alerts)
      for (const { at, channel, key } of taken) {
        if (!hanging.includes(channel)) yield* outbox.acknowledge([key], at.epochMillis)
      }
    }
    yield* journal.flush
  }).pipe(Effect.provide(access(url)))

const resultOf = ({ at, message, service, status }: Extract<Event, { _tag: "Result" }>) => ({
  service,
  status,
  message,
  note: undefined,
  responseTime: Duration.millis(12.5),
  lastCheck: DateTime.unsafeMake(at),
  details: { latency_ms: 12 },
  reason: status === "healthy" ? undefined : "Unreachable",
  retryAfter: undefined
})
