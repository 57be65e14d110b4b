/**
 * The live table of `holter watch`, as lines that fit the terminal. Pure.
 */
import type { DateTime } from "effect"
import * as WallTime from "../../Common/WallTime.js"
import type { Status } from "../../Check/CheckResult.js"
import { cut, pad, width } from "../Columns.js"
import type { Look } from "../Output.js"
import { onOneLine } from "../Presentation.js"
import type { WatchState, Held, Row } from "./WatchState.js"
import * as Footer from "./Footer.js"
import * as Marks from "./Marks.js"
import * as Sparkline from "./Sparkline.js"
import * as Format from "../../Common/Format.js"

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** `now` in milliseconds of the wall clock. */
export const lines = (
  board: WatchState,
  size: Size,
  look: Look,
  now: number
): ReadonlyArray<string> => {
  // In a full line the cursor waits at its end, where some terminals erase the last character.
  const columns = size.columns - 1
  const line = (...pieces: ReadonlyArray<Marks.Piece>) => Marks.line(pieces, columns, look)
  const footer = Footer.lines(board, look, now).map((piece) => line(piece))
  // In the line below all of it the cursor rests.
  const frame = frameFor(board.rows.length, footer.length, Math.max(1, size.rows - 1))
  const { hidden, shown } = chosen(board.rows, frame.room)
  const layout = layoutOf(shown, columns, look, now)
  return [
    ...(frame.heading ? [line({ text: heading(board, columns, now) })] : []),
    ...(frame.spaced ? [""] : []),
    ...(frame.head ? [Marks.dim(line({ text: head(layout) }), look)] : []),
    ...shown.map((row) => line(...cells(row, layout, board.zone, look, now))),
    ...(hidden.length === 0 ? [] : [line({ text: Footer.hidden(hidden) })]),
    ...(frame.spaced ? [""] : []),
    ...footer.slice(0, frame.footer)
  ]
}

interface Frame {
  readonly heading: boolean
  /** Whether there are empty lines. */
  readonly spaced: boolean
  readonly head: boolean
  /** Lines for services, and for how many are hidden. */
  readonly room: number
  readonly footer: number
}

/** So many lines of services are worth more than what stands around them. */
const leastRows = 3

/** On a low terminal the empty lines go first, then the heading, the head of the table, the footer. */
const frameFor = (rows: number, footer: number, height: number): Frame => {
  const framed = (heading: boolean, spaced: boolean, head: boolean): Frame => {
    const around = Number(heading) + Number(head) + (spaced ? 2 : 0)
    return { heading, spaced, head, footer, room: height - around - footer }
  }
  const spacious = framed(true, true, true)
  if (spacious.room >= Math.max(1, rows)) return spacious
  const least = Math.min(leastRows, rows)
  const low = [framed(true, false, true), framed(false, false, true), framed(false, false, false)]
  const found = low.find(({ room }) => room >= least)
  if (found !== undefined) return found
  const room = Math.min(least, Math.max(0, height - 1))
  return { heading: false, spaced: false, head: false, room, footer: height - room }
}

/** The worst first; of those that are too many the others are hidden. */
const chosen = (rows: ReadonlyArray<Row>, room: number) => {
  const worstFirst = [...rows].sort((one, other) => need[statusOf(other)] - need[statusOf(one)])
  const most = rows.length <= room ? room : Math.max(0, room - 1)
  return {
    shown: worstFirst.slice(0, most),
    hidden: room === 0 ? [] : worstFirst.slice(most)
  }
}

const need: Readonly<Record<Status, number>> = { unhealthy: 3, degraded: 2, unknown: 1, healthy: 0 }

/** That it was healthy a while ago says nothing of now. */
const statusOf = ({ stale, status }: Row): Status =>
  stale && status === "healthy" ? "unknown" : status

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
/** Of a name, where the message has no room. */
const narrowService = 14

/**
 * Where it is narrow the word of the status goes first, then beats, then the response time, then a part
 * of the names, then since when: a message that cannot be read is of no use.
 */
const layoutOf = (rows: ReadonlyArray<Row>, columns: number, look: Look, now: number): Layout => {
  const widest = (heading: string, cells: ReadonlyArray<string>) =>
    Math.max(heading.length, ...cells.map(width))
  const mark = Marks.width(look)
  const whole = {
    service: Math.min(mostService, widest(titles.service, rows.map(nameOf))),
    since: widest(
      titles.since,
      rows.map((row) => sinceOf(row, now))
    ),
    response: widest(titles.response, rows.map(responseOf))
  }
  const roomOf = (some: typeof whole) =>
    columns -
    mark -
    gap -
    [some.service, some.since, some.response].reduce(
      (sum, column) => sum + (column === 0 ? 0 : column + gap),
      0
    )
  const terse = { ...whole, response: 0 }
  const short = { ...terse, service: Math.min(narrowService, whole.service) }
  const bare = { ...short, since: 0 }
  const kept = [whole, terse, short].find((some) => roomOf(some) >= leastMessage) ?? bare
  const { response, service, since } = kept
  const left = roomOf(kept)
  const words = left - statusWidth >= leastMessage ? statusWidth : 0
  const spare = left - words - leastMessage - gap
  const beats = response === 0 || spare < titles.beats.length ? 0 : Math.min(20, spare)
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

const heading = ({ name, zone }: WatchState, columns: number, now: number): string => {
  const time = WallTime.shown(now, zone)
  const title = onOneLine(name)
  const space = columns - width(title) - width(time)
  return space < gap ? title : `${title}${" ".repeat(space)}${time}`
}

const head = ({ beats, mark, message, response, service, since, words }: Layout): string =>
  [
    (words ? titles.status : "").padEnd(mark + (words ? statusWidth : 0)),
    titles.service.padEnd(service),
    ...(since === 0 ? [] : [titles.since.padEnd(since)]),
    ...(response === 0 ? [] : [titles.response.padStart(response)]),
    ...(beats === 0 ? [] : [titles.beats.padEnd(beats)]),
    ...(message < titles.message.length ? [] : [titles.message])
  ].join("  ")

const cells = (
  row: Row,
  { beats, message, response, service, since, words }: Layout,
  zone: DateTime.TimeZone,
  look: Look,
  now: number
): ReadonlyArray<Marks.Piece> => {
  const { status } = row
  const word = words ? ` ${status}`.padEnd(statusWidth) : ""
  const texts = [
    pad(cut(nameOf(row), service, Marks.ellipsis(look)), service, "left"),
    ...(since === 0 ? [] : [pad(sinceOf(row, now), since, "left")]),
    ...(response === 0 ? [] : [pad(responseOf(row), response, "right")])
  ]
  const marks = Sparkline.marks(row.beats.slice(-Math.max(1, beats)), look.emoji)
  return [
    { text: Marks.sign(status, look) + word, status },
    { text: `  ${texts.join("  ")}  ` },
    ...(beats === 0 ? [] : [...marks, { text: " ".repeat(beats - marks.length + gap) }]),
    { text: cut(messageOf(row, message, zone), message, Marks.ellipsis(look)) }
  ]
}

const nameOf = ({ label }: Row): string => onOneLine(label)

const sinceOf = ({ since }: Row, now: number): string =>
  since === undefined ? "-" : Format.span(now - since, { padded: true })

const responseOf = ({ millis }: Row): string =>
  millis === undefined ? "-" : Format.measured(millis)

const messageOf = ({ held, message, stale }: Row, room: number, zone: DateTime.TimeZone): string =>
  [
    ...(stale ? ["(stale)"] : []),
    ...held.map((one) => `(${heldBy(one, room >= wideMessage, zone)})`),
    onOneLine(message)
  ].join(" ")

/** Where there is so much room it is said until when, and by whom. */
const wideMessage = 40

const heldBy = ({ by, until, what }: Held, wide: boolean, zone: DateTime.TimeZone): string => {
  if (!wide) return what
  const end = until === undefined ? "" : ` until ${WallTime.digits(until, zone).slice(5, 16)}`
  return `${what}${end}${by === undefined ? "" : ` by ${onOneLine(by)}`}`
}
