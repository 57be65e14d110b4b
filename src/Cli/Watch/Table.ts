/**
 * The live table of `holter watch`, as lines that fit the terminal. Pure.
 */
import * as WallTime from "../../Common/WallTime.js"
import type { Status } from "../../Check/CheckResult.js"
import type { Look } from "../Output.js"
import { onOneLine } from "../Presentation.js"
import type { Board, Row } from "./Board.js"
import * as Footer from "./Footer.js"
import * as Marks from "./Marks.js"
import { span } from "./Span.js"
import * as Sparkline from "./Sparkline.js"
import { cut, pad, width } from "./Width.js"

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** `now` in milliseconds of the wall clock. */
export const lines = (board: Board, size: Size, look: Look, now: number): ReadonlyArray<string> => {
  // In a full line the cursor waits at its end, where some terminals erase the last character.
  const columns = size.columns - 1
  const line = (...pieces: ReadonlyArray<Marks.Piece>) => Marks.line(pieces, columns, look)
  const footer = Footer.lines(board, look, now).map((piece) => line(piece))
  // Heading, an empty line, the head of the table, an empty line before the footer; and the line
  // below all of it, where the cursor rests.
  const room = Math.max(1, size.rows - 5 - footer.length)
  const { hidden, shown } = chosen(board.rows, room)
  const layout = layoutOf(shown, columns, look, now)
  return [
    line({ text: heading(board, columns, now) }),
    "",
    Marks.dim(line({ text: head(layout) }), look),
    ...shown.map((row) => line(...cells(row, layout, look, now))),
    ...(hidden.length === 0 ? [] : [line({ text: Footer.hidden(hidden) })]),
    "",
    ...footer
  ].slice(0, Math.max(1, size.rows - 1))
}

/** All rows in their order; where they are too many, those first that need somebody. */
const chosen = (rows: ReadonlyArray<Row>, room: number) => {
  if (rows.length <= room) return { shown: rows, hidden: [] }
  const byNeed = [...rows].sort((one, other) => need[other.status] - need[one.status])
  const kept = new Set(byNeed.slice(0, room - 1))
  return {
    shown: rows.filter((row) => kept.has(row)),
    hidden: rows.filter((row) => !kept.has(row))
  }
}

const need: Readonly<Record<Status, number>> = { unhealthy: 3, degraded: 2, unknown: 1, healthy: 0 }

interface Layout {
  /** Of the sign. */
  readonly mark: number
  /** Whether the status stands there as a word, beside its mark. */
  readonly words: boolean
  readonly service: number
  readonly since: number
  readonly response: number
  readonly beats: number
  readonly message: number
}

const leastMessage = 20
const mostService = 24

/** Where it is narrow the word of the status goes first, then beats; then the line is cut. */
const layoutOf = (rows: ReadonlyArray<Row>, columns: number, look: Look, now: number): Layout => {
  const widest = (heading: string, cells: ReadonlyArray<string>) =>
    Math.max(heading.length, ...cells.map(width))
  const service = Math.min(mostService, widest(titles.service, rows.map(nameOf)))
  const since = widest(
    titles.since,
    rows.map((row) => sinceOf(row, now))
  )
  const response = widest(titles.response, rows.map(responseOf))
  const mark = Marks.width(look)
  const fixed = mark + gap + service + gap + since + gap + response
  const left = columns - fixed - gap
  const words = left - statusWidth >= leastMessage ? statusWidth : 0
  const spare = left - words - leastMessage - gap
  const beats = spare < titles.beats.length ? 0 : Math.min(20, spare)
  const message = left - words - (beats === 0 ? 0 : beats + gap)
  return { mark, words: words > 0, service, since, response, beats, message: Math.max(0, message) }
}

const titles = {
  status: "STATUS",
  service: "SERVICE",
  since: "SINCE",
  response: "RESPONSE",
  beats: "BEATS",
  message: "MESSAGE"
}

const gap = 2

/** Of the word and the space before it. */
const statusWidth = " unhealthy".length

const heading = ({ name, zone }: Board, columns: number, now: number): string => {
  const time = WallTime.shown(now, zone)
  const title = onOneLine(name)
  const space = columns - width(title) - width(time)
  return space < gap ? title : `${title}${" ".repeat(space)}${time}`
}

const head = ({ beats, mark, message, response, service, since, words }: Layout): string =>
  [
    (words ? titles.status : "").padEnd(mark + (words ? statusWidth : 0)),
    titles.service.padEnd(service),
    titles.since.padEnd(since),
    titles.response.padStart(response),
    ...(beats === 0 ? [] : [titles.beats.padEnd(beats)]),
    ...(message < titles.message.length ? [] : [titles.message])
  ].join("  ")

const cells = (
  row: Row,
  { beats, message, response, service, since, words }: Layout,
  look: Look,
  now: number
): ReadonlyArray<Marks.Piece> => {
  const { status } = row
  const word = words ? ` ${status}`.padEnd(statusWidth) : ""
  const texts = [
    pad(cut(nameOf(row), service, Marks.ellipsis(look)), service, "left"),
    pad(sinceOf(row, now), since, "left"),
    pad(responseOf(row), response, "right")
  ]
  const marks = Sparkline.marks(row.beats.slice(-Math.max(1, beats)), look.emoji)
  return [
    { text: Marks.sign(status, look) + word, status },
    { text: `  ${texts.join("  ")}  ` },
    ...(beats === 0 ? [] : [...marks, { text: " ".repeat(beats - marks.length + gap) }]),
    { text: cut(messageOf(row), message, Marks.ellipsis(look)) }
  ]
}

const nameOf = ({ label }: Row): string => onOneLine(label)

const sinceOf = ({ since }: Row, now: number): string =>
  since === undefined ? "-" : span(now - since)

const responseOf = ({ millis }: Row): string => {
  if (millis === undefined) return "-"
  return millis < 9950 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`
}

const messageOf = ({ message, stale }: Row): string =>
  `${stale ? "(stale) " : ""}${onOneLine(message)}`
