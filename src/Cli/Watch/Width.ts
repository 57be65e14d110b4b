/**
 * How many columns of a terminal a text takes: full-width characters and emoji two, what is put on
 * the character before it none. Pure.
 */

/** The columns that a text without control characters takes. */
export const width = (text: string): number => {
  if (ascii.test(text)) return text.length
  let columns = 0
  for (const grapheme of graphemes(text)) columns += widthOf(grapheme)
  return columns
}

/** The text, or as much of it as fits, with `mark` in the place of the rest. */
export const cut = (text: string, columns: number, mark: string): string => {
  if (width(text) <= columns) return text
  const room = columns - width(mark)
  if (room < 0) return ""
  let kept = ""
  let taken = 0
  for (const grapheme of graphemes(text)) {
    taken += widthOf(grapheme)
    if (taken > room) break
    kept += grapheme
  }
  return kept + mark
}

/** With spaces after it, or before it, up to that many columns. */
export const pad = (text: string, columns: number, side: "left" | "right"): string => {
  const spaces = " ".repeat(Math.max(0, columns - width(text)))
  return side === "left" ? text + spaces : spaces + text
}

const ascii = /^[\x20-\x7e]*$/

/** Made when the first text needs it: it takes a while. */
let segmenter: Intl.Segmenter | undefined

const graphemes = (text: string): ReadonlyArray<string> => {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" })
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

/** What stands for itself as a picture, or is asked to by a selector. */
const picture = /\p{Emoji_Presentation}|\p{Emoji}\u{FE0F}/u

const nothing = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u

const widthOf = (grapheme: string): number => {
  if (picture.test(grapheme)) return 2
  if (nothing.test(grapheme)) return 0
  const code = grapheme.codePointAt(0) ?? 0
  return wide.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}

/** Wide and full-width by Unicode's East Asian Width, without the pictures. */
const wide: ReadonlyArray<readonly [first: number, last: number]> = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd]
]
