/**
 * How many bytes the figures of `statfs` are. Pure, and without Effect: the child that works on SQLite files
 * uses it as well.
 *
 * Blocks are counted in `frsize`, which newer versions of Node tell; `bsize` is what the file system likes
 * to be read by. They are one and the same but in FUSE (sshfs, rclone, mergerfs, virtiofs), where a
 * `bsize` of 1 MB over an `frsize` of 4 kB would make 256 times as much of what is free.
 *
 * @internal
 */

/** What Node's `statfs` gives. */
export interface Figures {
  readonly type: number
  readonly bsize: number
  readonly frsize?: number | undefined
  readonly blocks: number
  readonly bfree: number
  readonly bavail: number
}

export interface Space {
  /** What this process may still write; what the system reserves for root is not in it. */
  readonly freeBytes: number
  /** Everything that may be written, as `df` counts: used and free, without the reserve. */
  readonly totalBytes: number
}

/** Undefined where the unit is not told: then `df` knows. */
export const spaceOf = (figures: Figures): Space | undefined => {
  const { bavail, bfree, blocks, bsize, frsize = 0, type } = figures
  const unit = frsize > 0 ? frsize : type === fuse ? undefined : bsize
  if (unit === undefined) return undefined
  return { freeBytes: bavail * unit, totalBytes: (blocks - bfree + bavail) * unit }
}

/** What stays free where somebody writes who cannot tell how much: others write to the same disk. */
export const reserveOf = (freeBytes: number): number =>
  Math.min(freeBytes * reservedShare, reservedMost)

const reservedShare = 0.05
const reservedMost = 64e6

/** FUSE_SUPER_MAGIC of Linux. */
const fuse = 0x65735546

/** How `df` is asked: as POSIX has it, which BusyBox knows too. */
export const df = {
  command: "df",
  /** The path is absolute. */
  args: (path: string): Array<string> => ["-P", "-k", path],
  options: {
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin" },
    // A file system whose server is gone gives no answer at all.
    timeout: 5000,
    killSignal: "SIGKILL"
  }
} as const

/** Undefined where it said something else. */
export const spaceOfDf = (output: string): Space | undefined => {
  // The name of a source may hold blanks: numbers are what comes before the percentage.
  const [, used, available] = /\s(-?\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+\//.exec(output) ?? []
  if (used === undefined || available === undefined) return undefined
  const free = Math.max(0, Number(available)) * kilobyte
  return { freeBytes: free, totalBytes: Number(used) * kilobyte + free }
}

const kilobyte = 1024
