/**
 * One program at a time that writes a journal and sends what is owed: a row that names it, and a
 * count in it that goes up as a sign of life.
 *
 * Who finds the row of another watches that count by its own clock, as the clocks of two machines
 * need not agree. One that is known to be dead is succeeded at once, one that gives no sign of life
 * after a while; one that lives may be about to end, and is waited for as long, then the start is
 * refused. Who was succeeded while it slept finds another name in the row: it writes nothing more.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Clock, DateTime, Deferred, Duration, Effect, Random, Schedule, type Scope } from "effect"
import { JournalError } from "./JournalError.js"
import { codeOf, fromSqlError } from "./open.js"

/**
 * A program that is to be the only one on its journal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Holder {
  /** For who is refused because of it: `holter watch, process 12 on bot-1`. */
  readonly name: string
  /** What `isDead` needs to know of it, in a run to come. */
  readonly identity: string
  /** Whether the program that said this of itself is known to have ended. `false`: not known. */
  readonly isDead: (identity: string) => Effect.Effect<boolean>
}

export interface Lease {
  /** Part of every transaction: fails where somebody else has the journal. */
  readonly fence: Effect.Effect<void, JournalError | SqlError>
  /** Comes back when somebody else has it. */
  readonly lost: Effect.Effect<JournalError>
}

/** For programs that do without. */
export const none: Lease = { fence: Effect.void, lost: Effect.never }

const beat = Duration.seconds(5)
/** Three beats. So long another one may give no sign of life, or take to end. */
const patience = 15
const look = Duration.seconds(1)

/** Takes the journal for as long as the scope is open. */
export const acquire = (
  sql: SqlClient,
  holder: Holder
): Effect.Effect<Lease, JournalError, Scope.Scope> =>
  Effect.gen(function* () {
    const token = yield* unique
    // A program that is asked to end while it waits does not wait on.
    yield* Effect.uninterruptibleMask((restore) =>
      restore(compete(sql, holder, token)).pipe(
        Effect.onInterrupt(() => release(sql, token)),
        Effect.zipRight(Effect.addFinalizer(() => release(sql, token)))
      )
    )
    const lost = yield* Deferred.make<JournalError>()
    const check = Effect.flatMap(read(sql), (found) =>
      found?.token === token ? Effect.void : succeeded(found)
    )
    // Locks the row where it can be locked, so that nobody is succeeded in the middle.
    const fence = sql.onDialectOrElse({
      pg: () => Effect.zipRight(sql`SELECT id FROM holter_lease FOR SHARE`, check),
      orElse: () => check
    })
    yield* Effect.forkScoped(
      beating(sql, token).pipe(
        Effect.catchTag("JournalError", (error) => Deferred.succeed(lost, error))
      )
    )
    return { fence, lost: Deferred.await(lost) }
  })

interface Row {
  readonly token: string
  readonly name: string
  readonly identity: string
  readonly since: number
  readonly beats: number
  readonly beat_at: number
}

const read = (sql: SqlClient): Effect.Effect<Row | undefined, SqlError> =>
  Effect.map(
    sql<Row>`SELECT token, name, identity, since, beats, beat_at FROM holter_lease WHERE id = 1`,
    ([row]) => row
  )

const compete = (
  sql: SqlClient,
  holder: Holder,
  token: string
): Effect.Effect<void, JournalError> =>
  Effect.gen(function* () {
    let seen: Row | undefined
    let quiet = 0
    for (let waited = 0; ; waited++) {
      const found = yield* patiently(read(sql))
      const isSame = found?.token === seen?.token && found?.beats === seen?.beats
      quiet = isSame ? quiet + 1 : 0
      const isFree =
        found === undefined || quiet >= patience || (yield* holder.isDead(found.identity))
      if (isFree && (yield* claim(sql, holder, token, found))) {
        if (found !== undefined)
          yield* Effect.logInfo(`${found.name} left its journal behind: it is taken over`)
        return
      }
      if (found !== undefined && !isFree) {
        if (waited >= patience) return yield* held(found)
        if (waited === 0) {
          yield* Effect.logWarning(
            `The journal is in use by ${found.name}: waiting up to ${patience} seconds for it to end`
          )
        }
      }
      seen = found
      yield* Effect.sleep(look)
    }
  })

/** Whether it is ours now. Of several that find the same row one gets it. */
const claim = (
  sql: SqlClient,
  { identity, name }: Holder,
  token: string,
  before: Row | undefined
): Effect.Effect<boolean, JournalError> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const row = { token, name, identity, since: now, beats: 0, beat_at: now }
    yield* patiently(
      before === undefined
        ? sql`INSERT INTO holter_lease ${sql.insert({ id: 1, ...row })} ON CONFLICT (id) DO NOTHING`
        : sql`UPDATE holter_lease SET token = ${token}, name = ${name}, identity = ${identity},
            since = ${now}, beats = 0, beat_at = ${now}
            WHERE id = 1 AND token = ${before.token} AND beats = ${before.beats}`
    )
    return (yield* patiently(read(sql)))?.token === token
  })

/** Signs of life, until somebody else has it. A database that is down has nobody else either. */
const beating = (sql: SqlClient, token: string): Effect.Effect<never, JournalError> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* sql`UPDATE holter_lease SET beats = beats + 1, beat_at = ${now}
      WHERE id = 1 AND token = ${token}`
    const found = yield* read(sql)
    if (found?.token !== token) return yield* succeeded(found)
  }).pipe(
    Effect.as(beat),
    Effect.catchTag("SqlError", () => Effect.succeed(look)),
    Effect.flatMap(Effect.sleep),
    Effect.forever,
    Effect.delay(beat)
  )

const release = (sql: SqlClient, token: string): Effect.Effect<void> =>
  sql`DELETE FROM holter_lease WHERE token = ${token}`.pipe(
    Effect.retry(whileBusy),
    Effect.disconnect,
    Effect.interruptible,
    Effect.timeoutOption("2 seconds"),
    Effect.ignore
  )

const isBusy = (error: SqlError): boolean => codeOf(error).startsWith("SQLITE_BUSY")

const whileBusy = {
  while: isBusy,
  schedule: Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(40))
}

/** Somebody else who writes at this moment is waited for. */
const patiently = <A>(statement: Effect.Effect<A, SqlError>): Effect.Effect<A, JournalError> =>
  statement.pipe(Effect.retry(whileBusy), Effect.mapError(fromSqlError))

const unique = Effect.map(
  Effect.all([Random.nextIntBetween(0, 2 ** 31), Random.nextIntBetween(0, 2 ** 31)]),
  (numbers) => numbers.map((number) => number.toString(36)).join("-")
)

const told = ({ beat_at, name, since }: Row): string =>
  `${name}, since ${iso(since)}, with a sign of life at ${iso(beat_at)}`

const iso = (at: number): string => DateTime.formatIso(DateTime.unsafeMake(at))

const held = (row: Row): JournalError =>
  new JournalError({
    reason: "Held",
    expected: "a journal that no other program keeps",
    found: told(row),
    advice:
      "End that one first, as two would both send alerts, or name another journal with HOLTER_JOURNAL_URL"
  })

const succeeded = (row: Row | undefined): JournalError =>
  new JournalError({
    reason: "Held",
    expected: "the journal that this program had taken",
    found: row === undefined ? "that its row in holter_lease is gone" : told(row),
    advice:
      "This one gave no sign of life for too long, as a machine that sleeps, and another took its place. End one of them"
  })
