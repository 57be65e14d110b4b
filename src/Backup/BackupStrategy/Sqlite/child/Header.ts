/** The first 100 bytes of a SQLite database. */

/** @internal */
export const length = 100

/** @internal */
export const isSqlite = (bytes: Buffer): boolean =>
  bytes.length >= length && bytes.toString("latin1", 0, 16) === "SQLite format 3\0"

/** A dump of pg_dump, in its custom format. @internal */
export const isPostgres = (bytes: Buffer): boolean => bytes.toString("latin1", 0, 5) === "PGDMP"

/** @internal */
export const pageSize = (bytes: Buffer): number => {
  const size = bytes.readUInt16BE(16)
  return size === 1 ? 65_536 : size
}

/** By the header; undefined where an old program wrote last, which did not know the field. @internal */
export const pageCount = (bytes: Buffer): number | undefined =>
  bytes.readUInt32BE(24) === bytes.readUInt32BE(92) ? bytes.readUInt32BE(28) : undefined

/** Pages that hold nothing. @internal */
export const freePages = (bytes: Buffer): number => bytes.readUInt32BE(36)

/** Reading such a file needs, and makes, a `-wal` and a `-shm` file. @internal */
export const isWalMode = (bytes: Buffer): boolean => bytes[18] === 2 || bytes[19] === 2

/** @internal */
export const setRollbackMode = (bytes: Buffer): void => {
  if (!isSqlite(bytes)) return
  bytes[18] = 1
  bytes[19] = 1
}
