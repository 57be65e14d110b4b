/**
 * A guard between a socket and the driver that reads from it.
 *
 * Drivers trust their server: one that answers nonsense makes their parsers throw where nobody
 * catches it, loop for ever, or take all memory. The guard hands over whole messages that it has
 * looked at, and closes the connection at the first one that breaks the protocol's rules, or that
 * the driver throws at.
 *
 * @internal
 */
import { Data, Either } from "effect"
import type { Socket } from "node:net"

/** What a server sent that it must not send. The connection ends with it as its error. */
export class Violation extends Data.TaggedError("Violation")<{
  readonly kind: "Protocol" | "Login" | "Limit" | "Refusal"
  /** What was found, in a few words. */
  readonly found: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return this.found
  }
}

export interface Protocol {
  /**
   * The length of the whole message that starts there, or, below zero, how many bytes of it must be
   * there at least before it is worth another look.
   */
  readonly next: (bytes: Buffer, start: number) => number | Violation
}

/** The same socket, whose "data" events are whole messages that keep the protocol. */
export const guard = <S extends Socket>(socket: S, protocol: Protocol): S => {
  const emit: (event: string | symbol, ...args: Array<unknown>) => boolean =
    socket.emit.bind(socket)
  const splitter = makeSplitter(protocol)
  let isOpen = true
  const end = (violation: Violation) => {
    isOpen = false
    splitter.clear()
    socket.destroy(violation)
  }
  const deliver = (bytes: Buffer) => {
    const taken = Either.try(() => emit("data", bytes))
    if (Either.isLeft(taken)) end(unreadable(taken.left))
  }
  const receive = (chunk: Buffer): boolean => {
    if (!isOpen) return false
    const violation = splitter.take(chunk, deliver)
    if (violation !== undefined && isOpen) end(violation)
    return true
  }
  return Object.assign(socket, {
    emit: (event: string | symbol, ...args: Array<unknown>): boolean =>
      event === "data" && Buffer.isBuffer(args[0]) ? receive(args[0]) : emit(event, ...args)
  })
}

const unreadable = (cause: unknown): Violation =>
  new Violation({ kind: "Protocol", found: "an answer that the driver cannot read", cause })

interface Splitter {
  readonly take: (chunk: Buffer, deliver: (bytes: Buffer) => void) => Violation | undefined
  readonly clear: () => void
}

/** Holds back what is not whole yet, and copies it once where its length is known. */
const makeSplitter = (protocol: Protocol): Splitter => {
  let held: Array<Buffer> = []
  let size = 0
  let needed = 1
  return {
    clear: () => {
      held = []
      size = 0
    },
    take: (chunk, deliver) => {
      if (size > 0) {
        held.push(chunk)
        size += chunk.length
        if (size < needed) return undefined
      }
      const bytes = size > 0 ? Buffer.concat(held, size) : chunk
      let end = 0
      let length: number | Violation = 0
      while (end < bytes.length) {
        length = protocol.next(bytes, end)
        if (typeof length !== "number" || length <= 0) break
        end += length
      }
      held = end < bytes.length ? [bytes.subarray(end)] : []
      size = bytes.length - end
      needed = typeof length === "number" ? -length : 0
      if (end > 0) deliver(end === bytes.length ? bytes : bytes.subarray(0, end))
      return typeof length === "number" ? undefined : length
    }
  }
}
