/** What can go wrong with a backup, and what to do about it. */
import { Schema } from "effect"
import { sentence } from "../Common/Sentences.js"

/**
 * Why an operation on backups failed.
 *
 * | reason | what it means |
 * | --- | --- |
 * | `Missing` | there is no database at the URL |
 * | `Unreadable` | it is there, and this user may not read it |
 * | `Damaged` | it is there, and is no database any more |
 * | `Busy` | its locks were not free within the wait |
 * | `Unreachable`, `AuthFailed`, `NotPermitted` | the server cannot be reached, refuses the login, or a right is missing |
 * | `ToolMissing`, `ToolTooOld`, `ToolFailed` | pg_dump and its kind |
 * | `ChildFailed` | the child process that works on SQLite files ended without an answer |
 * | `DiskFull` | no room for what has to be written; nothing is left behind |
 * | `Locked` | another run works on the same directory |
 * | `StoreFailed` | the place where backups lie cannot be read or written |
 * | `NotFound` | there is no such backup |
 * | `Corrupt` | a backup that is truncated, changed, empty or unreadable |
 * | `WrongEngine`, `WrongDatabase` | a backup of something else |
 * | `Mismatch` | what was restored is not what the manifest says |
 * | `Incomplete` | the server does not make every object of the backup |
 * | `InUse` | a process has the database open that must be replaced |
 * | `ShuttingDown` | the program stops, and begins nothing new |
 */
export const Reason = Schema.Literal(
  "Missing",
  "Unreadable",
  "Damaged",
  "Busy",
  "Unreachable",
  "AuthFailed",
  "NotPermitted",
  "ToolMissing",
  "ToolTooOld",
  "ToolFailed",
  "ChildFailed",
  "DiskFull",
  "Locked",
  "StoreFailed",
  "NotFound",
  "Corrupt",
  "WrongEngine",
  "WrongDatabase",
  "Mismatch",
  "Incomplete",
  "InUse",
  "ShuttingDown"
)

export type Reason = typeof Reason.Type

/**
 * A database could not be backed up, or a backup not be used. It says what was expected and found,
 * and what to do. No part of it holds a secret.
 */
export class BackupError extends Schema.TaggedError<BackupError>("holter/Backup/BackupError")(
  "BackupError",
  {
    reason: Reason,
    /** What it is about: a file, a directory, the address of a server. Never a URL. */
    subject: Schema.String,
    expected: Schema.String,
    found: Schema.String,
    /** What to do about it, in the imperative. */
    advice: Schema.optional(Schema.String),
    /** The backup of what was there before, where a restore failed after it was made. */
    preRestore: Schema.optional(Schema.String),
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    const advice = this.advice === undefined ? "" : ` ${sentence(this.advice)}`
    const saved =
      this.preRestore === undefined ? "" : ` The content before is saved as ${this.preRestore}.`
    const found = sentence(`${this.subject}: expected ${this.expected}, found ${this.found}`)
    return `${found}${advice}${saved}`
  }
}
