/**
 * Ways to unpack a file: members that tell their length on several cores, all else in one go.
 *
 * @since 0.1.0
 */
import * as fs from "node:fs"
import type { Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import { promisify } from "node:util"
import * as zlib from "node:zlib"
import type { PayloadRequest } from "../Protocol.js"
import { bracketAsync } from "./bracket.js"
import { corrupt, fail } from "./Fault.js"
import { inOrder } from "./inOrder.js"
import * as Members from "./Members.js"
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

/** @internal */
export const inParallel = ({ keep, path, seen }: Given): Promise<void> =>
  bracketAsync(
    () => fs.openSync(path, "r"),
    (file) => {
      const size = fs.fstatSync(file).size
      let at = 0
      const next = (): Promise<Buffer> | undefined => {
        if (at === size) return undefined
        const member = memberAt(file, at, size) ?? corrupt(path, "a member of gzip", garbage(at))
        seen(member)
        at += member.length
        return unpacked(member, { chunkSize: memberChunk, maxOutputLength: largestMember })
      }
      return inOrder({ next, take: keep })
    },
    fs.closeSync
  )

/** Undefined where there is none, or not all of it. */
const memberAt = (file: number, at: number, size: number): Buffer | undefined => {
  const header = Buffer.alloc(Members.headerLength)
  fs.readSync(file, header, 0, header.length, at)
  const length = Members.lengthOf(header)
  if (length === undefined || length < header.length || at + length > size) return undefined
  if (length > largestMember) return undefined
  const member = Buffer.allocUnsafeSlow(length)
  return fs.readSync(file, member, 0, length, at) === length ? member : undefined
}

const unpacked = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)

const garbage = (at: number): string => `something else at byte ${at}`

/** @internal */
export const inOneGo = async ({ compression, keep, path, seen }: Given): Promise<void> => {
  const source = fs.createReadStream(path, { highWaterMark: streamChunk })
  const sink = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) keep(chunk)
  }
  let bytes = 0
  const each = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      seen(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  const unpack = unpacker(compression, path)
  if (unpack === undefined) return pipeline(source, each, sink)
  await pipeline(source, each, unpack, sink)
  // Zeros behind the last member are no error for zlib.
  const rest = bytes - unpack.bytesWritten
  if (rest > 0) corrupt(path, "nothing behind its end", `${rest} bytes`)
}

const unpacker = (
  compression: PayloadRequest["compression"],
  path: string
): (Transform & { readonly bytesWritten: number }) | undefined => {
  if (compression === "none") return undefined
  if (compression === "gzip") return zlib.createGunzip({ chunkSize: streamChunk })
  return Zstd.available === undefined
    ? fail({
        reason: "ToolTooOld",
        subject: path,
        expected: "a Node.js whose zlib has zstd, 22.15 or newer",
        found: process.version,
        advice: "Use a newer Node.js, or unpack it with zstd -d"
      })
    : Zstd.available.createZstdDecompress()
}

const streamChunk = 1 << 18
/** A member in one piece. */
const memberChunk = (1 << 21) + 1024
/** Much more than a dump puts into one. */
const largestMember = 1 << 25
