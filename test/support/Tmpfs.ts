/** A file system of its own at a folder, unmounted with the scope. Only root may mount. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

/** Makes the folder as well. Options are those of mount: `size=64k`. */
export const make = (folder: string, options: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(folder)
      execFileSync("mount", ["-t", "tmpfs", "-o", options, "holter-test", folder])
    }),
    () => Effect.sync(() => execFileSync("umount", [folder]))
  )

export const isPermitted = (): boolean => {
  const folder = mkdtempSync(path.join(tmpdir(), "holter-mount-"))
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4k", "holter-test", folder])
  if (mounted.status === 0) spawnSync("umount", [folder])
  rmdirSync(folder)
  return mounted.status === 0
}
