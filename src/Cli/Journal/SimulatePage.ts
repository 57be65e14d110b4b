/**
 * The page of `holter simulate`. Pure.
 */
import type { DateTime } from "effect"
import * as WallTime from "../../Common/WallTime.js"
import * as Columns from "../Columns.js"
import { onOneLine } from "../Presentation.js"
import * as Replay from "./Replay.js"
import * as Format from "../../Common/Format.js"

/** Times are in the zone of who reads. */
export const lines = (report: Replay.Report, zone: DateTime.TimeZone): ReadonlyArray<string> => {
  const { leftOut, results, rows, span } = report
  if (span === undefined) return ["Nothing was recorded in that time"]
  return [
    `Replayed ${Format.many(results, "result")}, ${WallTime.digits(span.from, zone)} to ${WallTime.shown(span.to, zone)}`,
    ...omission(leftOut),
    ...summary(Replay.counts(rows)),
    ...alerts(rows, zone)
  ]
}

const omission = ({
  alerts,
  results,
  services
}: Replay.Report["leftOut"]): ReadonlyArray<string> =>
  services.length === 0
    ? []
    : [
        `Left out: ${Format.many(results, "result")} and ${Format.many(alerts, "alert")} of ${Format.many(services.length, "service")} that this configuration does not have (${services.join(", ")})`
      ]

/** How far a replay has come, for a terminal. */
export const progress = (
  results: number,
  at: number,
  from: number,
  now: number,
  zone: DateTime.TimeZone
): string => {
  const share = now > from ? Math.min(99, Math.floor(((at - from) / (now - from)) * 100)) : 0
  return `Replaying  ${share} %  ${Format.many(results, "result")}, up to ${WallTime.shown(at, zone)}`
}

const summary = (counts: ReadonlyArray<Replay.Count>): ReadonlyArray<string> => {
  if (counts.length === 0) return ["No alert was sent, and none would be"]
  const sum = (of: (count: Replay.Count) => number) =>
    counts.reduce((total, count) => total + of(count), 0)
  const whole = {
    channel: "in all",
    was_sent: sum((one) => one.was_sent),
    would_be_sent: sum((one) => one.would_be_sent),
    in_both: sum((one) => one.in_both)
  }
  return [
    "",
    ...Columns.table(
      [
        ["CHANNEL", "WAS SENT", "WOULD BE SENT", "IN BOTH"],
        ...[...counts, whole].map((one) => [
          one.channel,
          Format.count(one.was_sent),
          Format.count(one.would_be_sent),
          Format.count(one.in_both)
        ])
      ],
      (column) => column > 0
    )
  ]
}

/** More than these nobody reads; the document of `--json` has all. */
const mostRows = 200

const alerts = (
  rows: ReadonlyArray<Replay.Row>,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => {
  if (rows.length === 0) return []
  const left = Math.max(0, rows.length - mostRows)
  return [
    "",
    ...(left === 0 ? [] : [`${Format.count(left)} earlier alerts are left out (--json has them)`]),
    ...Columns.table([
      [`WHEN (${WallTime.nameOf(zone)})`, "CHANNEL", "WAS SENT", "WOULD BE SENT"],
      ...rows
        .slice(left)
        .map(({ at, channel, was, would }) => [
          WallTime.digits(at, zone),
          channel,
          titleOf(was),
          titleOf(would)
        ])
    ])
  ]
}

const titleOf = (sent: Replay.Sent | undefined): string =>
  sent === undefined ? "-" : onOneLine(sent.title)
