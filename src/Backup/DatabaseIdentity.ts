/**
 * Whether two backups are of one database: the only place that decides it. Pure.
 *
 * A database is known by itself, not by the road to it: two servers that follow each other at one
 * address are two databases, and one server behind two addresses is one. Where that cannot be known,
 * nobody guesses: what is `unknown` is neither removed nor chosen.
 */
import type { Database, Identity } from "./Manifest.js"

export type Verdict = "same" | "other" | "unknown"

/**
 * Compares two databases, in any order.
 *
 * `backup.host` counts wherever both have one, then the label that the operator gave, then what the
 * database says of itself. Without the latter on both sides the road to it can tell that two are
 * different, and never that they are one.
 */
export const judge = (one: Database, other: Database): Verdict => {
  if (one.engine !== other.engine || one.name !== other.name) return "other"
  const host = equality(one.host, other.host)
  if (host === "other") return "other"
  const label = equality(one.identity?.label, other.identity?.label)
  if (label !== "unknown") return label
  const id = equality(one.identity?.id, other.identity?.id)
  if (id !== "unknown") return id
  const [file, beside] = [one.identity?.file, other.identity?.file]
  if (file !== undefined && beside !== undefined) return ofFiles(file, beside, host === "same")
  return one.location === other.location ? "unknown" : "other"
}

/** Whether a database tells what it is, so that its backups can be told from those of another one. */
export const isKnown = ({ identity }: Database): boolean =>
  identity?.label !== undefined || identity?.id !== undefined || identity?.file !== undefined

/** `/srv/bot`, or `/srv/bot on web1`. */
export const placeOf = ({ host, location }: Database): string =>
  host === undefined ? location : `${location} on ${host}`

/**
 * The place with what tells the database from another one that has the same: `db:5432 (system
 * identifier 7312)`.
 */
export const describe = (database: Database): string => {
  const { id, file, label } = database.identity ?? {}
  const known =
    label ??
    (id === undefined ? undefined : `system identifier ${id}`) ??
    (file === undefined ? undefined : `${file.path} of ${file.source ?? `device ${file.device}`}`)
  return known === undefined ? placeOf(database) : `${placeOf(database)} (${known})`
}

const equality = (one: string | undefined, other: string | undefined): Verdict => {
  if (one === undefined || other === undefined) return "unknown"
  return one === other ? "same" : "other"
}

type File = NonNullable<Identity["file"]>

/**
 * As long as the system runs, its devices have their numbers, and containers share them. After a
 * restart the numbers and the names of devices may be others, and another machine has the same ones:
 * then a directory is known again by its birth, or the device by its name on the same machine.
 *
 * A number and a name are given again to the next volume, whose top directory has a birth of its own.
 */
const ofFiles = (one: File, other: File, isSameHost: boolean): Verdict => {
  if (one.path !== other.path) return "other"
  const source = equality(one.source, other.source)
  const born = equality(one.born, other.born)
  const isReused = source === "unknown" || /^\/[^/]*$/.test(one.path)
  if (born === "other" && isReused && source !== "other") return "other"
  if (equality(one.boot, other.boot) === "same") {
    return one.device === other.device || source === "same" ? "same" : "other"
  }
  if (born === "same") return "same"
  // A system that tells neither (not Linux) has its own name only.
  const isBare = one.boot === undefined && other.boot === undefined && source === "unknown"
  return isSameHost && (source === "same" || isBare) ? "same" : "unknown"
}
