/**
 * One program at a time that writes a journal and sends what is owed: a row that names it, and a
 * count in it that goes up as a sign of life. Who waits for it has a row beside it, so that the one
 * that has it knows of somebody who may take its place.
 *
 * Who finds the row of another watches that count by its own clock, as the clocks of two machines
 * need not agree. One that is known to be dead is succeeded at once, one that gives no sign of life
 * after a while; one that lives may be about to end, and is waited for as long, then the start is
 * refused. Who was succeeded while it slept finds another name in the row: it writes and sends
 * nothing more, and leaves its successor what only it knows.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Deferred, Effect, Option, type Scope } from "effect"
import type { JournalError } from "./JournalError.js"
import * as Candidate from "./Lease/Candidate.js"
import type { Holder } from "./Lease/Holder.js"
import * as Rows from "./Lease/Rows.js"
import { whileBusy } from "./open.js"
import * as Requests from "./Requests.js"
import { inTransaction } from "./transaction.js"
import * as Voice from "./Voice.js"

export interface Lease {
  /** Part of every transaction: fails where somebody else has the journal. */
  readonly fence: Effect.Effect<void, JournalError | SqlError>
  /** The same for who only reads. */
  readonly check: Effect.Effect<void, JournalError | SqlError>
  /** Comes back when somebody else has it, or its database is gone. */
  readonly lost: Effect.Effect<JournalError>
  /** Comes back when this program may send. */
  readonly turn: Effect.Effect<void>
}

/** For programs that do without. */
export const none: Lease = {
  fence: Effect.void,
  check: Effect.void,
  lost: Effect.never,
  turn: Effect.void
}

/** Looks whether the database is still the one that was opened. */
export type Intact = Effect.Effect<void, JournalError>

/** Takes the journal for as long as the scope is open. */
export const acquire = (
  sql: SqlClient,
  holder: Holder,
  intact: Intact
): Effect.Effect<Lease, JournalError, Scope.Scope> =>
  Effect.gen(function* () {
    const given = yield* Effect.serviceOption(Voice.Voice)
    const voice = Option.isSome(given) ? given.value : yield* Voice.make
    const token = yield* Rows.unique
    const bequeath = bequest(sql, voice)
    // A program that is asked to end while it waits does not wait on.
    const begun = yield* Effect.uninterruptibleMask((restore) =>
      restore(Candidate.compete(sql, holder, token, voice)).pipe(
        Effect.onInterrupt(() => Rows.release(sql, token)),
        Effect.tapError((error) => (error.reason === "Held" ? bequeath : Effect.void)),
        Effect.zipLeft(
          Effect.addFinalizer(() => Effect.zipRight(voice.released, Rows.release(sql, token)))
        )
      )
    )
    const lost = yield* Deferred.make<JournalError>()
    const turns = yield* Effect.makeSemaphore(1)
    const sign = turns.withPermits(1)(Effect.zipRight(intact, giveSign(sql, token, voice)))
    const ended = (error: JournalError) =>
      Deferred.succeed(lost, error).pipe(
        Effect.zipRight(error.reason === "Held" ? voice.lost : voice.released),
        Effect.zipRight(error.reason === "Held" ? bequeath : Effect.void)
      )
    yield* voice.held(ask(sign, ended), begun)
    yield* Effect.forkScoped(
      beating(sign).pipe(Effect.catchTag("JournalError", (error) => ended(error)))
    )
    const check = Effect.flatMap(Rows.read(sql), ({ holder: found }) =>
      found?.token === token ? Effect.void : Rows.succeeded(found)
    )
    // Locks the row where it can be locked, so that nobody is succeeded in the middle.
    const fence = sql.onDialectOrElse({
      pg: () => Effect.zipRight(sql`SELECT id FROM holter_lease WHERE id = 1 FOR SHARE`, check),
      orElse: () => check
    })
    return { fence, check, lost: Deferred.await(lost), turn: voice.turn }
  })

/** Says that this program lives, and looks who waits for it to end. */
const giveSign = (
  sql: SqlClient,
  token: string,
  voice: Voice.Service
): Effect.Effect<void, JournalError | SqlError> =>
  Effect.gen(function* () {
    const at = yield* Voice.moment
    const { holder, others } = yield* inTransaction(
      sql,
      Effect.gen(function* () {
        yield* sql`UPDATE holter_lease SET beats = beats + 1, beat_at = ${at.wall}
          WHERE id = 1 AND token = ${token}`
        const rows = yield* Rows.read(sql)
        for (const other of rows.others) {
          if (yield* voice.isOld(other.token)) {
            yield* sql`DELETE FROM holter_lease WHERE id <> 1 AND token = ${other.token}`
          }
        }
        return rows
      })
    ).pipe(whileBusy)
    if (holder?.token !== token) return yield* Rows.succeeded(holder)
    yield* voice.alive(at)
    yield* Effect.forEach(
      others,
      ({ beats, name, token: other }) => voice.saw({ token: other, name, count: beats }),
      { discard: true }
    )
  })

/** Signs of life, until somebody else has it. A database that is down has nobody else either. */
const beating = (
  sign: Effect.Effect<void, JournalError | SqlError>
): Effect.Effect<never, JournalError> =>
  sign.pipe(
    Effect.as(Rows.beat),
    Effect.catchTag("SqlError", () => Effect.succeed(Rows.look)),
    Effect.flatMap(Effect.sleep),
    Effect.forever,
    Effect.delay(Rows.beat)
  )

/** An answer within that, or none. */
const patience = 5_000

/** A connection that was lost meanwhile says nothing of the database: a new one is tried. */
const ask = (
  sign: Effect.Effect<void, JournalError | SqlError>,
  ended: (error: JournalError) => Effect.Effect<unknown>
): Effect.Effect<Voice.Answer> =>
  Effect.gen(function* () {
    const before = yield* Voice.moment
    const answer = yield* sign.pipe(
      Effect.retry({ times: 1, while: ({ _tag }) => _tag === "SqlError" }),
      Effect.as<Voice.Answer>("held"),
      Effect.catchTags({
        SqlError: () => Effect.succeed<Voice.Answer>("unreachable"),
        JournalError: (error) =>
          Effect.as(
            ended(error),
            error.reason === "Held" ? ("lost" as const) : ("unreachable" as const)
          )
      }),
      Effect.disconnect,
      Effect.timeoutTo({
        duration: patience,
        onTimeout: (): Voice.Answer => "unreachable",
        onSuccess: (said) => said
      })
    )
    // Who slept in between has not waited for an answer.
    const slept = Voice.elapsed(before, yield* Voice.moment) > patience * 1.5
    return slept && answer !== "lost" ? "again" : answer
  })

/** What only this program told of, for the one that has the journal now. It reads it as a request. */
const bequest = (sql: SqlClient, voice: Voice.Service): Effect.Effect<void> =>
  Effect.gen(function* () {
    const left = voice.legacy.current()
    if (left === undefined) return
    const at = yield* Clock.currentTimeMillis
    yield* Requests.make(sql).request({ ...left, at })
  }).pipe(
    Effect.timeoutOption("2 seconds"),
    Effect.catchAllCause((cause) =>
      Effect.logError("The deliveries of this program could not be left to its successor", cause)
    ),
    Effect.asVoid
  )
