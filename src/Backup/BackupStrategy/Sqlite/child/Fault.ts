/** What goes wrong in the child, in the words of `BackupError`. */
import type { Failed } from "../Protocol.js"
import { codeOf, messageOf } from "../../../../Common/Errors.js"

/** @internal */
export type Report = Omit<Failed, "_tag">

/** @internal */
export class Fault extends Error {
  readonly report: Report
  constructor(report: Report) {
    super(`${report.subject}: expected ${report.expected}, found ${report.found}`)
    this.report = report
  }
}

/** @internal */
export const fail = (report: Report): never => {
  throw new Fault(report)
}

/** @internal */
export const corrupt = (subject: string, expected: string, found: string): never =>
  fail({ reason: "Corrupt", subject, expected, found, advice: "Use another backup" })

/** What a call was about: the database itself, a backup of one, or the place where files are written. @internal */
export type Role = "database" | "backup" | "place"

/**
 * Runs a call; what it throws is told as what it means for `subject` or, where there is no room, for the
 * file that was written to.
 *
 * @internal
 */
export const about = <A>(
  role: Role,
  subject: string,
  call: () => A | Promise<A>,
  target = subject
): Promise<A> =>
  Promise.resolve()
    .then(call)
    .catch((error: unknown) => {
      throw new Fault(toReport(error, role, subject, target))
    })

/** @internal */
export const toReport = (error: unknown, role: Role, subject: string, target = subject): Report => {
  if (error instanceof Fault) return error.report
  const code = codeOf(error) ?? ""
  const found = messageOf(error)
  const known = meaning(code, role)
  return known === undefined
    ? {
        reason: "ChildFailed",
        subject,
        expected: "the work to be done",
        found: code === "" ? found : `${found} (${code})`
      }
    : {
        ...known,
        subject: known.reason === "DiskFull" ? target : subject,
        found: code === "" ? found : `${known === notPlain ? encrypted : found} (${code})`
      }
}

/** What a file is that does not start as SQLite writes it. @internal */
export const encrypted = "encrypted, or not SQLite"

/**
 * What SQLite cannot do without the program: its schema calls functions, collations or modules that
 * are not there, a virtual table is not as its module wants it, or a rule is broken already. It tells
 * nothing against the file.
 *
 * @internal
 */
export const beyondSqlite = (error: unknown): boolean =>
  /^SQLITE_(ERROR|CONSTRAINT|MISMATCH|CORRUPT_VTAB)/.test(codeOf(error) ?? "")

/** Somebody else has the lock. @internal */
export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error) ?? "")

/** What a file system without hard links says to one. @internal */
export const isWithoutLinks = (error: unknown): boolean =>
  /^(EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK|EINVAL)$/.test(codeOf(error) ?? "")

const meaning = (code: string, role: Role): Omit<Report, "subject" | "found"> | undefined => {
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return busy
  if (code === "SQLITE_FULL" || /^(ENOSPC|EDQUOT|EFBIG)$/.test(code)) return full
  if (code === "SQLITE_NOTADB" && role === "database") return notPlain
  if (/^SQLITE_(NOTADB|CORRUPT|FORMAT)/.test(code)) {
    return role === "backup" ? corruptBackup : damaged
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH|IOERR)/.test(code)) {
    return role === "database" ? unreadable : place
  }
  if (code === "ENOENT") return role === "database" ? missing : place
  if (/^(Z|ERR_BUFFER_TOO_LARGE)/.test(code)) return corruptBackup
  if (/^E[A-Z0-9]+$/.test(code)) return role === "database" ? unreadable : place
  return undefined
}

/**
 * A file of another kind where a database should be. It may be sound, of a program that encrypts it, so
 * that nothing is advised that moves it away.
 *
 * @internal
 */
export const notPlain = {
  reason: "Unreadable",
  expected: "a plain SQLite database",
  advice:
    "Where it is encrypted (SQLCipher), let its own program back it up. Where it is no database, check the database URL. Where it is what is left of a plain one, move it away with its -wal, and restore a backup"
} as const

/** Whether a restore may set it aside on demand, since there is nothing that could be saved. @internal */
export const isUnsaveable = ({ expected, reason }: Report): boolean =>
  reason === "Damaged" || expected === notPlain.expected

const busy = {
  reason: "Busy",
  expected: "its locks to be free within the wait",
  advice: "Try again when no long transaction runs on it"
} as const
const full = {
  reason: "DiskFull",
  expected: "room on the disk",
  advice: "Free some space, or use another directory"
} as const
const corruptBackup = {
  reason: "Corrupt",
  expected: "a whole SQLite database",
  advice: "Use another backup"
} as const
const damaged = {
  reason: "Damaged",
  expected: "a SQLite database",
  advice: "Restore a backup of it with --replace-damaged"
} as const
const unreadable = {
  reason: "Unreadable",
  expected: "a database that this user can read, in a directory that it can write to",
  advice:
    "Run it as the user that owns the database; where its disk is mounted read-only, copy it with its -wal to another directory, and back up the copy"
} as const
const missing = {
  reason: "Missing",
  expected: "a database",
  advice: "Check the database URL"
} as const
const place = {
  reason: "StoreFailed",
  expected: "a place that can be read and written",
  advice: "Check the directory of backups and its rights"
} as const
