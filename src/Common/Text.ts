/**
 * Texts that everybody can read. Pure.
 *
 * @internal
 */

/**
 * The text with the replacement character in the place of each half of a character and each NUL. Halves
 * come of texts that were cut; who reads UTF-8 strictly refuses the whole because of one, and so do
 * PostgreSQL and the environment of a process because of a NUL.
 */
export const wellFormed = (text: string): string =>
  unreadable.test(text) ? text.replace(everyUnreadable, "\u{FFFD}") : text

const unreadable = /[\p{Surrogate}\0]/u
const everyUnreadable = /[\p{Surrogate}\0]/gu

/** At most so many UTF-16 units, the last one an ellipsis where something was cut off. */
export const clip = (text: string, most: number): string =>
  text.length <= most ? text : `${head(text, most - 1)}…`

/** The first units of a text, without cutting a character in two. */
export const head = (text: string, most: number): string => {
  const last = text.charCodeAt(most - 1)
  const isHalf = text.length > most && last >= 0xd800 && last <= 0xdbff
  return text.slice(0, isHalf ? most - 1 : most)
}

/**
 * A text of somebody else's as a person may see it, on one line: no sequence that a terminal acts on, no
 * line of its own, nothing that changes the direction or hides. What is replaced stays to be seen. It is
 * for texts whose secrets were taken out before: a folded or replaced secret is not recognised as one.
 */
export const visible = (text: string): string =>
  harmless.test(text) ? text : legible(text.replace(/[\s\u0085]+/gu, " "))

/** A line that somebody else's texts stand in, with its columns as they are. */
export const onOneLine = (text: string): string =>
  harmless.test(text) ? text : legible(text.replace(/[\t\v\f\r\n\u0085\u2028\u2029]+/g, " "))

/** The same with its lines as they are. */
export const legible = (text: string): string =>
  harmless.test(text)
    ? text
    : text
        .replaceAll("\r\n", "\n")
        .replace(unseen, (mark, bad: string | undefined) => (bad === undefined ? mark : "\u{FFFD}"))

/** JSON in which nothing is raw that `visible` would replace: what reads it gets all of it. */
export const escaped = (json: string): string =>
  harmless.test(json)
    ? json
    : json.replace(unseen, (mark, bad: string | undefined) =>
        bad === undefined
          ? mark
          : Array.from(mark.split(""), (unit) => {
              const hex = unit.charCodeAt(0).toString(16).padStart(4, "0")
              return `\\u${hex}`
            }).join("")
      )

const harmless = /^[ -~]*$/

/**
 * Controls (C0 but the line break, DEL, C1), marks of direction, separators of lines, halves of characters
 * and all that has no width. The joiner inside an emoji and what chooses its form stay.
 */
const unseen =
  /(?<=[\p{ExtPict}\p{EMod}]\u{FE0F}?)\u{200D}(?=\p{ExtPict})|[\u{FE00}-\u{FE0F}]|(?!\n)([\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}])/gu
