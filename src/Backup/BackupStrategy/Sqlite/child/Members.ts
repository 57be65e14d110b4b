/**
 * Files of members that tell their own length, so that they can be unpacked on several cores too.
 *
 * With gzip the length is in the extra field of each header, with zstd in a skippable frame before each
 * frame: other programs pass over both. Node's own zstd ends after the first of several frames, and so
 * needs them.
 */

/** @internal */
export interface Format {
  /** Bytes at the start of a member that tell its length. */
  readonly headerLength: number
  /** Makes a member of what zlib made. */
  readonly seal: (packed: Buffer) => Buffer
  /** With the header; undefined where it is a member of another program. */
  readonly lengthOf: (header: Buffer) => number | undefined
  /** What zlib unpacks. */
  readonly open: (member: Buffer) => Buffer
}

const plainHeader = 10
const hasExtra = 4

const gzip: Format = {
  headerLength: 20,
  seal: (packed) => {
    const header = Buffer.alloc(gzip.headerLength)
    packed.copy(header, 0, 0, plainHeader)
    header[3] = hasExtra
    header.writeUInt16LE(8, 10)
    header.write("Ho", 12, "latin1")
    header.writeUInt16LE(4, 14)
    header.writeUInt32LE(packed.length + header.length - plainHeader, 16)
    return Buffer.concat([header, packed.subarray(plainHeader)])
  },
  lengthOf: (header) =>
    header.length >= gzip.headerLength &&
    header.readUInt32BE(0) === 0x1f8b0804 &&
    header.readUInt16LE(10) === 8 &&
    header.toString("latin1", 12, 14) === "Ho"
      ? header.readUInt32LE(16)
      : undefined,
  open: (member) => member
}

const skippable = 0x184d2a5e

const zstd: Format = {
  headerLength: 12,
  seal: (packed) => {
    const header = Buffer.alloc(zstd.headerLength)
    header.writeUInt32LE(skippable, 0)
    header.writeUInt32LE(4, 4)
    header.writeUInt32LE(packed.length + header.length, 8)
    return Buffer.concat([header, packed])
  },
  lengthOf: (header) =>
    header.length >= zstd.headerLength &&
    header.readUInt32LE(0) === skippable &&
    header.readUInt32LE(4) === 4
      ? header.readUInt32LE(8)
      : undefined,
  open: (member) => member.subarray(zstd.headerLength)
}

/** @internal */
export const formats = { gzip, zstd }
