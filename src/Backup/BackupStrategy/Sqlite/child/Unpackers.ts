/** Ways to unpack a file: members that tell their length on several cores, all else in one go. */
import * as fs from "node:fs"
import type { Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import { promisify } from "node:util"
import * as zlib from "node:zlib"
import type { PayloadRequest } from "../Protocol.js"
import { corrupt } from "./Fault.js"
import { inOrder } from "./inOrder.js"
import { type Format, formats } from "./Members.js"
import * as Rights from "./Rights.js"
import * as Zstd from "./Zstd.js"

/** @internal */
export interface Given {
  readonly path: string
  readonly compression: PayloadRequest["compression"]
  /** Gets the file. */
  readonly seen: (chunk: Buffer) => void
  /** Gets the content. */
  readonly keep: (chunk: Buffer) => void
}

/** The format of a file whose members tell their length; undefined where it is another. @internal */
export const formatOf = (
  compression: PayloadRequest["compression"],
  head: Buffer
): "gzip" | "zstd" | undefined =>
  compression !== "none" && formats[compression].lengthOf(head) !== undefined
    ? compression
    : undefined

/** @internal */
export const inParallel = ({ keep, path, seen }: Given, format: "gzip" | "zstd"): Promise<void> =>
  Rights.withFileAsync(path, "read", (file) => {
    const size = fs.fstatSync(file).size
    const unpack = format === "gzip" ? gunzip : Zstd.decompress(path, bounds)
    let at = 0
    const next = (): Promise<Buffer> | undefined => {
      if (at === size) return undefined
      const member =
        memberAt(file, at, size, formats[format]) ??
        corrupt(path, `a member of ${format}`, garbage(at))
      seen(member)
      at += member.length
      return unpack(formats[format].open(member))
    }
    return inOrder({ next, take: keep })
  })

/** Undefined where there is none, or not all of it. */
const memberAt = (
  file: number,
  at: number,
  size: number,
  { headerLength, lengthOf }: Format
): Buffer | undefined => {
  const header = Buffer.alloc(headerLength)
  fs.readSync(file, header, 0, header.length, at)
  const length = lengthOf(header)
  if (length === undefined || length < header.length || at + length > size) return undefined
  if (length > largestMember) return undefined
  const member = Buffer.allocUnsafeSlow(length)
  return fs.readSync(file, member, 0, length, at) === length ? member : undefined
}

const gunzip = (member: Buffer): Promise<Buffer> => unpacked(member, bounds)

const unpacked = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)

const garbage = (at: number): string => `something else at byte ${at}`

/** @internal */
export const inOneGo = (given: Given): Promise<void> =>
  Rights.withFileAsync(given.path, "read", (file) => stream(given, file))

const stream = async ({ compression, keep, path, seen }: Given, file: number): Promise<void> => {
  const options = { fd: file, start: 0, autoClose: false, highWaterMark: streamChunk, fs: readOnly }
  const source = fs.createReadStream(path, options)
  let isThrough: () => void = () => undefined
  const through = new Promise<void>((resolve) => {
    isThrough = resolve
  })
  const sink = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) keep(chunk)
    // The content may end before the file. The pipeline would give up what is not read by then.
    await through
  }
  let bytes = 0
  const each = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      seen(chunk)
      bytes += chunk.length
      yield chunk
    }
    isThrough()
  }
  const unpack = unpacker(compression, path)
  if (unpack === undefined) return pipeline(source, each, sink)
  await pipeline(source, each, unpack, sink)
  // Zeros behind the last member are no error for zlib.
  const rest = bytes - unpack.bytesWritten
  if (rest > 0) corrupt(path, "nothing behind its end", `${rest} bytes`)
}

/** A stream that is destroyed closes its file whatever `autoClose` says, and this one is its caller's. */
const readOnly = {
  read: fs.read,
  close: (_: number, done: (error: null) => void) => {
    done(null)
  }
}

const unpacker = (
  compression: PayloadRequest["compression"],
  path: string
): (Transform & { readonly bytesWritten: number }) | undefined => {
  if (compression === "none") return undefined
  return compression === "gzip" ? zlib.createGunzip({ chunkSize: streamChunk }) : Zstd.stream(path)
}

const streamChunk = 1 << 18
/** A member in one piece. */
const memberChunk = (1 << 21) + 1024
/** Much more than a dump puts into one. */
const largestMember = 1 << 25
const bounds = { chunkSize: memberChunk, maxOutputLength: largestMember }
