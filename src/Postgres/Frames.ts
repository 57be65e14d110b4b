/**
 * The messages of a PostgreSQL server, as they may be: type, length, what is in them, and how much
 * of them belongs to one answer.
 *
 * @internal
 */
import { type Protocol, Violation } from "../System/Guard.js"

export interface Frames extends Protocol {
  /** Before each statement: it is answered by messages up to one "ready for query". */
  readonly ask: () => void
}

/** What may come while nothing is asked: notices, parameters, notifications, the end. */
const unaskedBytes = 65_536

/** Beside its bytes, what a message costs as objects of the driver. */
const messageCost = 64
const fieldCost = 32

export const make = (maxAnswerBytes: number): Frames => {
  // The login is answered as a statement is.
  let asked = 1
  let left = maxAnswerBytes
  let logins = 0
  let columns: number | undefined
  const tooMuch = () => limited(asked > 0 ? maxAnswerBytes : unaskedBytes, asked > 0)
  const next = (bytes: Buffer, start: number): number | Violation => {
    if (start + 5 > bytes.length) return -5
    const type = bytes[start] ?? 0
    const length = bytes.readUInt32BE(start + 1)
    const body = bodies[type]
    if (body === undefined) return broken(`a message of the unknown type ${type}`)
    if (length < 4) return broken("a message whose length is less than that of the length")
    const cost = 1 + length + messageCost
    if (cost > left) return tooMuch()
    const end = start + 1 + length
    if (end > bytes.length) return -(1 + length)
    const from = start + 5
    if (asked === 0 && !unasked.has(type)) {
      return broken(`a message that answers nothing (${nameOf(type)})`)
    }
    if (!body(bytes, from, end)) return broken(`a malformed message (${nameOf(type)})`)
    left -= cost
    if (type === DataRow || type === RowDescription) {
      const fields = bytes.readUInt16BE(from)
      left -= fields * fieldCost
      if (left < 0) return tooMuch()
      if (type === RowDescription) columns = fields
      else if (columns !== fields)
        return broken("a row with another number of fields than announced")
    } else if (type === Authentication) {
      logins += 1
      const refused = login(bytes.readUInt32BE(from), logins)
      if (refused !== undefined) return refused
    } else if (type === ReadyForQuery) {
      asked -= 1
      columns = undefined
      left = asked > 0 ? maxAnswerBytes : unaskedBytes
    }
    return 1 + length
  }
  return {
    next,
    ask: () => {
      if (asked === 0) left = maxAnswerBytes
      asked += 1
    }
  }
}

const limited = (bytes: number, isAnswer: boolean): Violation =>
  new Violation({
    kind: "Limit",
    found: isAnswer
      ? `an answer of more than ${bytes} bytes`
      : `more than ${bytes} bytes that answer nothing`
  })

const broken = (found: string): Violation => new Violation({ kind: "Protocol", found })

/** A real login takes four of them, the last of which lets in. */
const maxLogins = 10

const login = (kind: number, count: number): Violation | undefined => {
  if (count > maxLogins) return broken("a login that does not end")
  const name = unsupported[kind]
  if (name !== undefined) {
    return new Violation({ kind: "Login", found: `it asks for ${name}, which is not supported` })
  }
  return kind in logins
    ? undefined
    : new Violation({ kind: "Login", found: `it asks for a login of the unknown kind ${kind}` })
}

const unsupported: Readonly<Record<number, string>> = {
  1: "Kerberos (version 4)",
  2: "Kerberos (version 5)",
  4: "a password by crypt",
  6: "SCM credentials",
  7: "Kerberos (GSSAPI)",
  8: "Kerberos (GSSAPI)",
  9: "Kerberos (SSPI)"
}

/** One of these, and the lengths that its message may have. */
const logins: Readonly<Record<number, readonly [least: number, most: number]>> = {
  0: [4, 4],
  3: [4, 4],
  5: [8, 8],
  10: [5, 1024],
  11: [4, 4096],
  12: [4, 4096]
}

const Authentication = 0x52
const DataRow = 0x44
const RowDescription = 0x54
const ReadyForQuery = 0x5a

/** Whether the bytes of a message, from its first to behind its last, are what its type says. */
type Body = (bytes: Buffer, from: number, end: number) => boolean

const empty: Body = (_, from, end) => from === end

/** Behind the text that starts there and ends with NUL, or -1. */
const afterText = (bytes: Buffer, from: number, end: number): number => {
  const nul = from < end ? bytes.indexOf(0, from) : -1
  return nul < 0 || nul >= end ? -1 : nul + 1
}

const texts =
  (count: number): Body =>
  (bytes, from, end) => {
    let at = from
    for (let n = 0; n < count && at >= 0; n++) at = afterText(bytes, at, end)
    return at === end
  }

/** Pairs of a letter and a text, and a NUL. */
const fields: Body = (bytes, from, end) => {
  let at = from
  while (at < end && bytes[at] !== 0) {
    at = afterText(bytes, at + 1, end)
    if (at < 0) return false
  }
  return at === end - 1
}

const authentication: Body = (bytes, from, end) => {
  if (end - from < 4) return false
  const kind = bytes.readUInt32BE(from)
  const [least, most] = logins[kind] ?? [4, 4096]
  if (end - from < least || end - from > most) return false
  return kind !== 10 || mechanisms(bytes, from + 4, end)
}

/** Texts up to an empty one. */
const mechanisms: Body = (bytes, from, end) => {
  let at = from
  while (at >= 0 && at < end && bytes[at] !== 0) at = afterText(bytes, at, end)
  return at === end - 1
}

/** As many as a table or a query can have. */
const maxColumns = 1664

const rowDescription: Body = (bytes, from, end) => {
  if (end - from < 2) return false
  const count = bytes.readUInt16BE(from)
  if (count > maxColumns) return false
  let at = from + 2
  for (let n = 0; n < count; n++) {
    const text = afterText(bytes, at, end)
    // Table, column, type, size, modifier; the format, which is text wherever nothing else was asked.
    if (text < 0 || text + 18 > end || bytes.readUInt16BE(text + 16) !== 0) return false
    at = text + 18
  }
  return at === end
}

const dataRow: Body = (bytes, from, end) => {
  if (end - from < 2) return false
  const count = bytes.readUInt16BE(from)
  let at = from + 2
  for (let n = 0; n < count; n++) {
    if (at + 4 > end) return false
    const length = bytes.readInt32BE(at)
    if (length < -1) return false
    at += 4 + Math.max(0, length)
    if (at > end) return false
  }
  return at === end
}

const parameterDescription: Body = (bytes, from, end) =>
  end - from >= 2 && end - from === 2 + 4 * bytes.readUInt16BE(from)

const notification: Body = (bytes, from, end) => end - from > 4 && texts(2)(bytes, from + 4, end)

const status: Body = (bytes, from, end) =>
  end - from === 1 && (bytes[from] === 0x49 || bytes[from] === 0x54 || bytes[from] === 0x45)

/** Longer than 8 from PostgreSQL 18 on, where a client asks for it. */
const key: Body = (_, from, end) => end - from >= 8 && end - from <= 260

/** By type; COPY and the walsender's messages answer nothing that is asked for here. */
const bodies: Readonly<Record<number, Body>> = {
  [Authentication]: authentication,
  [DataRow]: dataRow,
  [RowDescription]: rowDescription,
  [ReadyForQuery]: status,
  0x31: empty,
  0x32: empty,
  0x33: empty,
  0x41: notification,
  0x43: texts(1),
  0x45: fields,
  0x49: empty,
  0x4b: key,
  0x4e: fields,
  0x53: texts(2),
  0x6e: empty,
  0x74: parameterDescription
}

const unasked: ReadonlySet<number> = new Set([0x41, 0x45, 0x4e, 0x53])

const nameOf = (type: number): string => String.fromCharCode(type)
