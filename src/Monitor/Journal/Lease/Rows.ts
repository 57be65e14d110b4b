/**
 * The rows of the lease: number 1 is the program that has it, the others wait for it or were refused.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Array as Arr, DateTime, Duration, Effect, Random } from "effect"
import { JournalError } from "../JournalError.js"
import { whileBusy } from "../open.js"
import { codeOf } from "../../../Common/Errors.js"

export const beat = Duration.seconds(5)
export const look = Duration.seconds(1)

export interface Row {
  readonly id: number
  readonly token: string
  readonly name: string
  readonly identity: string
  readonly since: number
  readonly beats: number
  readonly beat_at: number
}

export interface Rows {
  readonly holder: Row | undefined
  readonly others: ReadonlyArray<Row>
}

export const read = (sql: SqlClient): Effect.Effect<Rows, SqlError> =>
  Effect.map(
    sql<Row>`SELECT id, token, name, identity, since, beats, beat_at FROM holter_lease`,
    (rows) => {
      const [others, [holder]] = Arr.partition(rows, ({ id }) => id === 1)
      return { holder, others }
    }
  )

export const release = (sql: SqlClient, token: string): Effect.Effect<void> =>
  sql`DELETE FROM holter_lease WHERE token = ${token}`.pipe(
    whileBusy,
    Effect.disconnect,
    Effect.interruptible,
    Effect.timeoutOption("2 seconds"),
    Effect.ignore
  )

/** Whether it is not the database that keeps this program waiting, but a lock of another. */
export const isLocked = (error: SqlError): boolean =>
  /^(?:SQLITE_BUSY|SQLITE_LOCKED|55P03)/.test(codeOf(error) ?? "")

export const unique = Effect.map(
  Effect.all([Random.nextIntBetween(0, 2 ** 31), Random.nextIntBetween(0, 2 ** 31)]),
  (numbers) => numbers.map((number) => number.toString(36)).join("-")
)

const told = ({ beat_at, name, since }: Row): string =>
  `${name}, since ${iso(since)}, with a sign of life at ${iso(beat_at)}`

const iso = (at: number): string => DateTime.formatIso(DateTime.unsafeMake(at))

export const held = (row: Row): JournalError =>
  new JournalError({
    reason: "Held",
    expected: "a journal that no other program keeps",
    found: told(row),
    advice:
      "End that one first, as two would both send alerts, or give this one a journal of its own"
  })

export const succeeded = (row: Row | undefined): JournalError =>
  new JournalError({
    reason: "Held",
    expected: "the journal that this program had taken",
    found: row === undefined ? "that its row in holter_lease is gone" : told(row),
    advice:
      "This one gave no sign of life for too long, as a machine that sleeps, and another took its place. End one of them"
  })
