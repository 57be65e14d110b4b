/**
 * What holds on to a database by its identity, and would stay behind with the one set aside.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Session } from "./Session.js"
import type { Target } from "./Target.js"

/** Fails with `InUse`, with the statement that ends each of them. */
export const refuse = (
  target: Target,
  session: Session,
  database: string
): Effect.Effect<void, BackupError> =>
  Effect.flatMap(session.rows(Obstacle, sql, [database]), ([first, ...others]) =>
    first === undefined
      ? Effect.void
      : Failure.make(target, {
          reason: "InUse",
          expected: "no prepared transaction, logical replication slot or enabled subscription",
          found: others.length === 0 ? first.what : `${first.what}, and ${others.length} more`,
          advice: `End it first: ${first.statement}`
        })
  )

const Obstacle = Schema.Struct({ what: Schema.String, statement: Schema.String })

const sql = `SELECT 'the prepared transaction ' || gid AS what,
    format('COMMIT PREPARED %L or ROLLBACK PREPARED %1$L, in that database', gid) AS statement
  FROM pg_prepared_xacts WHERE database = $1
  UNION ALL SELECT 'the replication slot ' || slot_name,
    format('SELECT pg_drop_replication_slot(%L)', slot_name)
  FROM pg_replication_slots WHERE database = $1
  UNION ALL SELECT 'the subscription ' || subname,
    format('ALTER SUBSCRIPTION %I DISABLE, in that database', subname)
  FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE d.datname = $1 AND subenabled`
