/**
 * The replies of a Redis server (RESP2), as they may be: type, length, depth, and whether anything
 * was asked.
 *
 * @internal
 */
import { type Protocol, Violation } from "../../System/Guard.js"

export interface Replies extends Protocol {
  /** Before so many commands are sent. */
  readonly ask: (commands: number) => void
}

/** INFO takes some six thousand. */
const maxReplyBytes = 1_048_576
const maxLineBytes = 16_384
const maxElements = 1024
const maxDepth = 8

export const make = (): Replies => {
  let asked = 0
  return {
    ask: (commands) => {
      asked += commands
    },
    next: (bytes, start) => {
      const length = measure(bytes, start)
      if (typeof length !== "number" || length <= 0) return length
      if (asked === 0) return unasked(bytes, start, length)
      asked -= 1
      return length
    }
  }
}

/** A server that has no connection left, or takes none from there, says so before it is asked. */
const unasked = (bytes: Buffer, start: number, length: number): Violation =>
  bytes[start] === type.error
    ? new Violation({
        kind: "Refusal",
        found: bytes.toString("utf8", start + 1, start + length - 2)
      })
    : broken("a reply that answers nothing")

const type = { array: 0x2a, bulk: 0x24, error: 0x2d, integer: 0x3a, simple: 0x2b }
const types: ReadonlySet<number | undefined> = new Set(Object.values(type))
const [cr, lf] = [0x0d, 0x0a]

const broken = (found: string): Violation => new Violation({ kind: "Protocol", found })
const limited = (found: string): Violation => new Violation({ kind: "Limit", found })

const measure = (bytes: Buffer, start: number): number | Violation => {
  let at = start
  let elements = 0
  // What each open array still waits for; at the bottom the reply itself.
  const open = [1]
  while (open.length > 0) {
    const left = open.pop() ?? 0
    if (left === 0) continue
    open.push(left - 1)
    if (at >= bytes.length) return start - at - 1
    if (!types.has(bytes[at])) return broken(`a reply of the unknown type ${bytes[at]}`)
    const end = lineEnd(bytes, at)
    if (typeof end !== "number") return end
    if (end < 0) return start - bytes.length - 1
    const size = sizeOf(bytes, at, end)
    if (size === undefined) return broken("a malformed number in a reply")
    if (bytes[at] === type.array) {
      elements += size
      if (elements > maxElements) return limited(`a reply of more than ${maxElements} elements`)
      if (open.length > maxDepth) return limited(`a reply that is nested deeper than ${maxDepth}`)
      open.push(size)
      at = end + 2
    } else {
      const isBulk = bytes[at] === type.bulk && bytes[at + 1] !== type.error
      at = end + 2 + (isBulk ? size + 2 : 0)
      if (at - start > maxReplyBytes) return limited(`a reply of more than ${maxReplyBytes} bytes`)
      if (at > bytes.length) return start - at
      if (bytes[at - 2] !== cr || bytes[at - 1] !== lf) return broken("a reply without its end")
    }
  }
  return at - start
}

/** Where the line ends that starts there, or -1 where its end is not there yet. */
const lineEnd = (bytes: Buffer, at: number): number | Violation => {
  const end = bytes.indexOf(cr, at)
  if ((end < 0 ? bytes.length : end) - at > maxLineBytes) {
    return limited(`a line of more than ${maxLineBytes} bytes`)
  }
  if (end < 0 || end + 1 >= bytes.length) return -1
  return bytes[end + 1] === lf ? end : broken("a line without its end")
}

/** The number that the line says: 0 for none, for -1 and for what is no length. */
const sizeOf = (bytes: Buffer, at: number, end: number): number | undefined => {
  if (bytes[at] === type.simple || bytes[at] === type.error) return 0
  const text = bytes.toString("latin1", at + 1, end)
  if (bytes[at] === type.integer) return /^-?\d{1,19}$/.test(text) ? 0 : undefined
  if (text === "-1") return 0
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}
