/**
 * Programs that go on in a file of the database that has lost its name: it was deleted, replaced or
 * renamed under them. What they write is in no backup, and gone with their end.
 */
import { Effect } from "effect"
import * as path from "node:path"
import { BackupError } from "../../BackupError.js"
import * as OpenFiles from "./OpenFiles.js"

/** A program that is not where its database is. @internal */
export interface Stray {
  readonly pid: string
  /** `node (4711)`. */
  readonly process: string
  /** The files of the database that it has open, the database itself first. */
  readonly files: ReadonlyArray<StrayFile>
}

/** @internal */
export interface StrayFile {
  readonly descriptor: string
  /** As the system names it: with ` (deleted)` behind it, or under the name that it has now. */
  readonly path: string
  /** What SQLite would put behind the database's name. */
  readonly ending: "" | "-wal" | "-journal"
}

/** @internal */
export interface Look {
  readonly strays: ReadonlyArray<Stray>
  readonly seen: OpenFiles.Seen | undefined
}

/** @internal */
export const look = (file: string): Effect.Effect<Look> =>
  Effect.gen(function* () {
    const seen = yield* OpenFiles.look
    if (seen === undefined) return { strays: [], seen }
    return { strays: yield* Effect.promise(() => straysOf(file, seen.files)), seen }
  })

const endings = ["", "-wal", "-journal"] as const

/**
 * Not by a `-shm`: for a moment the last program that closes a database has a deleted one open. SQLite
 * deletes a `-wal` and a `-journal` after it has closed them, and the database never.
 */
const straysOf = async (
  file: string,
  open: ReadonlyArray<OpenFiles.OpenFile>
): Promise<ReadonlyArray<Stray>> => {
  const name = path.basename(file)
  const directory = await OpenFiles.keyAt(path.dirname(file))
  const now = await Promise.all(endings.map((ending) => OpenFiles.keyAt(`${file}${ending}`)))
  const [database, wal] = now
  const lost: Array<OpenFiles.OpenFile & StrayFile> = []
  for (const each of open) {
    const ending = endings.find((end) => nameOf(each.path) === `${name}${end}`)
    if (ending === undefined || now[endings.indexOf(ending)] === each.key) continue
    if (await isIn(directory, each)) lost.push({ ...each, ending })
  }
  // Renamed without its WAL, which is opened by the name that the database had.
  for (const each of open.filter(({ key }) => key === wal)) {
    const others = open.filter(({ pid }) => pid === each.pid)
    if (others.some(({ key }) => key === database || isListed(lost, key))) continue
    lost.push({ ...each, ending: "-wal" })
    for (const other of others.filter(({ path: shown }) => isRenamed(name, nameOf(shown)))) {
      if (await isIn(directory, other)) lost.push({ ...other, ending: "" })
    }
  }
  return [...new Set(lost.map(({ pid }) => pid))].flatMap((pid) => {
    const files = lost.filter((each) => each.pid === pid)
    const isMeant = files.some(({ ending }) => ending !== "-journal")
    const sorted = files.toSorted((one, other) => one.ending.length - other.ending.length)
    return isMeant ? [{ pid, process: sorted[0]?.process ?? pid, files: sorted }] : []
  })
}

const isListed = (files: ReadonlyArray<OpenFiles.OpenFile>, key: string): boolean =>
  files.some((file) => file.key === key)

/** By its looks only: what a program opens it must not open here. */
const isRenamed = (name: string, other: string): boolean =>
  other.startsWith(path.parse(name).name) && !/-(wal|shm|journal)$/.test(other)

const deleted = / \(deleted\)$/

const nameOf = (shown: string): string => path.basename(shown.replace(deleted, ""))

/** The path is that of the process, which may have another root or other mounts. */
const isIn = async (
  directory: string | undefined,
  { key, path: shown, pid }: OpenFiles.OpenFile
): Promise<boolean> => {
  const parent = path.dirname(shown)
  for (const root of ["", `/proc/${pid}/root`]) {
    const found = await OpenFiles.keyAt(`${root}${parent}`)
    if (found === undefined || found !== directory) continue
    // Some file may really be called so.
    return !deleted.test(shown) || (await OpenFiles.keyAt(`${root}${shown}`)) !== key
  }
  return false
}

/** A restore beside such a program would be for nothing, and its rows lost. @internal */
export const refusal = (
  file: string,
  [first, ...others]: readonly [Stray, ...ReadonlyArray<Stray>]
): BackupError =>
  new BackupError({
    reason: "InUse",
    subject: file,
    expected: "no program that works in a file of this database which was deleted or replaced",
    found: [first, ...others].map(described).join("; "),
    advice: `${rescue(file, first)} Then stop the program, and restore again`
  })

/** For a backup, which holds the file that has the name now. @internal */
export const warning = (file: string, stray: Stray): string =>
  `${described(stray)} works in a file of this database which was deleted or replaced: what it writes is not in this backup, which holds the file that has the name now. ${rescue(file, stray)}`

/** `node (4711) with /data/bot.db (deleted) as /proc/4711/fd/20`. @internal */
export const described = ({ files, pid, process: name }: Stray): string => {
  const listed = files.map(({ descriptor, path }) => `${path} as ${descriptor}`).join(", ")
  return `${Number(pid) === process.pid ? `this program, ${name},` : name} with ${listed}`
}

/** What to type, to save its rows. @internal */
export const rescue = (file: string, { files, pid }: Stray): string => {
  const copies = files.map(
    ({ descriptor, ending }) => `cp ${descriptor} ${quoted(`${file}.rescued${ending}`)}`
  )
  return `Its rows go with its end; save them before: kill -STOP ${pid}; ${copies.join("; ")}; kill -CONT ${pid}.`
}

/** For a shell. */
const quoted = (text: string): string =>
  /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** What is not known, of the processes of the given users or of all; none where it is known. @internal */
export const doubts = (
  { seen }: Look,
  isMeant: (user: number) => boolean
): ReadonlyArray<string> => {
  const doubt = seen === undefined ? undefined : OpenFiles.doubtOf(seen, isMeant)
  return doubt === undefined
    ? []
    : [
        `It is not known whether a program of another user works in a deleted file of this database: ${doubt}`
      ]
}
