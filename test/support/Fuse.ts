/** A FUSE file system with figures of the test's choice, at a folder of its own. Linux, as root. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFileSync } from "node:child_process"
import { accessSync, mkdirSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as ManagedProcess from "./ManagedProcess.js"
import type { ServerError } from "./ServerError.js"
import * as Tmpfs from "./Tmpfs.js"

export interface Figures {
  readonly bsize: number
  /** The unit of the other two. */
  readonly frsize: number
  readonly blocks: number
  readonly free: number
}

/** Makes the folder as well. It is empty, and takes no files. */
export const make = (
  folder: string,
  { blocks, bsize, free, frsize }: Figures
): Effect.Effect<void, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    mkdirSync(folder)
    const figures = [bsize, frsize, blocks, free].map(String)
    const managed = yield* ManagedProcess.start({
      name: "fuse",
      command: "python3",
      args: [program, folder, ...figures],
      cwd: path.dirname(folder)
    })
    yield* managed.awaitOutput(/ready/)
    yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", [folder])))
  })

const program = fileURLToPath(new URL("fuseDouble.py", import.meta.url))

export const isPermitted = (): boolean => {
  try {
    accessSync("/dev/fuse")
  } catch {
    return false
  }
  return Tmpfs.isPermitted()
}
