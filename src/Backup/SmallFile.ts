/**
 * The text of a small file in a directory that others may write, without the calls: `LocalFiles` waits
 * for each of them, the thread of `BackupStore/Directory/Crowd` makes it itself.
 *
 * Without Effect, which a thread would load for nothing else.
 */
import { type BigIntStats, constants, type Stats } from "node:fs"

/** How such a file is opened: not followed, not waited for, not this process's terminal. @internal */
export const reading =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** A manifest of a hundred thousand tables has less. @internal */
export const largest = 16 * 1024 * 1024

/** A file that is being read. @internal */
export interface Reading {
  /** Where the next bytes go; undefined at the end. */
  readonly rest: () => Buffer | undefined
  /** So many came; none where somebody made the file shorter. */
  readonly take: (count: number) => void
  readonly text: () => string
}

/** Undefined for what is no file, or too long. @internal */
export const begin = (
  stat: Pick<Stats, "isFile" | "size"> | Pick<BigIntStats, "isFile" | "size">
): Reading | undefined => {
  if (!stat.isFile() || stat.size > largest) return undefined
  const bytes = Buffer.allocUnsafe(Number(stat.size))
  let length = 0
  let isEnded = false
  return {
    rest: () => (isEnded || length === bytes.length ? undefined : bytes.subarray(length)),
    take: (count) => {
      length += count
      isEnded = count === 0
    },
    text: () => bytes.toString("utf8", 0, length)
  }
}

/** Another one after each change of a file, or after another one has taken its name. @internal */
export const versionOf = ({ ino, mtimeNs, size }: Pick<BigIntStats, "ino" | "mtimeNs" | "size">) =>
  `${ino}-${size}-${mtimeNs}`
