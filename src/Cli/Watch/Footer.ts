/**
 * What stands below the table: the overall status, backups, and what is in trouble. Pure.
 */
import type { DateTime } from "effect"
import * as WallTime from "../../Common/WallTime.js"
import { type Status, weigh } from "../../Check/CheckResult.js"
import * as Suppressions from "../Journal/Suppressions.js"
import type { Look } from "../Output.js"
import { called, onOneLine } from "../Presentation.js"
import {
  type Backups,
  type WatchState,
  type ChannelTrouble,
  type JournalTrouble,
  overall,
  type Row
} from "./WatchState.js"
import * as Marks from "./Marks.js"
import * as Format from "../../Common/Format.js"

export interface FooterLine {
  readonly text: string
  /** What colour it has. */
  readonly status: Status | undefined
}

export const lines = (board: WatchState, look: Look, now: number): ReadonlyArray<FooterLine> => [
  verdict(board, look),
  ...(board.notConfigured.length === 0
    ? []
    : [plain(`Not configured: ${board.notConfigured.join(", ")}`)]),
  ...(board.backup === undefined ? [] : backups(board.backup, now, board.zone)),
  ...board.quiet.map((quiet) =>
    warning(
      `No messages about ${Suppressions.whom(quiet.services)}: ${Suppressions.text(quiet, board.zone)}`
    )
  ),
  ...board.channels.map(channel),
  ...journal(board.journal),
  ...(board.stopping === undefined ? [] : [warning(`Stopping: ${board.stopping}`)])
]

/** For the rows that a low terminal has no room for. */
export const hidden = (rows: ReadonlyArray<Row>): string => {
  const counts = (["unhealthy", "degraded", "unknown", "healthy"] as const).flatMap((status) => {
    const count = rows.filter((row) => row.status === status).length
    return count === 0 ? [] : [`${count} ${status}`]
  })
  return `and ${counts.join(", ")}`
}

const verdict = (board: WatchState, look: Look): FooterLine => {
  const status = overall(board)
  return { status, text: `${Marks.sign(status, look)} ${sentence(board, status)}` }
}

const sentence = (board: WatchState, status: Status): string => {
  // What is not critical is no worse than degraded for the whole.
  const names = (one: Status) =>
    board.rows
      .filter((row) => weigh(row.status, row.critical) === one)
      .map(({ label, service }) => called(service, label))
      .join(", ")
  switch (status) {
    case "healthy":
      return "All healthy"
    case "degraded":
      return `Degraded: ${names("degraded")}`
    case "unhealthy": {
      const degraded = names("degraded")
      return `Unhealthy: ${names("unhealthy")}${degraded === "" ? "" : `; degraded: ${degraded}`}`
    }
    case "unknown":
      return "Nothing is known yet"
  }
}

const backups = (
  { last, next, problem, running }: Backups,
  now: number,
  zone: DateTime.TimeZone
) => {
  const when =
    running === undefined
      ? next === undefined
        ? "No backup is planned"
        : `Next backup ${toTheMinute(next, zone)}, in ${Format.span(next - now, { padded: true })}`
      : `${running.what} is running for ${Format.span(now - running.since, { padded: true })}`
  const before =
    last === undefined
      ? "none yet"
      : `last ${last.name}, ${Format.bytes(last.bytes)}, ${Format.span(now - last.at, { padded: true })} ago`
  return [
    plain(`${when}; ${before}`),
    ...(problem === undefined ? [] : [trouble(onOneLine(problem))])
  ]
}

const toTheMinute = (moment: number, zone: DateTime.TimeZone): string =>
  WallTime.shown(moment, zone).replace(/:\d\d(?= )/, "")

const channel = ({ channel: name, disabled, problem, waiting }: ChannelTrouble): FooterLine => {
  const alerts = `${waiting} ${waiting === 1 ? "alert waits" : "alerts wait"}`
  return trouble(
    `Channel ${name}${disabled ? " is disabled" : ""}: ${alerts}, ${onOneLine(problem)}`
  )
}

const journal = ({ problem, waiting }: JournalTrouble): ReadonlyArray<FooterLine> =>
  problem === undefined
    ? []
    : [trouble(`Journal down, ${waiting} entries wait: ${onOneLine(problem)}`)]

const plain = (text: string): FooterLine => ({ text, status: undefined })
const warning = (text: string): FooterLine => ({ text, status: "degraded" })
const trouble = (text: string): FooterLine => ({ text, status: "unhealthy" })
