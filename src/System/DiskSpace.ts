/**
 * Room on the file system that holds a path.
 *
 * @internal
 */
import { execFile } from "node:child_process"
import type { StatsFs } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { df, type Figures, type Space, spaceOf, spaceOfDf } from "../Common/DiskBlocks.js"

export interface Look {
  readonly stats: StatsFs
  /** Undefined where it cannot be known: `statfs` does not tell its unit, and there is no `df`. */
  readonly space: Space | undefined
}

/**
 * What `statfs` says, in bytes. It rejects as `statfs` does.
 *
 * A promise, as those that it is made of: who calls it says what is wrong in words of his own.
 */
export const look = async (file: string): Promise<Look> => {
  const stats: StatsFs & Pick<Figures, "frsize"> = await fs.statfs(file)
  return { stats, space: spaceOf(stats) ?? (await askDf(path.resolve(file))) }
}

const askDf = (file: string): Promise<Space | undefined> =>
  new Promise((resolve) => {
    execFile(df.command, df.args(file), df.options, (error, stdout) => {
      resolve(error === null ? spaceOfDf(stdout) : undefined)
    })
  })
