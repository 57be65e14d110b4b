/**
 * The page of `holter status`. Pure.
 */
import type { DateTime } from "effect"
import type { Look } from "../Output.js"
import { guidance, mark, named, onOneLine } from "../Presentation.js"
import * as Columns from "../Columns.js"
import * as DeliveryWords from "./DeliveryWords.js"
import * as Moments from "./moments.js"
import * as Suppressions from "./Suppressions.js"
import type { ServiceStatus, StatusReport } from "./StatusReport.js"
import * as Format from "../../Common/Format.js"

/** Times are in the zone of who reads. */
export const lines = (
  report: StatusReport,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => [
  headline(report, look),
  ...watching(report),
  ...services(report, look),
  ...section("Open incidents:", Object.values(report.services).flatMap(incident(report, zone))),
  ...section("What to do, and where to look:", Object.values(report.services).flatMap(helping)),
  ...section(
    "No messages about:",
    report.quiet.map(
      (quiet) => `${Suppressions.whom(quiet.services)}: ${Suppressions.text(quiet, zone)}`
    )
  ),
  ...section(
    "Disabled channels (`holter alerts test CHANNEL` brings one back):",
    Object.entries(report.disabled_channels).map(([name, why]) => `${name}: ${onOneLine(why)}`)
  ),
  ...section(
    "Alerts that no channel has taken yet:",
    report.outbox.map(
      ({ at, channel, delivery, kind, services: whom }) =>
        `${channel}: ${kind}, ${whom.join(", ")}, since ${Moments.shownIn(zone)(at)}${DeliveryWords.trouble(delivery, zone)}`
    )
  )
]

const headline = (report: StatusReport, look: Look): string => {
  const { overall_status, watch } = report
  const all = Object.values(report.services)
  const words =
    overall_status === "unknown" && watch.last_known_status !== "unknown"
      ? `Nothing is known now; it was ${watch.last_known_status}`
      : verdict(all)
  return `${mark(overall_status, look)} ${words}`
}

const verdict = (all: ReadonlyArray<ServiceStatus>): string => {
  const having = (status: ServiceStatus["status"]) => {
    const names = all
      .filter((one) => one.status === status)
      .map(({ label, name }) => named(name, label))
    return names.length === 0 ? [] : [`${status}: ${names.join(", ")}`]
  }
  const wrong = [...having("unhealthy"), ...having("degraded")]
  if (wrong.length > 0) return wrong.join("; ")
  const healthy = all.filter(({ status }) => status === "healthy").length
  return healthy === all.length
    ? `${Format.many(healthy, "service")}, all healthy`
    : `${healthy} of ${Format.many(all.length, "service")} healthy; ${having("unknown").join("")}`
}

const watching = ({ timestamp, watch }: StatusReport): ReadonlyArray<string> => {
  const now = Moments.millisOf(timestamp)
  const last =
    watch.last_result === null
      ? "there is no result"
      : `the last result is from ${Format.ago(Moments.millisOf(watch.last_result), now)}`
  const waiting =
    watch.requests_waiting === 0
      ? []
      : [`   ${Format.many(watch.requests_waiting, "request")} not taken by it yet`]
  return [
    watch.running
      ? `   holter watch runs: ${last}`
      : `   holter watch does not seem to run: ${last}. Start it with \`holter watch\``,
    ...waiting
  ]
}

const heading = ["SERVICE", "STATUS", "FOR", "RESPONSE", "CHECKED", "MESSAGE"]

const services = (report: StatusReport, look: Look): ReadonlyArray<string> => {
  const now = Moments.millisOf(report.timestamp)
  const rows = Object.values(report.services).map((one) => [
    named(one.name, one.label),
    `${one.status}${one.stale ? ", stale" : ""}`,
    one.since === null
      ? ""
      : `${one.since_is_exact ? "" : "> "}${Format.about(now - Moments.millisOf(one.since))}`,
    one.response_time_ms === null ? "" : `${Math.round(one.response_time_ms)} ms`,
    one.last_check === null ? "never" : Format.ago(Moments.millisOf(one.last_check), now),
    onOneLine(one.message)
  ])
  if (rows.length === 0) return []
  const table = Columns.table([heading, ...rows], (column) => column === 3)
  if (!look.emoji) return ["", ...table]
  const signs = Object.values(report.services).map(({ status }) => mark(status, look))
  return ["", ...table.map((line, index) => `${signs[index - 1] ?? "  "} ${line}`)]
}

const incident =
  ({ outbox, timestamp }: StatusReport, zone: DateTime.TimeZone) =>
  (one: ServiceStatus): ReadonlyArray<string> => {
    if (one.incident === null) return []
    const { acknowledged_by, cause, flapping, id, next_reminder, severity, since, told } =
      one.incident
    const now = Moments.millisOf(timestamp)
    const began = Moments.millisOf(since)
    const owed = new Set(
      outbox.filter(({ incidents }) => incidents.includes(id)).map(({ channel }) => channel)
    )
    const channels = Object.keys(told).filter((channel) => !owed.has(channel))
    const parts = [
      `${named(one.name, one.label)}: ${cause === "stale" ? "no results" : severity} since ${Moments.shownIn(zone)(since)} (${Format.about(now - began)})`,
      channels.length === 0
        ? `no channel ${owed.size === 0 ? "was" : "has been"} notified${owed.size === 0 ? "" : " yet"} (\`holter why ${one.name}\`)`
        : `notified: ${channels.join(", ")}`,
      ...(owed.size === 0 ? [] : [`pending for: ${[...owed].join(", ")}`]),
      ...(flapping ? ["it flaps"] : []),
      ...(acknowledged_by === null ? [] : [`acknowledged by ${onOneLine(acknowledged_by)}`]),
      ...(next_reminder === null
        ? []
        : [`next reminder at ${Moments.shownIn(zone)(next_reminder)}`])
    ]
    return [parts.join("; ")]
  }

/** Of what is well nobody needs it now; `why` and `--json` have it all. */
const helping = (one: ServiceStatus): ReadonlyArray<string> =>
  one.status === "healthy" && one.incident === null
    ? []
    : guidance(one).map((text) => `${named(one.name, one.label)}: ${text}`)

const section = (title: string, rows: ReadonlyArray<string>): ReadonlyArray<string> =>
  rows.length === 0 ? [] : ["", title, ...rows.map((row) => `  ${row}`)]
