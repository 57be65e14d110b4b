/**
 * How a status looks in the live table. Pure.
 */
import type { Status } from "../../Check/CheckResult.js"
import type { Look } from "../Output.js"
import { cut, width as widthOf } from "../Columns.js"

/** The sign of a status, of `width` columns. */
export const sign = (status: Status, look: Look): string =>
  look.emoji ? emoji[status] : letters[status]

export const width = (look: Look): number => (look.emoji ? 2 : 1)

/** A piece of a line, coloured by a status. */
export interface Piece {
  readonly text: string
  readonly status?: Status | undefined
}

/** The pieces as one line of at most so many columns. */
export const line = (pieces: ReadonlyArray<Piece>, columns: number, look: Look): string => {
  let left = columns
  let shown = ""
  for (const { status, text } of joined(pieces)) {
    const part = cut(text, left, ellipsis(look))
    left -= widthOf(part)
    shown += paint(part, status, look)
    if (part !== text) break
  }
  return shown
}

/** Neighbours of one colour are coloured once. */
const joined = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> =>
  pieces.reduce<ReadonlyArray<Piece>>((before, piece) => {
    const last = before.at(-1)
    return last === undefined || last.status !== piece.status
      ? [...before, piece]
      : [...before.slice(0, -1), { ...last, text: last.text + piece.text }]
  }, [])

export const ellipsis = (look: Look): string => (look.emoji ? "…" : "~")

const paint = (text: string, status: Status | undefined, look: Look): string =>
  look.color && status !== undefined && text !== ""
    ? `\u001b[${ansi[status]}m${text}\u001b[0m`
    : text

export const dim = (text: string, look: Look): string =>
  look.color ? `\u001b[2m${text}\u001b[0m` : text

/** Those that every terminal makes two columns of: a text character with a selector is not one. */
const emoji: Readonly<Record<Status, string>> = {
  healthy: "✅",
  degraded: "🟡",
  unhealthy: "❌",
  unknown: "❔"
}

const letters: Readonly<Record<Status, string>> = {
  healthy: "+",
  degraded: "!",
  unhealthy: "X",
  unknown: "?"
}

const ansi: Readonly<Record<Status, number>> = {
  healthy: 32,
  degraded: 33,
  unhealthy: 31,
  unknown: 90
}
