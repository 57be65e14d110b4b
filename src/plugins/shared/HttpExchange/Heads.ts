/**
 * The heads of answers as they come from a socket, with one length each.
 *
 * Some servers, and proxies before them, name the length of a body twice, or name it beside
 * `Transfer-Encoding: chunked`. HTTP leaves it to the receiver to take that where it is clear (RFC 9110
 * 8.6, RFC 9112 6.3), and curl does; the parser does not.
 *
 * @internal
 */
import type * as net from "node:net"

/** As much as curl takes; Node's own limit is 16 KiB, and single sign-on sends more. */
export const longestHeaders = 300 * 1024

/** What the exchange hears where an answer names two lengths. */
class LengthsDiffer extends Error {
  readonly code = "HOLTER_LENGTHS_DIFFER"
}

export class Heads {
  private isExpected = false
  private held: Buffer | undefined

  constructor(private readonly socket: net.Socket) {
    const read = socket.read.bind(socket)
    socket.read = (size?: number): unknown => {
      const chunk: unknown = read(size)
      return this.isExpected && Buffer.isBuffer(chunk) ? this.take(chunk) : chunk
    }
  }

  /** What comes next begins with a head. */
  expect(): void {
    this.isExpected = true
    this.held = undefined
  }

  private take(chunk: Buffer): Buffer | null {
    const bytes = this.held === undefined ? chunk : Buffer.concat([this.held, chunk])
    this.held = undefined
    const end = bytes.indexOf("\r\n\r\n")
    if (end < 0 && bytes.length < longestHeaders && isHttp(bytes)) {
      this.held = bytes
      return null
    }
    this.isExpected = false
    if (end < 0) return bytes
    const head = bytes.toString("latin1", 0, end)
    // After an interim answer comes another head.
    if (/^HTTP\/1\.\d 1\d\d/.test(head)) return this.further(bytes, end + 4)
    const mended = withOneLength(head)
    if (mended === head) return bytes
    if (mended !== undefined) {
      return Buffer.concat([Buffer.from(mended, "latin1"), bytes.subarray(end)])
    }
    this.socket.destroy(new LengthsDiffer())
    return null
  }

  private further(bytes: Buffer, at: number): Buffer | null {
    this.isExpected = true
    if (bytes.length === at) return bytes
    const rest = this.take(bytes.subarray(at))
    return rest === null ? bytes.subarray(0, at) : Buffer.concat([bytes.subarray(0, at), rest])
  }
}

const isHttp = (bytes: Buffer): boolean =>
  "HTTP/1.".startsWith(bytes.toString("latin1", 0, "HTTP/1.".length))

/** Most heads have nothing to mend: one search tells. */
const isDoubtful =
  /\r\n(?:content-length|transfer-encoding):[^]*\r\n(?:content-length|transfer-encoding):|\r\ncontent-length:[^\r\n]*,/i

const lengthLine = /\r\ncontent-length:[ \t]*([^\r\n]*)/gi

/** The head with one length at most; nothing where it names several. */
const withOneLength = (head: string): string | undefined => {
  if (!isDoubtful.test(head)) return head
  const lengths = [...head.matchAll(lengthLine)].flatMap(([, value = ""]) => value.split(","))
  const [length = ""] = lengths
  if (/\r\ntransfer-encoding:[^\r\n]*chunked/i.test(head)) return head.replaceAll(lengthLine, "")
  if (lengths.length < 2) return head
  return lengths.every((other) => other.trim() === length.trim())
    ? `${head.replaceAll(lengthLine, "")}\r\ncontent-length: ${length.trim()}`
    : undefined
}
