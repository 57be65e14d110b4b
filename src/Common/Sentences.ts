/**
 * Texts of others as parts of a sentence: whatever mark they end with, there is one mark between them
 * and what follows. Pure.
 *
 * @internal
 */

/** The text with what follows from it behind it: `Connection refused: 3 failures in a row`. */
export const joined = (text: string, mark: ":" | ";" | ",", rest: string): string => {
  const before = clause(text)
  // A question keeps its mark, and what follows is a sentence of its own.
  return /[?!]["')\]]*$/.test(before)
    ? `${before} ${rest.charAt(0).toUpperCase()}${rest.slice(1)}`
    : `${before}${mark} ${rest}`
}

/** The text as a sentence that ends, so that another one may follow. */
export const sentence = (text: string): string => {
  const before = clause(text)
  return /[?!…]["')\]]*$/.test(before) ? before : `${before}.`
}

/** The text without the mark at its end, for a sentence that goes on. */
export const clause = (text: string): string => {
  const trimmed = text.trim()
  return trimmed.replace(/(?:\s|[.;:,])+$/u, "") || trimmed
}
