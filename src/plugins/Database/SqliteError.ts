/**
 * Errors of better-sqlite3, told apart by SQLite's result codes.
 *
 * @internal
 */
import { Predicate } from "effect"
import { DatabaseError, type Reason } from "./DatabaseError.js"

/** Extended codes begin with their primary code: `SQLITE_BUSY_SNAPSHOT`. */
const codes: ReadonlyArray<readonly [string, Reason]> = [
  ["SQLITE_NOTADB", "NotADatabase"],
  ["SQLITE_CORRUPT", "Corrupt"],
  ["SQLITE_BUSY", "Locked"],
  ["SQLITE_LOCKED", "Locked"],
  ["SQLITE_READONLY", "ReadOnly"],
  ["SQLITE_CANTOPEN", "Unreachable"],
  ["SQLITE_PERM", "Unreachable"],
  ["SQLITE_AUTH", "Unreachable"]
]

export const fromCause = (cause: unknown, address: string): DatabaseError => {
  const code =
    Predicate.hasProperty(cause, "code") && typeof cause.code === "string" ? cause.code : ""
  const message =
    Predicate.hasProperty(cause, "message") && typeof cause.message === "string"
      ? cause.message
      : "no reason given"
  const reason = codes.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "QueryFailed"
  const found = reason === "NotADatabase" ? "encrypted, or not SQLite" : code
  return new DatabaseError({ reason, address, found: found === "" ? message : found, cause })
}
