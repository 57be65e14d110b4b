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
