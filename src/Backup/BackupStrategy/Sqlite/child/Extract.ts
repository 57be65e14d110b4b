/** Reads a backup to its end: the checksum of the file, the content and its checksum. */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { dirname } from "node:path"
import { reserveOf } from "../../../../Common/DiskBlocks.js"
import type { PayloadRequest } from "../Protocol.js"
import { bracketAsync } from "../../../../Common/bracket.js"
import { about, corrupt, fail } from "./Fault.js"
import { firstBytes, sizeOf, writeAll } from "./files.js"
import * as Header from "./Header.js"
import { freeOf } from "./Space.js"
import { formatOf, inOneGo, inParallel } from "./Unpackers.js"
import * as Format from "../../../../Common/Format.js"

/** @internal */
export interface Content {
  readonly bytes: number
  readonly sha256: string
  readonly contentBytes: number
  readonly contentSha256: string
  /** The header of the database. */
  readonly head: Buffer
}

/** @internal */
export interface Options {
  readonly payload: PayloadRequest
  /** Where the content goes: an empty file; without one it is read and not kept. */
  readonly target: string | undefined
  readonly onBytes: (bytes: number, total: number) => void
}

/** Fails with `Corrupt` or `WrongEngine`. @internal */
export const extract = async (options: Options): Promise<Content> => {
  const { path } = options.payload
  const room = options.target ?? path
  const content = await about(
    "backup",
    path,
    () => {
      refusePostgres(path, firstBytes(path))
      return options.target === undefined
        ? read(options, undefined)
        : bracketAsync(
            () => fs.openSync(options.target ?? "", "r+"),
            (target) => read(options, target),
            fs.closeSync
          )
    },
    room
  )
  judge(options.payload, content)
  return content
}

const read = async (options: Options, target: number | undefined): Promise<Content> => {
  const { onBytes, payload } = options
  const [file, content] = [createHash("sha256"), createHash("sha256")]
  const head = Buffer.alloc(Header.length)
  const total = sizeOf(payload.path)
  const { expected, path } = payload
  if (expected !== undefined) equal(path, "bytes", expected.bytes, total)
  const room = target === undefined || expected !== undefined ? undefined : roomFor(options)
  let bytes = 0
  let contentBytes = 0
  const seen = (chunk: Buffer): void => {
    file.update(chunk)
    bytes += chunk.length
    onBytes(bytes, total)
  }
  const keep = (chunk: Buffer): void => {
    if (contentBytes < head.length) chunk.copy(head, contentBytes)
    contentBytes += chunk.length
    // A few bytes may unpack to more than a disk holds: not a byte more than is due.
    const most = expected?.contentBytes ?? due(head.subarray(0, contentBytes))
    if (contentBytes > most) corrupt(path, `${most} bytes of content`, "more")
    if (room !== undefined) {
      if (head.length <= contentBytes && !Header.isSqlite(head)) notSqlite(path, head, contentBytes)
      // What its header promises is told at once, and what nothing tells when it is there.
      const wanted = Math.max(contentBytes, Number.isFinite(most) ? most : 0)
      if (wanted > room.bytes) noRoom(room, wanted)
    }
    content.update(chunk)
    if (target !== undefined) writeAll(target, chunk)
  }
  const given = { path: payload.path, compression: payload.compression, seen, keep }
  const format = formatOf(payload.compression, firstBytes(payload.path))
  await (format === undefined ? inOneGo(given) : inParallel(given, format))
  return {
    bytes,
    sha256: file.digest("hex"),
    contentBytes,
    contentSha256: content.digest("hex"),
    head: head.subarray(0, Math.min(contentBytes, head.length))
  }
}

interface Room {
  readonly directory: string
  readonly free: number
  /** Of these what content without a record may take. */
  readonly bytes: number
}

/** Undefined where it cannot be known. */
const roomFor = ({ target }: Options): Room | undefined => {
  const directory = dirname(target ?? "")
  const free = freeOf(directory)
  return free === undefined ? undefined : { directory, free, bytes: free - reserveOf(free) }
}

const noRoom = ({ directory, free }: Room, wanted: number): never =>
  fail({
    reason: "DiskFull",
    subject: directory,
    expected: `${Format.bytes(wanted)} or more for a backup without a manifest, and ${Format.bytes(reserveOf(free))} that stay free`,
    found: `${Format.bytes(free)} free`,
    advice: "Look whether it is a backup at all; where it is, free some space (or set TMPDIR)"
  })

/** The bytes of a database by its own header, where that tells. */
const due = (head: Buffer): number => {
  if (head.length < Header.length) return Number.POSITIVE_INFINITY
  const pages = Header.isSqlite(head) ? Header.pageCount(head) : undefined
  return pages === undefined ? Number.POSITIVE_INFINITY : pages * Header.pageSize(head)
}

const judge = ({ expected, path }: PayloadRequest, content: Content): void => {
  const { bytes, contentBytes, contentSha256, head, sha256 } = content
  refusePostgres(path, head)
  if (expected !== undefined) {
    equal(path, "bytes", expected.bytes, bytes)
    equal(path, "the SHA-256 of the record", expected.sha256, sha256)
    equal(path, "bytes of content", expected.contentBytes, contentBytes)
    if (expected.contentSha256 !== undefined) {
      equal(path, "the SHA-256 of the content", expected.contentSha256, contentSha256)
    }
  }
  if (!Header.isSqlite(head)) notSqlite(path, head, contentBytes)
  const pages = Header.pageCount(head)
  const size = Header.pageSize(head)
  if (pages === undefined ? contentBytes % size !== 0 : pages * size !== contentBytes) {
    const due = pages === undefined ? `whole pages of ${size} bytes` : `${pages * size} bytes`
    corrupt(path, `${due}, by the header of its database`, `${contentBytes} bytes`)
  }
}

const notSqlite = (path: string, head: Buffer, contentBytes: number): never => {
  refusePostgres(path, head)
  return corrupt(path, "a SQLite database", describe(contentBytes))
}

const describe = (bytes: number): string => (bytes === 0 ? "nothing" : "something else")

const equal = (path: string, what: string, expected: number | string, found: number | string) => {
  if (expected === found) return
  const isHash = typeof expected === "string"
  corrupt(path, isHash ? what : `${expected} ${what}`, isHash ? "another one" : `${found}`)
}

const refusePostgres = (subject: string, head: Buffer): void => {
  if (!Header.isPostgres(head)) return
  fail({
    reason: "WrongEngine",
    subject,
    expected: "a backup of a SQLite database",
    found: "a dump of PostgreSQL",
    advice: "Give the URL of a PostgreSQL database, or another backup"
  })
}
