/**
 * Text in Telegram's HTML.
 *
 * @internal
 */
import { wellFormed } from "../../Common/Text.js"

/** Longest message that Telegram takes: UTF-16 units, without the markup. */
export const longest = 4096

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;"
}

/** A plain text that Telegram shows as it is. It refuses a message with half a character in it. */
export const escape = (text: string): string =>
  wellFormed(text).replace(/[&<>"]/g, (char) => entities[char] ?? char)

const piece = /<\/?([a-z-]+)[^>]*>|&(?:[a-z]+|#\d+|#x[0-9a-f]+);|[^<&]|[<&]/giu

/**
 * Markup cut to what fits into one message, with an ellipsis, no entity cut in half and every tag
 * closed.
 */
export const clip = (html: string, limit = longest): string => {
  const pieces = [...html.matchAll(piece)].map(([text, tag]) => ({
    text,
    tag,
    // An entity stands for one character; those outside the first plane are rare in alerts.
    length: tag !== undefined ? 0 : text.startsWith("&") ? 1 : text.length
  }))
  if (pieces.reduce((sum, { length }) => sum + length, 0) <= limit) return html
  const open: Array<string> = []
  let kept = ""
  let left = limit - 1
  for (const { length, tag, text } of pieces) {
    if (length > left) break
    left -= length
    kept += text
    if (tag !== undefined && !text.startsWith("</")) open.push(tag)
    else if (tag !== undefined) open.pop()
  }
  return `${kept}…${open
    .reverse()
    .map((tag) => `</${tag}>`)
    .join("")}`
}
