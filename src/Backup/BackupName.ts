/**
 * The names of backup files: `<app>_<engine>_<YYYYMMDD_HHMMSS_mmm>.<extension>`, in UTC.
 *
 * The time in a name is when the backup was started. It is all that a file without a manifest tells,
 * such as those of the Python script that Holter replaces, whose older names have no time of day.
 */
import { DateTime, Option } from "effect"

export interface BackupName {
  /** Whose backup it is, as part of a file's name: `dmarket_bot`. */
  readonly app: string
  /** Made before a restore, and kept out of rotation. */
  readonly preRestore: boolean
  /** `sqlite`, `postgresql`, or what a strategy of another package calls its own. */
  readonly engine: string
  readonly startedAt: DateTime.Utc
  /** `db`, `db.gz`, `db.zst`, `dump`. */
  readonly extension: string
}

/**
 * Reads the name of a file. None where it is no name of a backup, or has a date that does not exist.
 *
 * Example: `dmarket_bot_sqlite_20251211_120000_123.db.gz`.
 */
export const parse = (file: string): Option.Option<BackupName> => {
  const found = form.exec(file)
  // Most files of a crowded directory end here: a date that is none is a thrown error, which costs far more.
  if (found === null) return Option.none()
  const [, subject = "", engine = "", day = "", time = "000000", fraction = "000", extension = ""] =
    found
  const marked = subject.endsWith(mark) && subject.length > mark.length
  return Option.map(timeOf(day, time, fraction), (startedAt) => ({
    app: marked ? subject.slice(0, -mark.length) : subject,
    preRestore: marked,
    engine,
    startedAt,
    extension
  }))
}

/** Whether a file may have such a name: for thousands of them, since to read a date takes far longer. */
export const isLike = (file: string): boolean => form.test(file)

/** Writes a name that `parse` reads as the same value. */
export const format = (name: BackupName): string => {
  const { day, hours, millis, minutes, month, seconds, year } = DateTime.toPartsUtc(name.startedAt)
  const date = digits(year, 4) + digits(month, 2) + digits(day, 2)
  const time = digits(hours, 2) + digits(minutes, 2) + digits(seconds, 2)
  const subject = name.app + (name.preRestore ? mark : "")
  return `${subject}_${name.engine}_${date}_${time}_${digits(millis, 3)}.${name.extension}`
}

/**
 * An app's name as part of a file's name: `DMarket Bot` is `dmarket_bot`. Never the mark of a
 * pre-restore backup at its end.
 */
export const slug = (app: string): string => {
  const plain = app
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "_")
    .slice(0, 100)
    .replace(/^_+|_+$/g, "")
  const unmarked = plain.replace(/(?<=.)_pre_restore$/, "_prerestore")
  return unmarked === "" ? "app" : unmarked
}

/** The same name a millisecond later, as long as it is taken: two backups never have one name. */
export const nextFree = (name: BackupName, isTaken: (file: string) => boolean): BackupName =>
  isTaken(format(name))
    ? nextFree({ ...name, startedAt: DateTime.add(name.startedAt, { millis: 1 }) }, isTaken)
    : name

const mark = "_pre_restore"

/** Python's `%f` are microseconds. */
const form =
  /^([A-Za-z0-9][A-Za-z0-9_-]*)_([a-z][a-z0-9]*)_(\d{8})(?:_(\d{6})(?:_(\d{3}|\d{6}))?)?\.([a-z0-9]+(?:\.(?:gz|zst))?)$/

const timeOf = (day: string, time: string, fraction: string): Option.Option<DateTime.Utc> => {
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`
  const clock = `${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}`
  const iso = `${date}T${clock}.${fraction.slice(0, 3)}Z`
  // A day that does not exist (31 April) is read as another one.
  return Option.filter(DateTime.make(iso), (read) => DateTime.formatIso(read) === iso)
}

const digits = (value: number, count: number): string => String(value).padStart(count, "0")
