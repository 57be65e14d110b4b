/**
 * A program that wants the lease: it says so, and waits for the one that has it to end or to fall
 * silent. A lock that it has to wait for is that of another program, not a database that is down.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Either, Random } from "effect"
import type { JournalError } from "../JournalError.js"
import { fromSqlError, whileBusy } from "../open.js"
import { inTransaction } from "../transaction.js"
import * as Voice from "../Voice.js"
import type { Holder } from "./Holder.js"
import * as Rows from "./Rows.js"

/** Three signs of life. So long another one may give none, or take to end. */
const patience = 15
/** Looks without a sign of life after which it may be about to be succeeded. */
const silent = 7

/** Comes back when the lease is this program's, with the time at which it was asked for. */
export const compete = (
  sql: SqlClient,
  holder: Holder,
  token: string,
  voice: Voice.Service
): Effect.Effect<Voice.Moment, JournalError> =>
  Effect.gen(function* () {
    const id = yield* Random.nextIntBetween(2, 2 ** 31)
    let seen: Rows.Row | undefined
    let quiet = 0
    let unanswered = 0
    let locked = 0
    for (let waited = 0; ; ) {
      const at = yield* Voice.moment
      const rows = yield* Effect.either(whileBusy(Rows.read(sql)))
      if (Either.isLeft(rows)) {
        // Whoever was seen alive may have it still, and is waited for until nobody can tell.
        unanswered += 1
        if (unanswered > patience || !(yield* voice.isContested)) {
          return yield* fromSqlError(rows.left)
        }
        yield* Effect.sleep(Rows.look)
        continue
      }
      const found = rows.right.holder
      const isSame = found?.token === seen?.token && found?.beats === seen?.beats
      quiet = isSame ? quiet + 1 : 0
      const isDead = found !== undefined && (yield* holder.isDead(found.identity))
      if (found !== undefined && isDead) yield* voice.forget(found.token)
      if (found !== undefined && !isDead) {
        yield* voice.saw({ token: found.token, name: found.name, count: found.beats })
      }
      if (found === undefined || isDead || quiet >= patience) {
        const claimed = yield* Effect.either(claim(sql, holder, token, found, at))
        if (Either.isRight(claimed) && claimed.right) {
          if (found !== undefined) {
            yield* voice.forget(found.token)
            yield* Effect.logInfo(`${found.name} left its journal behind: it is taken over`)
          }
          return at
        }
        if (Either.isLeft(claimed)) {
          locked += 1
          if (!Rows.isLocked(claimed.left) || locked >= patience) {
            return yield* found === undefined || !Rows.isLocked(claimed.left)
              ? fromSqlError(claimed.left)
              : Rows.held(found)
          }
        }
      } else {
        if (waited >= patience && quiet < silent) return yield* Rows.held(found)
        if (waited === 0) {
          yield* Effect.logWarning(
            `The journal is in use by ${found.name}: waiting up to ${patience} seconds for it to end`
          )
        }
        waited += 1
        yield* Effect.ignore(apply(sql, { ...rowOf(holder, token, at), id, beats: waited }))
      }
      seen = found
      yield* Effect.sleep(Rows.look)
    }
  })

const rowOf = ({ identity, name }: Holder, token: string, { wall }: Voice.Moment) => ({
  ...{ token, name, identity },
  ...{ since: wall, beats: 0, beat_at: wall }
})

/** Says that somebody waits. It is no matter where that cannot be written now. */
const apply = (sql: SqlClient, row: Rows.Row): Effect.Effect<void, SqlError> =>
  inTransaction(
    sql,
    Effect.asVoid(sql`INSERT INTO holter_lease ${sql.insert({ ...row })} ON CONFLICT (id)
      DO UPDATE SET beats = excluded.beats, beat_at = excluded.beat_at`)
  )

/** Whether it is ours now. Of several that find the same row one gets it. */
const claim = (
  sql: SqlClient,
  holder: Holder,
  token: string,
  before: Rows.Row | undefined,
  at: Voice.Moment
): Effect.Effect<boolean, SqlError> =>
  inTransaction(
    sql,
    Effect.gen(function* () {
      const row = rowOf(holder, token, at)
      yield* before === undefined
        ? sql`INSERT INTO holter_lease ${sql.insert({ id: 1, ...row })} ON CONFLICT (id) DO NOTHING`
        : sql`UPDATE holter_lease SET token = ${token}, name = ${row.name},
            identity = ${row.identity}, since = ${at.wall}, beats = 0, beat_at = ${at.wall}
            WHERE id = 1 AND token = ${before.token} AND beats = ${before.beats}`
      const isOurs = (yield* Rows.read(sql)).holder?.token === token
      if (isOurs) yield* sql`DELETE FROM holter_lease WHERE id <> 1 AND token = ${token}`
      return isOurs
    })
  ).pipe(whileBusy)
