/**
 * Files of Holter's own that hold what only its user is to read.
 */
import * as fs from "node:fs"

/**
 * Makes a file that is not there yet for this user alone, whatever the umask is: SQLite gives its `-wal`
 * and `-shm` the same mode. One that is there keeps its own.
 */
export const make = (file: string): void => {
  if (fs.existsSync(file)) return
  const descriptor = fs.openSync(file, "wx", 0o600)
  fs.fchmodSync(descriptor, 0o600)
  fs.closeSync(descriptor)
}
