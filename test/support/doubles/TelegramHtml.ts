/**
 * Telegram's HTML, as its Bot API server reads it: a few tags, four named entities, every tag
 * closed in order. Anything else is an error that names the place in bytes.
 */

export interface Entity {
  readonly type: string
  readonly offset: number
  readonly length: number
  readonly url?: string
  readonly language?: string
}

export type Parsed =
  | { readonly ok: true; readonly text: string; readonly entities: ReadonlyArray<Entity> }
  | { readonly ok: false; readonly problem: string }

const types: Readonly<Record<string, string>> = {
  a: "text_link",
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  u: "underline",
  ins: "underline",
  "tg-spoiler": "spoiler",
  "tg-emoji": "custom_emoji",
  span: "spoiler",
  pre: "pre",
  code: "code",
  blockquote: "blockquote"
}

const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' }

class Problem extends Error {}

export const parse = (html: string): Parsed => {
  try {
    return { ok: true, ...read(html) }
  } catch (problem) {
    if (problem instanceof Problem) return { ok: false, problem: problem.message }
    throw problem
  }
}

const read = (html: string) => {
  const open: Array<{ tag: string; start: number; attributes: Map<string, string> }> = []
  const entities: Array<Entity> = []
  let text = ""
  let at = 0
  while (at < html.length) {
    const char = html.charAt(at)
    if (char === "&") {
      const decoded = entity(html, at)
      text += decoded.text
      at = decoded.end
    } else if (char !== "<") {
      text += char
      at += 1
    } else if (html.charAt(at + 1) === "/") {
      at = endTag(html, at, open, entities, text)
    } else {
      const start = startTag(html, at)
      open.push({ tag: start.tag, start: text.length, attributes: start.attributes })
      at = start.end
    }
  }
  const unclosed = open.at(-1)
  if (unclosed !== undefined) {
    throw new Problem(`Can't find end tag corresponding to start tag "${unclosed.tag}"`)
  }
  return { text, entities: entities.sort((a, b) => a.offset - b.offset || b.length - a.length) }
}

/** An unknown entity stands for itself, as in the real server. */
const entity = (html: string, at: number): { readonly text: string; readonly end: number } => {
  const match = /^&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]+));?/i.exec(html.slice(at, at + 12))
  if (match === null) return { text: "&", end: at + 1 }
  const [whole, hex, decimal, name] = match
  const code =
    hex !== undefined
      ? Number.parseInt(hex, 16)
      : decimal !== undefined
        ? Number(decimal)
        : undefined
  const text =
    code === undefined
      ? named[name ?? ""]
      : code === 0 || code >= 0x10ffff
        ? undefined
        : String.fromCodePoint(code)
  return text === undefined ? { text: "&", end: at + 1 } : { text, end: at + whole.length }
}

const startTag = (html: string, begin: number) => {
  const here = `at byte offset ${bytes(html, begin)}`
  const name = /^[^\s>]*/.exec(html.slice(begin + 1))?.[0] ?? ""
  let at = begin + 1 + name.length
  if (at >= html.length) throw new Problem(`Unclosed start tag ${here}`)
  const tag = name.toLowerCase()
  if (types[tag] === undefined) throw new Problem(`Unsupported start tag "${tag}" ${here}`)
  const attributes = new Map<string, string>()
  for (;;) {
    at += /^\s*/.exec(html.slice(at))?.[0].length ?? 0
    if (html.charAt(at) === ">") break
    const attribute = /^([^\s=>]*)(\s*=\s*)?/.exec(html.slice(at))
    const [whole = "", key = "", equals] = attribute ?? []
    if (at + whole.length >= html.length) throw new Problem(`Unclosed start tag ${here}`)
    if (key === "") throw new Problem(`Empty attribute name in the tag "${tag}" ${here}`)
    if (equals === undefined && tag === "blockquote" && key === "expandable") {
      at += whole.length
      continue
    }
    if (equals === undefined) {
      throw new Problem(
        `Expected equal sign in declaration of an attribute of the tag "${tag}" ${here}`
      )
    }
    at += whole.length
    const value = attributeValue(html, at, here)
    attributes.set(key, value.text)
    at = value.end
  }
  if (tag === "span" && attributes.get("class") !== "tg-spoiler") {
    throw new Problem(`Tag "span" must have class "tg-spoiler" ${here}`)
  }
  return { tag, attributes, end: at + 1 }
}

const attributeValue = (html: string, at: number, here: string) => {
  const quote = html.charAt(at)
  if (quote !== '"' && quote !== "'") {
    const token = /^[a-z0-9.-]*/i.exec(html.slice(at))?.[0] ?? ""
    const next = html.charAt(at + token.length)
    if (next === "") throw new Problem(`Unclosed start tag ${here}`)
    if (!/[\s>]/.test(next)) {
      throw new Problem(`Unexpected end of name token at byte offset ${bytes(html, at)}`)
    }
    return { text: token.toLowerCase(), end: at + token.length }
  }
  const close = html.indexOf(quote, at + 1)
  if (close === -1 || close + 1 >= html.length) throw new Problem(`Unclosed start tag ${here}`)
  return { text: unescape(html.slice(at + 1, close)), end: close + 1 }
}

const unescape = (value: string): string => {
  let text = ""
  for (let at = 0; at < value.length; ) {
    const next =
      value.charAt(at) === "&" ? entity(value, at) : { text: value.charAt(at), end: at + 1 }
    text += next.text
    at = next.end
  }
  return text
}

const endTag = (
  html: string,
  begin: number,
  open: Array<{ tag: string; start: number; attributes: Map<string, string> }>,
  entities: Array<Entity>,
  text: string
): number => {
  const offset = bytes(html, begin)
  const last = open.pop()
  if (last === undefined) throw new Problem(`Unexpected end tag at byte offset ${offset}`)
  const [whole = "", name = ""] = /^([^\s>]*)\s*/.exec(html.slice(begin + 2)) ?? []
  const end = begin + 2 + whole.length
  if (html.charAt(end) !== ">") throw new Problem(`Unclosed end tag at byte offset ${offset}`)
  const tag = name.toLowerCase()
  if (tag !== "" && tag !== last.tag) {
    throw new Problem(
      `Unmatched end tag at byte offset ${offset}, expected "</${last.tag}>", found "</${tag}>"`
    )
  }
  const length = text.length - last.start
  const type = types[last.tag] ?? ""
  const language = last.attributes.get("class")?.match(/^language-(.+)/)?.[1]
  if (length > 0) {
    entities.push({
      type,
      offset: last.start,
      length,
      ...(type === "text_link"
        ? { url: last.attributes.get("href") ?? text.slice(last.start) }
        : {}),
      ...(language === undefined ? {} : { language })
    })
  }
  return end + 1
}

const bytes = (html: string, at: number): number => Buffer.byteLength(html.slice(0, at))
