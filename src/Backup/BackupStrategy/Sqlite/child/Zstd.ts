/**
 * zstd of Node's own zlib, which not every supported Node has.
 *
 * @since 0.1.0
 */
import type { Transform } from "node:stream"
import * as zlib from "node:zlib"

interface Zstd {
  readonly zstdCompress: (
    plain: Buffer,
    options: { readonly params: Readonly<Record<number, number>> },
    done: (error: Error | null, result: Buffer) => void
  ) => void
  readonly createZstdDecompress: () => Transform & { readonly bytesWritten: number }
  readonly constants: {
    readonly ZSTD_c_compressionLevel: number
    readonly ZSTD_c_checksumFlag: number
  }
}

const isZstd = (module: object): module is Zstd =>
  "zstdCompress" in module && "createZstdDecompress" in module

/** @internal */
export const available: Zstd | undefined = isZstd(zlib) ? zlib : undefined

/** @internal */
export const compress =
  ({ constants, zstdCompress }: Zstd, level = defaultLevel) =>
  (plain: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const params = {
        [constants.ZSTD_c_compressionLevel]: level,
        [constants.ZSTD_c_checksumFlag]: 1
      }
      zstdCompress(plain, { params }, (error, result) => {
        if (error === null) resolve(result)
        else reject(error)
      })
    })

const defaultLevel = 3
