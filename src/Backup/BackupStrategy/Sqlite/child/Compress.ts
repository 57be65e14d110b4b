/**
 * Compression on several cores at once: chunks on the threads of libuv, each a member of its own, in
 * order. gunzip and zstd read files of many members as one.
 *
 * Memory is bounded by the chunks in flight, whatever the size of the file.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as zlib from "node:zlib"
import { bracketAsync } from "./bracket.js"
import { fail } from "./Fault.js"
import { writeAll } from "./files.js"
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
      bracketAsync(
        () => fs.openSync(options.target, "wx", 0o600),
        (target) => pump(source, target, options),
        fs.closeSync
      ),
    fs.closeSync
  )

const pump = async (source: number, target: number, options: Options): Promise<Compressed> => {
  const pack = packer(options)
  const [content, file] = [createHash("sha256"), createHash("sha256")]
  const total = fs.fstatSync(source).size
  const buffers = Array.from({ length: inFlight }, () => Buffer.allocUnsafeSlow(chunk))
  const queue: Array<Promise<Buffer>> = []
  let contentBytes = 0
  let bytes = 0
  const take = async (next: Promise<Buffer>) => {
    const packed = await next
    file.update(packed)
    writeAll(target, packed)
    bytes += packed.length
  }
  for (let turn = 0; ; turn = (turn + 1) % inFlight) {
    if (queue.length === inFlight) await drain(queue, take, inFlight - 1)
    // The buffer of the oldest chunk, which has just been taken.
    const buffer = buffers[turn] ?? Buffer.alloc(0)
    const read = fs.readSync(source, buffer, 0, chunk, contentBytes)
    if (read === 0) break
    const plain = buffer.subarray(0, read)
    const packed = pack(plain)
    // Awaited in its turn; until then a failure of it is not forgotten, only early.
    packed.catch(() => undefined)
    queue.push(packed)
    content.update(plain)
    contentBytes += read
    options.onBytes(contentBytes, total)
  }
  await drain(queue, take, 0)
  fs.fsyncSync(target)
  return {
    bytes,
    contentBytes,
    sha256: file.digest("hex"),
    contentSha256: content.digest("hex")
  }
}

const drain = async (
  queue: Array<Promise<Buffer>>,
  take: (next: Promise<Buffer>) => Promise<void>,
  left: number
): Promise<void> => {
  while (queue.length > left) {
    const next = queue.shift()
    if (next !== undefined) await take(next)
  }
}

const packer = ({
  compression,
  level,
  target
}: Options): ((plain: Buffer) => Promise<Buffer>) =>
  compression === "gzip" ? gzip(level ?? defaultLevel) : zstd(target, level)

const gzip =
  (level: number) =>
  (plain: Buffer): Promise<Buffer> =>
    called((done) => {
      zlib.gzip(plain, { level, memLevel: 9, chunkSize: chunk }, done)
    })

const zstd = (target: string, level: number | undefined): ((plain: Buffer) => Promise<Buffer>) =>
  Zstd.available === undefined
    ? fail({
        reason: "ToolTooOld",
        subject: target,
        expected: "a Node.js whose zlib has zstd, 22.15 or newer",
        found: process.version,
        advice: "Use gzip, or a newer Node.js"
      })
    : Zstd.compress(Zstd.available, level)

const called = (
  call: (done: (error: Error | null, result: Buffer) => void) => void
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    call((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })

/** Measured: one per cent larger than 9, in less than half of its time; see docs/measurements.md. */
const defaultLevel = 6

const chunk = 1 << 20

/** One more than can be worked on, so that no core waits for the disk. */
const inFlight = Math.min(os.availableParallelism(), 4) + 1
