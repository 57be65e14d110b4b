/** What the operating system says about the file system that holds a path. */
import { Context, Effect, Layer, Schema } from "effect"
import * as fs from "node:fs/promises"
import { mountOf, parseMountInfo } from "../../Common/MountInfo.js"
import * as DiskSpace from "../../System/DiskSpace.js"
import { codeOf } from "../../Common/Errors.js"

export interface Usage {
  /** What this process may still write; what the system reserves for root is not in it. */
  readonly freeBytes: number
  /** Everything that may be written, as `df` counts: used and free, without the reserve. */
  readonly totalBytes: number
  /** Where the file system counts files at all. */
  readonly inodes: { readonly free: number; readonly total: number } | undefined
  readonly readOnly: boolean
  /** Where the file system is mounted, where the system tells (Linux). */
  readonly mount: { readonly path: string; readonly type: string } | undefined
}

/** The file system did not tell. */
export class UsageError extends Schema.TaggedError<UsageError>(
  "holter/plugins/Disk/DiskUsage/UsageError"
)("UsageError", { code: Schema.optional(Schema.String), cause: Schema.Defect }) {}

export class DiskUsage extends Context.Tag("holter/plugins/Disk/DiskUsage")<
  DiskUsage,
  { readonly read: (path: string) => Effect.Effect<Usage, UsageError> }
>() {}

/**
 * Asks with `statfs`. A network file system whose server is gone holds the asking thread for good,
 * and Node has four: while an answer for a path is outstanding, no second question is asked.
 */
export const layer: Layer.Layer<DiskUsage> = Layer.sync(DiskUsage, () => {
  const asked = new Map<string, Promise<Usage>>()
  const ask = (path: string) => {
    const outstanding = asked.get(path)
    if (outstanding !== undefined) return outstanding
    const answer = usageOf(path).finally(() => asked.delete(path))
    asked.set(path, answer)
    return answer
  }
  return {
    read: (path) =>
      Effect.tryPromise({
        try: () => ask(path),
        catch: (cause) => new UsageError({ code: codeOf(cause), cause })
      })
  }
})

const usageOf = async (path: string): Promise<Usage> => {
  const [{ space, stats }, where, erofs, mountInfo] = await Promise.all([
    DiskSpace.look(path),
    fs.realpath(path),
    fs.access(path, fs.constants.W_OK).then(
      () => false,
      (error: unknown) => codeOf(error) === "EROFS"
    ),
    fs.readFile("/proc/self/mountinfo", "utf8").catch(() => "")
  ])
  if (space === undefined) throw new NoUnit(stats.type)
  const mount = mountOf(parseMountInfo(mountInfo), where)
  return {
    ...space,
    inodes: stats.files > 0 ? { free: stats.ffree, total: stats.files } : undefined,
    readOnly: erofs || mount?.readOnly === true,
    mount: mount === undefined ? undefined : { path: mount.path, type: mount.type }
  }
}

/** What `statfs` says is in a unit that this Node does not tell, and `df` does not answer. */
class NoUnit extends Error {
  readonly code = "HOLTER_NO_UNIT"
  constructor(type: number) {
    super(`file system type 0x${type.toString(16)}: its blocks have an unknown size`)
  }
}
