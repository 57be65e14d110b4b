/**
 * Traces of events for the fold, and what comes of them.
 */
import { Duration } from "effect"
import type { Alert } from "../../src/Alert/Alert.js"
import * as AlertPolicy from "../../src/Alert/AlertPolicy.js"
import * as CheckPolicy from "../../src/Check/CheckPolicy.js"
import type { Status } from "../../src/Check/CheckResult.js"

export type Event = AlertPolicy.Event.Event

export const seconds = (count: number) => count * 1000
export const minutes = (count: number) => count * 60_000
export const hours = (count: number) => count * 3_600_000

/** A day in 2026, so that a time of 0 does not hide a mistake. */
export const start = 1_767_225_600_000

export const check = (name: string, settings: CheckPolicy.Settings = {}) => ({
  name,
  policy: CheckPolicy.override(CheckPolicy.defaults, settings)
})

/**
 * Two checks of 30 s, `ops` for what is unhealthy with `hook` behind it, `log` for the rest. Nothing
 * becomes stale, so that a trace need not go on with every check.
 */
export const policy = (options: AlertPolicy.Options = {}): AlertPolicy.Policy =>
  AlertPolicy.make({
    checks: [check("redis"), check("web")],
    routes: [
      { severity: "unhealthy", to: ["ops"], fallback: "hook" },
      { severity: "degraded", to: ["log"] }
    ],
    staleAfter: 1_000_000,
    ...options
  })

export const result = (
  at: number,
  service: string,
  status: Status,
  retryAfter: number | null = null
): Event => ({
  _tag: "Result",
  at: start + at,
  service,
  status,
  message: `${service} is ${status}`,
  retryAfter
})

export const time = (at: number): Event => ({ _tag: "Time", at: start + at })
export const restarted = (at: number): Event => ({ _tag: "Restarted", at: start + at })

/** The status once every interval, as often as asked. */
export const beats = (
  from: number,
  service: string,
  statuses: ReadonlyArray<Status>,
  every = seconds(30)
): ReadonlyArray<Event> =>
  statuses.map((status, index) => result(from + index * every, service, status))

export const repeat = (count: number, ...statuses: ReadonlyArray<Status>): ReadonlyArray<Status> =>
  Array.from({ length: count }, () => statuses).flat()

/** Events of several traces, in the order of their times. */
export const merge = (...traces: ReadonlyArray<ReadonlyArray<Event>>): ReadonlyArray<Event> =>
  traces.flat().sort((one, other) => one.at - other.at)

export interface Outcome {
  readonly state: AlertPolicy.State
  readonly decisions: ReadonlyArray<AlertPolicy.Decision>
  readonly alerts: ReadonlyArray<Alert>
  /** `ops opened redis+web @30s`, one for each alert. */
  readonly told: ReadonlyArray<string>
  /** `Suppressed redis Maintenance`, one for each decision. */
  readonly decided: ReadonlyArray<string>
}

/** Folds the events, with every time that the fold asks for in between. */
export const fold = (
  under: AlertPolicy.Policy,
  events: ReadonlyArray<Event>,
  from: AlertPolicy.State = AlertPolicy.initial
): Outcome => {
  let state = from
  const decisions: Array<AlertPolicy.Decision> = []
  for (const event of events) {
    const [next, decided] = AlertPolicy.advance(under, state, event)
    state = next
    decisions.push(...decided)
  }
  const alerts = decisions.flatMap((decision) => decision.alerts)
  return { state, decisions, alerts, told: alerts.map(show), decided: decisions.map(showDecision) }
}

const show = (alert: Alert): string => {
  const services = alert.subjects.map(({ service }) => service).join("+")
  const affected = alert.affected.length === 0 ? "" : ` (affects ${alert.affected.join(", ")})`
  return `${alert.channel} ${alert.kind} ${services}${affected} @${clock(Number(alert.at.epochMillis))}`
}

const showDecision = (decision: AlertPolicy.Decision): string =>
  [decision._tag, decision.service ?? "-", ...("reason" in decision ? [decision.reason] : [])].join(
    " "
  )

const clock = (at: number): string =>
  Duration.format(Duration.millis(at - start)).replaceAll(" ", "")
