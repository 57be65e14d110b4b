/**
 * The lines at the bottom of a terminal, and what has to be written to change them or to put text
 * above them. One write each, so that nobody sees a half. Pure but for what it remembers.
 */
import { width } from "./Columns.js"

export class Canvas {
  private lines: ReadonlyArray<string> = []

  /** Puts the next lines in the place of the present ones. */
  draw(next: ReadonlyArray<string>, columns: number): string {
    const before = this.lines
    this.lines = next
    const hide = before.length === 0 ? hideCursor : ""
    return framed(hide + upOver(before, columns) + body(next) + clearBelow)
  }

  /** Text that ends with a line break, and below it the lines again. */
  above(text: string, columns: number): string {
    if (this.lines.length === 0) return text
    const up = upOver(this.lines, columns)
    return framed(up + clearBelow + text + body(this.lines))
  }

  /** The lines stay as they are, and are nothing that is kept up to date any more. */
  leave(): string {
    const last = this.cursor
    this.lines = []
    return last
  }

  /** What brings the cursor back, where it is hidden. */
  get cursor(): string {
    return this.lines.length === 0 ? "" : showCursor
  }
}

/** A terminal that knows these shows all of it at once; others ignore them. */
const framed = (text: string): string => `\u001b[?2026h${text}\u001b[?2026l`

const hideCursor = "\u001b[?25l"
const showCursor = "\u001b[?25h"
const clearBelow = "\u001b[J"
const clearRight = "\u001b[K"

/** Each over what stood there before; the cursor comes to rest below. */
const body = (lines: ReadonlyArray<string>): string =>
  lines.map((line) => `${line}${clearRight}\n`).join("")

/** A line that was drawn on a wider terminal takes several rows of this one. */
const upOver = (lines: ReadonlyArray<string>, columns: number): string => {
  const rows = lines.reduce(
    (sum, line) => sum + Math.max(1, Math.ceil(width(line) / Math.max(1, columns))),
    0
  )
  return rows === 0 ? "" : `\u001b[${rows}A\r`
}
