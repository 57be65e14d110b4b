/**
 * The tables of a journal, in SQLite and PostgreSQL alike. A migration that was released is never
 * changed; what comes later is another one.
 *
 * Rows carry the run that wrote them, which is the time of its start, and their number in it: a
 * batch that was written without the writer learning of it can be written again.
 *
 * @internal
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { Effect } from "effect"
import * as JournalTables from "../../Common/JournalTables.js"

const statements = [
  `CREATE TABLE holter_results (
    run double precision NOT NULL, seq double precision NOT NULL, at double precision NOT NULL,
    service text NOT NULL, status text NOT NULL, message text NOT NULL,
    response_time_ms double precision NOT NULL, reason text, retry_after_ms double precision,
    details text NOT NULL, PRIMARY KEY (run, seq))`,
  "CREATE INDEX holter_results_service ON holter_results (service, at)",
  "CREATE INDEX holter_results_at ON holter_results (at)",
  `CREATE TABLE holter_events (
    run double precision NOT NULL, seq double precision NOT NULL, at double precision NOT NULL,
    event text NOT NULL, PRIMARY KEY (run, seq))`,
  "CREATE INDEX holter_events_at ON holter_events (at)",
  `CREATE TABLE holter_decisions (
    run double precision NOT NULL, seq double precision NOT NULL, at double precision NOT NULL,
    service text, decision text NOT NULL, PRIMARY KEY (run, seq))`,
  "CREATE INDEX holter_decisions_service ON holter_decisions (service, at)",
  "CREATE INDEX holter_decisions_at ON holter_decisions (at)",
  `CREATE TABLE holter_incidents (
    id text NOT NULL PRIMARY KEY, service text NOT NULL, severity text NOT NULL,
    cause text NOT NULL, since double precision NOT NULL, opened_at double precision NOT NULL,
    ended_at double precision)`,
  "CREATE INDEX holter_incidents_opened ON holter_incidents (opened_at)",
  `CREATE TABLE holter_outbox (
    key text NOT NULL PRIMARY KEY, run double precision NOT NULL, seq double precision NOT NULL,
    alert text NOT NULL)`,
  `CREATE TABLE holter_state (
    id integer NOT NULL PRIMARY KEY, state text NOT NULL)`,
  `CREATE TABLE holter_requests (
    id text NOT NULL PRIMARY KEY, at double precision NOT NULL, event text NOT NULL)`,
  // Nothing writes to it. To drop it would take a version that an older Holter refuses.
  `CREATE TABLE holter_verdicts (
    key text NOT NULL PRIMARY KEY, verdict text NOT NULL)`
]

/** What became of alerts, how channels do, requests that nobody can read, and who writes all of it. */
const more = [
  `CREATE TABLE holter_deliveries (
    key text NOT NULL PRIMARY KEY, at double precision NOT NULL, outcome text NOT NULL)`,
  "CREATE INDEX holter_deliveries_at ON holter_deliveries (at)",
  `CREATE TABLE holter_channels (
    channel text NOT NULL PRIMARY KEY, at double precision NOT NULL,
    failures double precision NOT NULL, error text NOT NULL, next_attempt double precision)`,
  `CREATE TABLE holter_requests_aside (
    id text NOT NULL PRIMARY KEY, at double precision NOT NULL, event text NOT NULL,
    why text NOT NULL)`,
  `CREATE TABLE holter_lease (
    id integer NOT NULL PRIMARY KEY, token text NOT NULL, name text NOT NULL,
    identity text NOT NULL, since double precision NOT NULL, beats double precision NOT NULL,
    beat_at double precision NOT NULL)`
]

/** The delivery in which an alert was tried, of which it is not known whether it arrived. */
const attempts = ["ALTER TABLE holter_outbox ADD COLUMN attempt text"]

const run = (all: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient, (sql) =>
    Effect.forEach(all, (statement) => sql.unsafe(statement), { discard: true })
  )

export const migrations = {
  "1_tables": run(statements),
  "2_deliveries": run(more),
  "3_attempts": run(attempts)
}

/** The version that this Holter writes. */
export const version = 3

/** Where the migrator notes what it did. */
export const table = JournalTables.migrations
