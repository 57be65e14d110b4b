/** Removes scratch directories: where others may write beside them, so that a name proves nothing. */
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"

/**
 * Only a directory of this very user's own that nobody else may look into, with nothing in it but the
 * files of a run. It is held while it is emptied, so that no link leads anywhere else, and nothing in it
 * is followed or descended into. What is something else stays.
 *
 * @internal
 */
export const remove = async (directory: string): Promise<void> => {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  const held = await fs.open(directory, flags).catch(() => undefined)
  if (held === undefined) return
  await empty(directory, held)
    .then((isEmpty) => (isEmpty ? fs.rmdir(directory) : undefined))
    .catch(() => undefined)
    .finally(() => held.close())
}

const empty = async (directory: string, held: fs.FileHandle): Promise<boolean> => {
  const { mode, uid } = await held.stat()
  if (uid !== process.geteuid?.() || (mode & 0o077) !== 0) return false
  const inside = process.platform === "linux" ? `/proc/self/fd/${held.fd}` : directory
  const names = await fs.readdir(inside)
  if (!names.every((name) => ownFile.test(name))) return false
  for (const name of names) await fs.unlink(path.join(inside, name))
  return true
}

const ownFile = /^content(\.(sized|drill))?(-(wal|shm|journal))?$/
