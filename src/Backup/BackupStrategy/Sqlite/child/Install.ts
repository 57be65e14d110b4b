/** Puts a new database file where none is in use: nothing is there, or what is there cannot be read. */
import * as fs from "node:fs"
import * as path from "node:path"
import { attempt, bracket, orElse } from "../../../../Common/bracket.js"
import { fail } from "./Fault.js"
import { companions, sync, syncDirectoryOf } from "./files.js"

/** @internal */
export interface InstallInput {
  readonly source: string
  readonly database: string
  /** Where what is there goes: what is left of a database has a `-wal` that may hold its last rows. */
  readonly aside: string
}

/** @internal */
export interface Installed {
  /** Whether something was set aside. */
  readonly isAside: boolean
  /** What went wrong when it was done already. */
  readonly doubts: ReadonlyArray<string>
}

/**
 * The path of the database is never empty in between: what is there gets its second name first. Where
 * it fails, what was there is in its place again.
 *
 * @internal
 */
export const install = ({ aside, database, source }: InstallInput): Installed => {
  const present = attempt(() => fs.statSync(database))
  takeRights(source, database, present)
  sync(source)
  const left = companions(database).filter((file) => fs.existsSync(file))
  const nameAside = (file: string) => `${aside}${file.slice(database.length)}`
  orElse(
    () => {
      if (present !== undefined) secondName(database, aside)
      for (const file of left) fs.renameSync(file, nameAside(file))
      if (present === undefined) place(source, database)
      else fs.renameSync(source, database)
    },
    () => true,
    (error) => {
      for (const file of left) attempt(() => moveBack(nameAside(file), file))
      if (present !== undefined) attempt(() => moveBack(aside, database))
      throw error
    }
  )
  const isOnDisk = attempt(() => {
    syncDirectoryOf(database)
    return true
  })
  return {
    isAside: present !== undefined || left.length > 0,
    doubts: isOnDisk === true ? [] : ["it is not certain that its new name reached the disk"]
  }
}

/** Where the name is taken, it is the second name of the same file, which goes. */
const moveBack = (from: string, to: string): void => {
  if (!fs.existsSync(from)) return
  if (fs.existsSync(to)) fs.rmSync(from)
  else fs.renameSync(from, to)
}

/** Not over a database that somebody has made meanwhile. */
const place = (source: string, database: string): void => {
  if (attempt(() => fs.existsSync(database)) === true) {
    fail({
      reason: "Busy",
      subject: database,
      expected: "nothing there",
      found: "a file that was made meanwhile",
      advice: "Stop the program that makes it, and try again"
    })
  }
  fs.renameSync(source, database)
}

const secondName = (database: string, aside: string): void => {
  // Some file systems have no links; then there is a moment without a database.
  if (attempt(() => fs.linkSync(database, aside)) === undefined && !fs.existsSync(aside)) {
    fs.renameSync(database, aside)
  }
}

/**
 * As it was; a new one is for its owner alone, who is whoever owns its directory where root restores. By
 * a descriptor: the name may be a link by now.
 */
const takeRights = (source: string, database: string, present: fs.Stats | undefined): void => {
  const owner = present ?? fs.statSync(path.dirname(database))
  bracket(
    () => fs.openSync(source, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW),
    (file) => {
      if (process.getuid?.() === 0) fs.fchownSync(file, owner.uid, owner.gid)
      fs.fchmodSync(file, present === undefined ? 0o600 : present.mode & 0o777)
    },
    fs.closeSync
  )
}
