/**
 * Root's child works with the rights of the database's owner: in a directory that somebody else may
 * write to, SQLite itself deletes what a journal names, and each path may lead elsewhere a moment later.
 *
 * What only root may open is opened before, and used by its descriptor.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { Request, User } from "../Protocol.js"
import * as ScratchFiles from "../ScratchFiles.js"
import { bracket, orElse } from "../../../../Common/bracket.js"

/** Files that were opened with the rights from before, by their paths. */
const held = new Map<string, number>()

/** For good. The threads are started and their modules loaded by then. @internal */
export const become = (request: Request, { gid, uid }: User): void => {
  if (request._tag === "Restore") {
    held.set(request.path, fs.openSync(request.path, fs.constants.O_RDONLY | nonBlocking))
  }
  if (request._tag === "Dump") held.set(request.path, openNew(request.path))
  orElse(
    () => withGroups.initgroups?.(uid, gid),
    () => true,
    // A number without a name, as in containers.
    () => process.setgroups?.([gid])
  )
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/** Which Node's types do not know. */
const withGroups: NodeJS.Process & {
  readonly initgroups?: (user: number, group: number) => void
} = process

const nonBlocking = fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW

const openNew = (file: string): number => fs.openSync(file, "wx+", 0o600)

/** @internal */
export const isHeld = (file: string): boolean => held.has(file)

/** A file that is read. @internal */
export const withFile = <A>(file: string, use: (descriptor: number) => A): A => {
  const descriptor = held.get(file)
  return descriptor === undefined
    ? bracket(() => fs.openSync(file, "r"), use, fs.closeSync)
    : use(descriptor)
}

/** As `withFile`, for a use that goes on; also of a file that is not there yet. @internal */
export const withFileAsync = async <A>(
  file: string,
  how: "read" | "new",
  use: (descriptor: number) => Promise<A>
): Promise<A> => {
  const descriptor = held.get(file)
  if (descriptor !== undefined) return use(descriptor)
  const opened = how === "read" ? fs.openSync(file, "r") : openNew(file)
  return use(opened).finally(() => {
    fs.closeSync(opened)
  })
}

/** The directory of a scratch file, where the parent has left it to this user to make. @internal */
export const withDirectory = async <A>(
  user: User | undefined,
  file: string,
  use: () => Promise<A>
): Promise<A> => {
  if (user === undefined) return use()
  const directory = path.dirname(file)
  fs.mkdirSync(directory, { mode: 0o700 })
  return use().finally(() => ScratchFiles.remove(directory))
}
