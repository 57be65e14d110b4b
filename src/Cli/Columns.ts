/**
 * Text in the columns of a terminal, where full-width characters and emoji take two. Pure.
 */
import stringWidth from "string-width"

/** The columns that a text takes; its colours take none. */
export const width = (text: string): number => stringWidth(text)

/** The text, or as much of it as fits, with `mark` in the place of the rest. */
export const cut = (text: string, columns: number, mark: string): string => {
  if (width(text) <= columns) return text
  const room = columns - width(mark)
  if (room < 0) return ""
  let kept = ""
  let taken = 0
  for (const { segment } of graphemes.segment(text)) {
    taken += width(segment)
    if (taken > room) break
    kept += segment
  }
  return kept + mark
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** With spaces after it, or before it, up to that many columns. */
export const pad = (text: string, columns: number, side: "left" | "right"): string => {
  const spaces = " ".repeat(Math.max(0, columns - width(text)))
  return side === "left" ? text + spaces : spaces + text
}

/** A line a row, each column as wide as its widest cell; figures stand to the right. */
export const table = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  isFigure: (column: number) => boolean = () => false
): ReadonlyArray<string> => {
  const widths = rows.reduce<ReadonlyArray<number>>(
    (before, cells) => cells.map((cell, column) => Math.max(before[column] ?? 0, width(cell))),
    []
  )
  return rows.map((cells) =>
    cells
      .map((cell, column) => pad(cell, widths[column] ?? 0, isFigure(column) ? "right" : "left"))
      .join("  ")
      .trimEnd()
  )
}
