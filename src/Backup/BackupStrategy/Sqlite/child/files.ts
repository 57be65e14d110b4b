/** Files of the child: private to their user, written whole, gone when they are not wanted any more. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Unfinished from "../../../Unfinished/starts.js"
import { attempt, bracket } from "../../../../Common/bracket.js"
import * as Header from "./Header.js"
import * as Rights from "./Rights.js"

/** A new and empty file for this user alone. @internal */
export const createPrivate = (file: string): void => {
  fs.closeSync(fs.openSync(file, "wx", 0o600))
}

/** @internal */
export const writeAll = (file: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at)
}

/** The first bytes of a file. @internal */
export const firstBytes = (file: string): Buffer =>
  Rights.withFile(file, (descriptor) => {
    const bytes = Buffer.alloc(Header.length)
    return bytes.subarray(0, fs.readSync(descriptor, bytes, 0, bytes.length, 0))
  })

/** @internal */
export const sizeOf = (file: string): number =>
  Rights.withFile(file, (descriptor) => fs.fstatSync(descriptor).size)

/** Without its WAL a copy is a database that needs none. @internal */
export const setRollbackMode = (file: string): void => {
  setMode(file, 1)
}

/** Its programs find it as they left it; SQLite makes the `-wal` when it opens it. @internal */
export const setWalMode = (file: string): void => {
  setMode(file, 2)
}

const setMode = (file: string, version: 1 | 2): void =>
  bracket(
    () => fs.openSync(file, "r+"),
    (descriptor) => {
      fs.writeSync(descriptor, Buffer.from([version, version]), 0, 2, 18)
    },
    fs.closeSync
  )

/** Brings a file, or what a directory lists, to the disk. @internal */
export const sync = (file: string): void =>
  bracket(() => fs.openSync(file, "r"), fs.fsyncSync, fs.closeSync)

/** @internal */
export const syncDirectoryOf = (file: string): void => sync(path.dirname(file))

/** A database file, and what SQLite lays beside it. @internal */
export const withCompanions = (file: string): ReadonlyArray<string> => [file, ...companions(file)]

/** @internal */
export const companions = (file: string): ReadonlyArray<string> =>
  ["-wal", "-shm", "-journal"].map((ending) => `${file}${ending}`)

const remove = (file: string): void => {
  for (const each of withCompanions(file)) fs.rmSync(each, { force: true })
}

const temporary = new Set<string>()

/** A name that nothing is left under, however the work ends. @internal */
export const withTemporary = <A>(file: string, use: () => Promise<A>): Promise<A> => {
  temporary.add(file)
  return use().finally(() => {
    remove(file)
    temporary.delete(file)
  })
}

/** What the child takes along when its parent is gone. @internal */
export const removeTemporary = (): void => {
  for (const file of temporary) {
    remove(file)
    const directory = path.dirname(file)
    if (path.basename(directory).startsWith(Unfinished.scratch))
      attempt(() => fs.rmdirSync(directory))
  }
}
