/** zstd of Node's own zlib, which not every supported Node has. */
import type { Transform } from "node:stream"
import * as zlib from "node:zlib"
import { fail } from "./Fault.js"

type Done = (error: Error | null, result: Buffer) => void

interface Zstd {
  readonly zstdCompress: (
    plain: Buffer,
    options: { readonly params: Readonly<Record<number, number>> },
    done: Done
  ) => void
  readonly zstdDecompress: (
    frame: Buffer,
    options: { readonly chunkSize: number; readonly maxOutputLength: number },
    done: Done
  ) => void
  readonly createZstdDecompress: () => Transform & { readonly bytesWritten: number }
  readonly constants: {
    readonly ZSTD_c_compressionLevel: number
    readonly ZSTD_c_checksumFlag: number
  }
}

const isZstd = (module: object): module is Zstd =>
  "zstdCompress" in module && "createZstdDecompress" in module

const zstd = (subject: string): Zstd =>
  isZstd(zlib)
    ? zlib
    : fail({
        reason: "ToolTooOld",
        subject,
        expected: "a Node.js whose zlib has zstd, 22.15 or newer",
        found: process.version,
        advice: "Use a newer Node.js; the zstd program reads and writes such files too"
      })

/** @internal */
export const compress = (
  subject: string,
  level = defaultLevel
): ((plain: Buffer) => Promise<Buffer>) => {
  const { constants, zstdCompress } = zstd(subject)
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1
  }
  return (plain) =>
    called((done) => {
      zstdCompress(plain, { params }, done)
    })
}

/** @internal */
export const decompress = (
  subject: string,
  options: { readonly chunkSize: number; readonly maxOutputLength: number }
): ((frame: Buffer) => Promise<Buffer>) => {
  const { zstdDecompress } = zstd(subject)
  return (frame) =>
    called((done) => {
      zstdDecompress(frame, options, done)
    })
}

/** Of one frame: what follows it is not read. @internal */
export const stream = (subject: string): Transform & { readonly bytesWritten: number } =>
  zstd(subject).createZstdDecompress()

const called = (call: (done: Done) => void): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    call((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })

const defaultLevel = 3
