/**
 * Room on a file system, as `System/DiskSpace` has it: this child works by calls that it waits for.
 *
 * @internal
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { df, type Figures, spaceOf, spaceOfDf } from "../../../../Common/DiskBlocks.js"

/** Undefined where it cannot be known. */
export const freeOf = (directory: string): number | undefined => {
  const figures: Figures = fs.statfsSync(directory)
  return (spaceOf(figures) ?? askDf(path.resolve(directory)))?.freeBytes
}

const askDf = (directory: string) => {
  const asked = spawnSync(df.command, df.args(directory), { ...df.options, encoding: "utf8" })
  return asked.status === 0 ? spaceOfDf(asked.stdout) : undefined
}
