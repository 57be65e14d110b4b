/**
 * The memory limit that Linux's control groups set for this process: the lowest on the way from its
 * own group up to the root, as a limit holds for everything below it.
 */
import { Effect } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"

/** Where to look; elsewhere in tests. */
export interface Places {
  /** Lists the groups of this process. */
  readonly groups: string
  /** Where the groups are mounted. */
  readonly root: string
}

export const linux: Places = { groups: "/proc/self/cgroup", root: "/sys/fs/cgroup" }

/** In bytes; `undefined` without control groups or without a limit. */
export const limit = (places: Places): Effect.Effect<number | undefined> =>
  Effect.gen(function* () {
    const groups = yield* read(places.groups)
    const files = groups.split("\n").flatMap((line) => candidates(places.root, line))
    const limits = yield* Effect.forEach(files, (file) => Effect.map(read(file), bytes))
    const set = limits.filter((value) => value !== undefined)
    return set.length === 0 ? undefined : Math.min(...set)
  })

/** `0::/path` is version 2, `4:memory:/path` version 1. */
const candidates = (root: string, line: string): ReadonlyArray<string> => {
  const [, controllers, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
  if (controllers === undefined || group === undefined) return []
  if (controllers === "") return upwards(root, group, "memory.max")
  return controllers.split(",").includes("memory")
    ? upwards(path.join(root, "memory"), group, "memory.limit_in_bytes")
    : []
}

/**
 * The file in the group and in all above it. In a container the listed path may be the host's, and
 * missing here; the container's own group is then the root of the mount.
 */
const upwards = (root: string, group: string, file: string): ReadonlyArray<string> => {
  const steps = group.split("/").filter((step) => step !== "" && step !== "..")
  return Array.from({ length: steps.length + 1 }, (_, depth) =>
    path.join(root, ...steps.slice(0, depth), file)
  )
}

/** What cannot be read sets no limit. */
const read = (file: string): Effect.Effect<string> =>
  Effect.orElseSucceed(
    Effect.tryPromise(() => fs.readFile(file, "utf8")),
    () => ""
  )

/** `max` is no limit. */
const bytes = (text: string): number | undefined =>
  /^\d+$/.test(text.trim()) ? Number(text.trim()) : undefined
