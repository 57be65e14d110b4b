/**
 * Linux's list of mounts, /proc/self/mountinfo: which one holds a path, of which part of which file
 * system it is, and whether it is read-only.
 */

export interface Mount {
  readonly path: string
  readonly type: string
  /** Major and minor number of the device: `254:0`. Given anew at each start of the system. */
  readonly device: string
  /** The part of the file system that is seen at `path`: `/` for all of it. */
  readonly root: string
  /** What is mounted: a device, the export of a server, or any word. */
  readonly source: string
  /** Of the file system, not of this mount: `upperdir=/var/lib/...` of an overlay. */
  readonly options: ReadonlyArray<string>
  /** Mounted so, or made so by the kernel after errors on the device. */
  readonly readOnly: boolean
}

/** In the order of the list: a later mount covers an earlier one at the same place. */
export const parseMountInfo = (text: string): ReadonlyArray<Mount> =>
  text.split("\n").flatMap((line) => {
    // id parent device root PATH OPTIONS [optional fields...] - TYPE source OPTIONS
    const [left = "", right = ""] = line.split(" - ", 2)
    const [, , device = "", root = "", path, options] = left.split(" ")
    const [type, source = "", deviceOptions = ""] = right.split(" ")
    if (path === undefined || options === undefined || type === undefined) return []
    return [
      {
        path: unescape(path),
        type,
        device,
        root: unescape(root),
        source: unescape(source),
        options: deviceOptions.split(",").map(unescape),
        readOnly: isReadOnly(options) || isReadOnly(deviceOptions)
      }
    ]
  })

/** The mount that an absolute path without symbolic links lies on. */
export const mountOf = (mounts: ReadonlyArray<Mount>, path: string): Mount | undefined => {
  let found: Mount | undefined
  for (const mount of mounts) {
    const holds = mount.path === "/" || path === mount.path || path.startsWith(`${mount.path}/`)
    if (holds && mount.path.length >= (found?.path.length ?? 0)) found = mount
  }
  return found
}

const isReadOnly = (options: string): boolean => options.split(",").includes("ro")

/** Space, tab, line break and backslash stand there as three octal digits. */
const unescape = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
