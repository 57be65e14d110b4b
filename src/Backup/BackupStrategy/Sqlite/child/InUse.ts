/**
 * Who has a file open: asked before a database is moved out of its place, and of nothing else.
 *
 * @since 0.1.0
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { attempt } from "./bracket.js"

/** @internal */
export interface Users {
  /** `node (4711)`. */
  readonly processes: ReadonlyArray<string>
  /** Why it is not certain that there are no others; undefined where it is. */
  readonly doubt: string | undefined
}

/** @internal */
export const usersOf = (files: ReadonlyArray<string>): Users => {
  const there = files.filter((file) => fs.existsSync(file))
  if (there.length === 0) return { processes: [], doubt: undefined }
  return process.platform === "linux" ? byProc(there) : byLsof(there)
}

const byProc = (files: ReadonlyArray<string>): Users => {
  const wanted = new Set(files.map((file) => keyOf(fs.statSync(file, { bigint: true }))))
  const locking = lockersOf(files)
  const processes: Array<string> = []
  let unread = 0
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (pid === String(process.pid)) continue
    const open = attempt(() => fs.readdirSync(`/proc/${pid}/fd`))
    const isGone = open === undefined && !fs.existsSync(`/proc/${pid}`)
    if (open === undefined && !isGone) unread += 1
    const holds = (open ?? []).some((descriptor) => {
      const stat = attempt(() => fs.statSync(`/proc/${pid}/fd/${descriptor}`, { bigint: true }))
      return stat !== undefined && wanted.has(keyOf(stat))
    })
    if (holds || locking.has(pid)) processes.push(nameOf(pid))
  }
  const doubt =
    unread === 0 ? undefined : `${unread} processes of other users could not be looked into`
  return { processes, doubt }
}

const keyOf = ({ dev, ino }: fs.BigIntStats): string => `${dev}:${ino}`

const nameOf = (pid: string): string => {
  const name = attempt(() => fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim())
  return `${name ?? "process"} (${pid})`
}

/** Of processes that cannot be looked into, their locks still tell. */
const lockersOf = (files: ReadonlyArray<string>): ReadonlySet<string> => {
  const inodes = new Set(files.map((file) => String(fs.statSync(file).ino)))
  const lines = (attempt(() => fs.readFileSync("/proc/locks", "utf8")) ?? "").split("\n")
  return new Set(
    lines.flatMap((line) => {
      const match = /(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line)
      return match?.[1] !== undefined && inodes.has(match[2] ?? "") ? [match[1]] : []
    })
  )
}

/** It ends with 1 where nobody has them open. */
const byLsof = (files: ReadonlyArray<string>): Users => {
  const { error, stdout } = spawnSync("lsof", ["-t", "--", ...files], { encoding: "utf8" })
  if (error !== undefined) return { processes: ["unknown, without lsof"], doubt: undefined }
  const pids = stdout.split("\n").filter((pid) => pid !== "" && pid !== String(process.pid))
  return { processes: pids.map((pid) => `process ${pid}`), doubt: undefined }
}
