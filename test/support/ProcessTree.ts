/** Signals for a process with everything below it: PostgreSQL gives each backend its own group. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { live } from "./live.js"

/**
 * Stops the process and all its descendants, and returns when they have stopped. The parent goes
 * first: what is stopped starts no more children.
 */
export const pause = (pid: number): Effect.Effect<void> =>
  Effect.sync(() => {
    const stopped: Array<number> = []
    const stop = (target: number): void => {
      send(target, "SIGSTOP")
      stopped.push(target)
      for (const child of children(target)) stop(child)
    }
    stop(pid)
    return stopped
  }).pipe(
    Effect.flatMap(
      Effect.forEach(
        (target) =>
          Effect.sync(() => state(target)).pipe(
            // A signal is taken when the process is next scheduled; not yet is not never.
            Effect.repeat({
              until: (now) => now === undefined || "TtZX".includes(now),
              schedule: Schedule.spaced("1 millis")
            })
          ),
        { discard: true }
      )
    ),
    live
  )

export const resume = (pid: number): Effect.Effect<void> => signal(pid, "SIGCONT")

export const kill = (pid: number): Effect.Effect<void> => signal(pid, "SIGKILL")

const signal = (pid: number, name: NodeJS.Signals): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const target of descendants(pid)) send(target, name)
  })

/** The process and what it started, itself last, so that a parent sees its children end. */
export const descendants = (pid: number): ReadonlyArray<number> => {
  const below = (parent: number): ReadonlyArray<number> =>
    children(parent).flatMap((child) => [...below(child), child])
  return [...below(pid), pid]
}

export const isAlive = (pid: number): boolean => {
  const now = state(pid)
  if (now !== undefined) return now !== "Z" && now !== "X"
  if (process.platform === "linux") return false
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const send = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // It ended meanwhile.
  }
}

const children = (pid: number): ReadonlyArray<number> => {
  if (process.platform !== "linux") return childrenByPs(pid)
  return readdirSync("/proc")
    .map(Number)
    .filter((candidate) => candidate > 0 && stat(candidate)?.parent === pid)
}

const childrenByPs = (pid: number): ReadonlyArray<number> =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []))

const state = (pid: number): string | undefined => stat(pid)?.state

/** `pid (command) state parent ...`; the command may hold spaces and parentheses. */
const stat = (pid: number): { readonly state: string; readonly parent: number } | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [now = "", parent = ""] = text.slice(text.lastIndexOf(")") + 2).split(" ")
    return { state: now, parent: Number(parent) }
  } catch {
    return undefined
  }
}
