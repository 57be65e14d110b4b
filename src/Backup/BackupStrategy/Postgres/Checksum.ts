/**
 * Checksums of the files of a dump, read in small pieces: memory stays bounded, and the caller's
 * event loop free.
 *
 * @internal
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"

export type Part = NonNullable<Manifest.Dump["parts"]>[number]

export interface Options {
  /** Also reads what is compressed in it to its end, whose checksum gzip carries. */
  readonly inflate: boolean
  readonly onBytes: (bytes: number) => void
}

export const file = (
  name: string,
  options: Options
): Effect.Effect<{ readonly bytes: number; readonly sha256: string }, BackupError> =>
  Effect.tryPromise({
    try: async (signal) => {
      const hash = createHash("sha256")
      let bytes = 0
      const hashed = async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          hash.update(chunk)
          bytes += chunk.length
          options.onBytes(chunk.length)
          yield chunk
        }
      }
      const source = createReadStream(name, { highWaterMark: chunkBytes })
      await (options.inflate
        ? pipeline(source, hashed, createGunzip({ chunkSize: chunkBytes }), discard, { signal })
        : pipeline(source, hashed, discard, { signal }))
      return { bytes, sha256: hash.digest("hex") }
    },
    catch: (cause) => failure(name, cause)
  })

/** Every file below a directory, sorted by its path. */
export const directory = (
  root: string,
  options: Omit<Options, "inflate"> & {
    readonly inflate: (path: string) => boolean
    readonly concurrency: number
  }
): Effect.Effect<ReadonlyArray<Part>, BackupError> =>
  Effect.tryPromise({
    try: () => largestFirst(root),
    catch: (cause) => failure(root, cause)
  }).pipe(
    Effect.flatMap((names) =>
      Effect.forEach(
        names,
        (name) =>
          Effect.map(
            file(path.join(root, name), {
              inflate: options.inflate(name),
              onBytes: options.onBytes
            }),
            (read) => ({ path: name, ...read })
          ),
        { concurrency: options.concurrency }
      )
    ),
    Effect.map((parts) => parts.sort((one, other) => (one.path < other.path ? -1 : 1)))
  )

/** One checksum for all parts: that of what `sha256sum` prints for them. */
export const ofParts = (parts: ReadonlyArray<Part>): string =>
  createHash("sha256")
    .update(parts.map(({ path: name, sha256 }) => `${sha256}  ${name}\n`).join(""))
    .digest("hex")

/** Bytes of a file, or of the files in a directory; 0 where there is nothing yet. */
export const size = (name: string): Effect.Effect<number> =>
  Effect.promise(async () => {
    const found = await fs.stat(name).catch(() => undefined)
    if (found?.isDirectory() !== true) return found?.size ?? 0
    const names = await fs.readdir(name).catch(() => [])
    const sizes = names.map((part) =>
      fs.stat(path.join(name, part)).then(
        (stat) => stat.size,
        () => 0
      )
    )
    return (await Promise.all(sizes)).reduce((total, bytes) => total + bytes, 0)
  })

/** So that none is left to be read alone at the end. pg_dump's directories have none in them. */
const largestFirst = async (root: string): Promise<ReadonlyArray<string>> => {
  const sized = (await fs.readdir(root)).map(async (name) => ({
    name,
    bytes: (await fs.stat(path.join(root, name))).size
  }))
  return (await Promise.all(sized))
    .sort((one, other) => other.bytes - one.bytes)
    .map(({ name }) => name)
}

const chunkBytes = 256 * 1024

const discard = async (source: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of source) {
    // Read to the end, or there is no telling that there is one.
  }
}

const failure = (subject: string, cause: unknown): BackupError => {
  const code =
    cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""
  if (code.startsWith("Z_")) {
    return new BackupError({
      reason: "Corrupt",
      subject,
      expected: "a file that can be read to its end",
      found: "damaged or truncated compressed data",
      advice: "Use another backup",
      cause
    })
  }
  const full = code === "ENOSPC" || code === "EDQUOT"
  return new BackupError({
    reason: full ? "DiskFull" : code === "ENOENT" ? "NotFound" : "StoreFailed",
    subject,
    expected: full ? "room on the disk" : "a file that can be read and brought to the disk",
    found: code === "" ? "something else" : code,
    advice: full ? "Free some space" : "Check the path, its rights and the disk",
    cause
  })
}
