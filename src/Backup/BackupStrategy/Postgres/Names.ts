/**
 * The names of databases that Holter makes beside the one it works for.
 *
 * They must fit into 63 bytes, and tell whose they are: another database's leftovers are not to be
 * touched. A long name is cut, and then carries a piece of its checksum.
 *
 * @internal
 */
import { DateTime, Option } from "effect"
import { createHash } from "node:crypto"

/** `bot_pre_restore_20251211_120000_123`. */
export const setAside = (database: string, at: DateTime.Utc): string =>
  `${stem(database)}${mark}${stampOf(at)}`

/** When it was set aside, where this is the name of this database's predecessor. */
export const setAsideAt = (database: string, name: string): Option.Option<DateTime.Utc> => {
  const start = `${stem(database)}${mark}`
  const match = name.startsWith(start) ? stamp.exec(name.slice(start.length)) : null
  if (match === null) return Option.none()
  const [, year, month, day, hours, minutes, seconds, millis] = match
  return DateTime.make(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${millis}Z`).pipe(
    Option.map(DateTime.toUtc)
  )
}

export type Purpose = "drill" | "restore"

/** `holter_restore_3f2a9c41_5d0c7be1a2f4`: whose it is, and which run's. */
export const scratch = (purpose: Purpose, database: string, run: string): string =>
  `holter_${purpose}_${digest(database, 8)}_${run}`

/** The purpose, where a run for this database made it. */
export const scratchPurpose = (database: string, name: string): Purpose | undefined => {
  const [, purpose, whose] = /^holter_(drill|restore)_([0-9a-f]{8})_[0-9a-f]{12}$/.exec(name) ?? []
  return whose === digest(database, 8) && (purpose === "drill" || purpose === "restore")
    ? purpose
    : undefined
}

const mark = "_pre_restore_"
const stamp = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_(\d{3})$/

const limit = 63
const stampLength = "20251211_120000_123".length

const stem = (database: string): string => {
  const room = limit - mark.length - stampLength
  if (Buffer.byteLength(database) <= room) return database
  const suffix = `_${digest(database, 6)}`
  let cut = ""
  for (const character of database) {
    if (Buffer.byteLength(cut + character) > room - suffix.length) break
    cut += character
  }
  return cut + suffix
}

const stampOf = (at: DateTime.Utc): string =>
  DateTime.formatIso(at).replace(/[-:Z]/g, "").replace(/[T.]/g, "_")

const digest = (text: string, length: number): string =>
  createHash("sha256").update(text).digest("hex").slice(0, length)
