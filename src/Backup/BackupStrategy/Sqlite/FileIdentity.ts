/**
 * What a SQLite file is to the machine: a path within a file system, whatever is mounted where. Two
 * containers have different files at one path, and one file at different paths.
 *
 * @internal
 */
import { Effect } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as MountInfo from "../../../Common/MountInfo.js"
import * as ProcessIdentity from "../../../System/ProcessIdentity.js"
import type * as Manifest from "../../Manifest.js"

/** Of a file that need not be there; its directory has no links in its path. Nothing is opened. */
export const read = (file: string): Effect.Effect<Manifest.Identity | undefined> =>
  Effect.flatMap(ProcessIdentity.self, ({ boot }) => Effect.promise(() => look(file, boot)))

const look = async (file: string, boot: string | null): Promise<Manifest.Identity | undefined> => {
  const directory = path.dirname(file)
  const stat = await fs.stat(directory, { bigint: true }).catch(() => undefined)
  if (stat === undefined) return undefined
  const mounts = MountInfo.parseMountInfo(await textOf("/proc/self/mountinfo"))
  const mount = MountInfo.mountOf(mounts, file)
  const source = mount === undefined ? undefined : sourceOf(mount)
  // A file that is mounted by itself lies in a directory that is not its own.
  const isAlone = mount?.path === file
  return {
    file: {
      path: mount === undefined ? file : within(mount, file),
      device: mount?.device ?? String(stat.dev),
      ...(source === undefined ? {} : { source }),
      ...(boot === null ? {} : { boot }),
      ...(isAlone || stat.birthtimeNs <= 0n ? {} : { born: `${stat.ino} ${stat.birthtimeNs}` })
    }
  }
}

/** A path as the file system itself has it. */
export const within = ({ path: at, root }: MountInfo.Mount, file: string): string =>
  path.posix.join(root, path.posix.relative(at, file))

/** What names one file system among all: `none`, `tmpfs` and `overlay` name each of their kind. */
export const sourceOf = ({ options, source, type }: MountInfo.Mount): string | undefined => {
  if (type === "overlay") return options.find((option) => option.startsWith("upperdir="))
  if (["tmpfs", "ramfs", "rootfs"].includes(type)) return undefined
  return /[/:]/.test(source) ? source : undefined
}

const textOf = (file: string): Promise<string> => fs.readFile(file, "utf8").catch(() => "")
