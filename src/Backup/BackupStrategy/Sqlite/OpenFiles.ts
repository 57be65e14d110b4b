/**
 * Which files the processes of this machine have open, as far as /proc shows it to this user. It is
 * read once for each operation; what is asked of it afterwards is asked of the list.
 */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import type { BigIntStats } from "node:fs"
import * as fs from "node:fs/promises"

/** @internal */
export interface OpenFile {
  readonly pid: string
  /** `node (4711)`. */
  readonly process: string
  /** Its content is read there also when no name is left of it: `/proc/4711/fd/20`. */
  readonly descriptor: string
  /** As Linux tells it, with ` (deleted)` behind it where it has no name any more. */
  readonly path: string
  readonly key: string
}

/** @internal */
export interface Seen {
  readonly files: ReadonlyArray<OpenFile>
  /** Users of the processes that could not be looked into. */
  readonly unseen: ReadonlyArray<number>
  /** The system does not even list the processes of other users. */
  readonly isHidden: boolean
}

/** What makes two names the same file. */
const keyOf = ({ dev, ino }: Pick<BigIntStats, "dev" | "ino">): string => `${dev}:${ino}`

/** The key of what is at a path; undefined where nothing is. @internal */
export const keyAt = (file: string): Promise<string | undefined> =>
  orNothing(fs.stat(file, { bigint: true }).then(keyOf))

/** Undefined where the system has no /proc. @internal */
export const look: Effect.Effect<Seen | undefined> = Effect.suspend(() =>
  process.platform === "linux" ? Effect.promise(lookInto) : Effect.succeed(undefined)
)

/** Why it is not certain that there are no others; undefined where it is. @internal */
export const doubtOf = (
  { isHidden, unseen }: Pick<Seen, "isHidden" | "unseen">,
  isMeant: (user: number) => boolean
): string | undefined => {
  if (isHidden) return "the system hides the processes of other users (hidepid)"
  const count = unseen.filter(isMeant).length
  if (count === 0) return undefined
  return `${count} ${count === 1 ? "process" : "processes"} of other users could not be looked into`
}

const lookInto = async (): Promise<Seen> => {
  const pids = (await fs.readdir("/proc")).filter((name) => /^\d+$/.test(name))
  const files: Array<OpenFile> = []
  const unseen: Array<number> = []
  for (const pid of pids) {
    const open = await orNothing(fs.readdir(`/proc/${pid}/fd`))
    if (open === undefined) {
      const user = await orNothing(fs.stat(`/proc/${pid}`))
      // Otherwise it has ended meanwhile.
      if (user !== undefined) unseen.push(user.uid)
    } else files.push(...(await filesOf(pid, open)))
  }
  return { files, unseen, isHidden: !pids.includes("1") }
}

const filesOf = async (
  pid: string,
  open: ReadonlyArray<string>
): Promise<ReadonlyArray<OpenFile>> => {
  const found = await Promise.all(open.map((name) => fileAt(`/proc/${pid}/fd/${name}`)))
  const files = found.filter((file) => file !== undefined)
  if (files.length === 0) return []
  const name = await orNothing(fs.readFile(`/proc/${pid}/comm`, "utf8"))
  const process = `${name?.trim() ?? "process"} (${pid})`
  return files.map((file) => ({ ...file, pid, process }))
}

/** Not of sockets and pipes, which have no path. */
const fileAt = async (
  descriptor: string
): Promise<Pick<OpenFile, "descriptor" | "path" | "key"> | undefined> => {
  const path = await orNothing(fs.readlink(descriptor))
  if (path === undefined || !path.startsWith("/")) return undefined
  const key = await keyAt(descriptor)
  return key === undefined ? undefined : { descriptor, path, key }
}

/** Processes that have one of the files open; why that may not be all of them. @internal */
export interface Users {
  readonly processes: ReadonlyArray<string>
  readonly doubt: string | undefined
}

/** @internal */
export const usersOf = (files: ReadonlyArray<string>): Effect.Effect<Users> =>
  Effect.gen(function* () {
    const there = yield* Effect.promise(() => present(files))
    if (there.length === 0) return { processes: [], doubt: undefined }
    const seen = yield* look
    if (seen === undefined) return yield* Effect.promise(() => byLsof(files))
    const wanted = new Set(there)
    const lockers = yield* Effect.promise(() => lockersOf(there))
    const open = seen.files.filter(({ key }) => wanted.has(key))
    const processes = new Set([
      ...open.map(({ process }) => process),
      ...lockers
        .filter((pid) => !open.some((file) => file.pid === pid))
        .map((pid) => `process (${pid})`)
    ])
    return { processes: [...processes], doubt: doubtOf(seen, () => true) }
  })

const present = async (files: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
  (await Promise.all(files.map(keyAt))).filter((key) => key !== undefined)

/** Of processes that cannot be looked into, their locks still tell. */
const lockersOf = async (keys: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const inodes = new Set(keys.map((key) => key.slice(key.indexOf(":") + 1)))
  const lines = ((await orNothing(fs.readFile("/proc/locks", "utf8"))) ?? "").split("\n")
  return lines.flatMap((line) => {
    const [, pid, inode = ""] = /(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? []
    return pid !== undefined && inodes.has(inode) ? [pid] : []
  })
}

/** It ends with 1 where no process has them open. */
const byLsof = (files: ReadonlyArray<string>): Promise<Users> =>
  new Promise((resolve) => {
    execFile("lsof", ["-t", "--", ...files], (error, stdout) => {
      const isMissing = error !== null && typeof error.code === "string"
      const pids = stdout.split("\n").filter((pid) => pid !== "")
      resolve({
        processes: isMissing ? ["unknown, without lsof"] : pids.map((pid) => `process ${pid}`),
        doubt: undefined
      })
    })
  })

const orNothing = <A>(promise: Promise<A>): Promise<A | undefined> => promise.catch(() => undefined)
