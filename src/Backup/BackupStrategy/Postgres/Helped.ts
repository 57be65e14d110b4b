/**
 * Functions that find what they do not name by its schema, for as long as rows are loaded: a CHECK, a domain
 * or a generated column may call them for each row, and pg_restore works with an empty search path.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import * as Sessions from "./Session.js"
import { settingValue } from "./Sql.js"
import type { Target } from "./Target.js"

interface Place {
  readonly target: Target
  /** New, and nobody's yet. */
  readonly database: string
  readonly searchPath: string | undefined
}

/** Each function gets the path as a setting of its own, and loses it again. */
export const whileHelped = <A, R>(
  { database, searchPath = '"$user", public', target }: Place,
  work: Effect.Effect<A, BackupError, R>
): Effect.Effect<A, BackupError, R> =>
  Effect.gen(function* () {
    const session = yield* Sessions.open(target, database)
    const functions = yield* session.rows(Signature, sql)
    const path = settingValue("search_path", searchPath)
    const helped = yield* Effect.filter(functions, ({ signature }) =>
      // One that belongs to another role stays as it is.
      session.attempt(`ALTER FUNCTION ${signature} SET search_path TO ${path}`).pipe(
        Effect.as(true),
        Effect.orElseSucceed(() => false)
      )
    )
    const done = yield* work
    yield* Effect.forEach(
      helped,
      ({ signature }) => session.execute(`ALTER FUNCTION ${signature} RESET search_path`),
      { discard: true }
    )
    return done
  }).pipe(Effect.scoped)

const Signature = Schema.Struct({ signature: Schema.String })

const sql = `SELECT p.oid::pg_catalog.regprocedure::text AS signature
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND p.prokind = 'f'
    AND l.lanname NOT IN ('internal', 'c')
    AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proconfig) s WHERE s LIKE 'search_path=%')`
