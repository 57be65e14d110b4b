/**
 * gzip members that tell their own length, so that they can be unpacked on several cores too. The
 * length is in the extra field of the header, which other programs skip.
 *
 * @since 0.1.0
 */

/** Bytes that tell the length of a member. @internal */
export const headerLength = 20

/** Puts its length into a member with a plain header, as zlib makes it. @internal */
export const seal = (member: Buffer): Buffer => {
  const header = Buffer.alloc(headerLength)
  member.copy(header, 0, 0, plainHeader)
  header[3] = hasExtra
  header.writeUInt16LE(8, 10)
  header.write("Ho", 12, "latin1")
  header.writeUInt16LE(4, 14)
  header.writeUInt32LE(member.length + headerLength - plainHeader, 16)
  return Buffer.concat([header, member.subarray(plainHeader)])
}

/** Undefined where it is a member of another program. @internal */
export const lengthOf = (header: Buffer): number | undefined =>
  header.length >= headerLength &&
  header.readUInt32BE(0) === 0x1f8b0804 &&
  header.readUInt16LE(10) === 8 &&
  header.toString("latin1", 12, 14) === "Ho"
    ? header.readUInt32LE(16)
    : undefined

const plainHeader = 10
const hasExtra = 4
