/** Why a journal cannot be used. */
import { Schema } from "effect"
import { sentence } from "../../Common/Sentences.js"

/**
 * | reason | what it means |
 * | --- | --- |
 * | `Corrupt` | it is there, and is no database, or a damaged one |
 * | `NewerVersion` | a newer Holter has written it |
 * | `Unsupported` | a dialect of SQL that no journal is written in, or a transaction around its layer |
 * | `Missing` | nothing was recorded in it yet, and it was asked for reading only |
 * | `Unavailable` | it cannot be reached, read or written at the moment |
 * | `Held` | another program keeps it |
 * | `Replaced` | its file is gone, or another one lies in its place |
 * | `Unreadable` | what it holds is not what this version of Holter writes |
 */
export class JournalError extends Schema.TaggedError<JournalError>("holter/Monitor/JournalError")(
  "JournalError",
  {
    reason: Schema.Literal(
      "Corrupt",
      "NewerVersion",
      "Unsupported",
      "Missing",
      "Unavailable",
      "Held",
      "Replaced",
      "Unreadable"
    ),
    /** Where it is, if that is known. */
    place: Schema.optional(Schema.String),
    expected: Schema.String,
    found: Schema.String,
    /** What to do about it, in the imperative. */
    advice: Schema.String,
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    const { advice, expected, found, place, reason } = this
    const journal = place === undefined ? "The journal" : `The journal ${place}`
    if (reason === "Missing") return `${journal} holds nothing yet (${found}). ${sentence(advice)}`
    const problem = `${journal} cannot be used: expected ${expected}, found ${found}`
    return `${sentence(problem)} ${sentence(advice)}`
  }
}

/**
 * @internal
 */
export const corrupt = (found: string, cause?: unknown): JournalError =>
  new JournalError({
    reason: "Corrupt",
    expected: "a sound database",
    found,
    advice:
      "Nothing in it was changed. Restore it from a backup, or give the journal another database",
    cause
  })

/**
 * @internal
 */
export const unavailable = (found: string, cause?: unknown): JournalError =>
  new JournalError({
    reason: "Unavailable",
    expected: "an answer of its database",
    found,
    advice: "See that the database runs and that this user may write to it",
    cause
  })

/**
 * @internal
 */
export const replaced = (found: string): JournalError =>
  new JournalError({
    reason: "Replaced",
    expected: "the file that was opened",
    found,
    advice:
      "A new journal is begun there with what is known. Stop the program before its files are moved or restored"
  })

/**
 * @internal
 */
export const missing = (found: string): JournalError =>
  new JournalError({
    reason: "Missing",
    expected: "a journal",
    found,
    advice: "Start the program that keeps it, or give the journal another database"
  })

/**
 * @internal
 */
export const newer = (version: number, known: number): JournalError =>
  new JournalError({
    reason: "NewerVersion",
    expected: `a schema of version ${known} or less`,
    found: `version ${version}, written by a newer Holter`,
    advice: "Nothing in it was changed. Use that Holter again, or give the journal another database"
  })

/**
 * @internal
 */
export const unreadable = (what: string, cause?: unknown): JournalError =>
  new JournalError({
    reason: "Unreadable",
    expected: `${what} as this version of Holter writes them`,
    found: "something else",
    advice: "Use the Holter that wrote it, or give the journal another database",
    cause
  })

/**
 * All that the layer starts would go on in a transaction that has ended.
 *
 * @internal
 */
export const inTransaction = new JournalError({
  reason: "Unsupported",
  expected: "a layer that is built outside of transactions",
  found: "a transaction that is open",
  advice: "Build the layer first, and use it in the transaction"
})
