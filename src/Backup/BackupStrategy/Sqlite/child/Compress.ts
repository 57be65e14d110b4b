/**
 * Compression on several cores at once: chunks on the threads of libuv, each a member of its own, in
 * order. gunzip and zstd read files of many members as one.
 *
 * Memory is bounded by the chunks in flight, whatever the size of the file.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { promisify } from "node:util"
import * as zlib from "node:zlib"
import { bracketAsync } from "../../../../Common/bracket.js"
import { writeAll } from "./files.js"
import { inFlight, inOrder } from "./inOrder.js"
import { formats } from "./Members.js"
import * as Rights from "./Rights.js"
import * as Zstd from "./Zstd.js"

/** @internal */
export interface Compressed {
  readonly bytes: number
  readonly contentBytes: number
  readonly sha256: string
  readonly contentSha256: string
}

/** @internal */
export interface Options {
  readonly source: string
  /** Does not exist yet. */
  readonly target: string
  readonly compression: "gzip" | "zstd"
  readonly level: number | undefined
  readonly onBytes: (bytes: number, total: number) => void
}

/** @internal */
export const compress = (options: Options): Promise<Compressed> =>
  bracketAsync(
    () => fs.openSync(options.source, "r"),
    (source) =>
      Rights.withFileAsync(options.target, "new", (target) => pump(source, target, options)),
    fs.closeSync
  )

const pump = async (source: number, target: number, options: Options): Promise<Compressed> => {
  const pack = packer(options)
  const [content, file] = [createHash("sha256"), createHash("sha256")]
  const total = fs.fstatSync(source).size
  let contentBytes = 0
  let bytes = 0
  // A buffer is used again when what it held has been packed.
  const buffers = Array.from({ length: inFlight }, () => Buffer.allocUnsafeSlow(chunk))
  await inOrder({
    next: (turn) => {
      const buffer = buffers[turn % inFlight] ?? Buffer.allocUnsafeSlow(chunk)
      const read = fs.readSync(source, buffer, 0, chunk, contentBytes)
      if (read === 0) return undefined
      const plain = buffer.subarray(0, read)
      content.update(plain)
      contentBytes += read
      options.onBytes(contentBytes, total)
      return pack(plain)
    },
    take: (packed) => {
      file.update(packed)
      writeAll(target, packed)
      bytes += packed.length
    }
  })
  fs.fsyncSync(target)
  return {
    bytes,
    contentBytes,
    sha256: file.digest("hex"),
    contentSha256: content.digest("hex")
  }
}

const packer = ({ compression, level, target }: Options): ((plain: Buffer) => Promise<Buffer>) => {
  const pack = compression === "gzip" ? gzip(level ?? defaultLevel) : Zstd.compress(target, level)
  return (plain) => pack(plain).then(formats[compression].seal)
}

const gzip =
  (level: number) =>
  (plain: Buffer): Promise<Buffer> =>
    member(plain, { level, memLevel: 9, chunkSize })

const member = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip)

/** Measured: one per cent larger than 9, in less than half of its time; see docs/measurements.md. */
const defaultLevel = 6

/** Of 1 MiB, the file is a third of a per cent larger; of 8, it is not smaller. */
const chunk = 1 << 21
const chunkSize = 1 << 20
