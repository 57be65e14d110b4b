/**
 * What one query tells of a PostgreSQL server.
 *
 * @internal
 */
import { Effect } from "effect"
import type * as Outcome from "../../Check/Outcome.js"
import type { Session } from "./DatabaseClient.js"
import { DatabaseError } from "./DatabaseError.js"

/**
 * Sessions of other roles show neither their type nor their state to a role without
 * pg_read_all_stats; background workers have no user. One column, since what a driver does for each
 * of seven costs more than the rest of a warm check.
 */
const sql = `SELECT concat_ws('|', pg_is_in_recovery()::int,
  (current_setting('transaction_read_only') = 'on')::int, current_setting('max_connections'),
  a.used, pg_database_size(current_database()), a.idle, current_setting('server_version')) AS facts
FROM (SELECT count(*) AS used,
    coalesce(extract(epoch FROM clock_timestamp() - min(state_change)
      FILTER (WHERE state LIKE 'idle in transaction%')), 0) AS idle
  FROM pg_stat_activity
  WHERE usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend') a`

export interface Answer {
  readonly version: string
  readonly in_recovery: boolean
  readonly read_only: boolean
  readonly connections_max: number
  readonly connections_used: number
  readonly size_bytes: number
  readonly idle_seconds: number
}

export const ask = (session: Session, address: string): Effect.Effect<Answer, DatabaseError> =>
  Effect.flatMap(session.query(sql), ([row]) => {
    const answer = parse(row?.["facts"])
    return answer === undefined
      ? new DatabaseError({ reason: "QueryFailed", address, found: "another row than asked for" })
      : Effect.succeed(answer)
  })

const parse = (facts: unknown): Answer | undefined => {
  if (typeof facts !== "string") return undefined
  const [recovery, readOnly, max, used, size, idle, version] = facts.split("|", 7)
  return version === undefined
    ? undefined
    : {
        version,
        in_recovery: recovery === "1",
        read_only: readOnly === "1",
        connections_max: Number(max),
        connections_used: Number(used),
        size_bytes: Number(size),
        idle_seconds: Number(idle)
      }
}

export const details = (answer: Answer): Outcome.Details => ({
  version: answer.version,
  size_bytes: answer.size_bytes,
  connections_used: answer.connections_used,
  connections_max: answer.connections_max,
  in_recovery: answer.in_recovery,
  longest_idle_in_transaction_s: Math.round(answer.idle_seconds * 10) / 10
})
