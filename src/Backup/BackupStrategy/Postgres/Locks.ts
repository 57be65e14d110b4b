/**
 * The locks of a restore in place: nobody writes between the moment that the pre-restore backup is of
 * and the restore.
 *
 * @internal
 */
import { Duration, Effect, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Psql } from "./Psql.js"
import type { Session } from "./Session.js"
import type { Target } from "./Target.js"

/** Those that this user may replace, as LOCK takes them. */
const tables = `(SELECT string_agg(format('ONLY %I.%I', n.nspname, c.relname), ', '
      ORDER BY n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
      AND n.nspname <> 'information_schema' AND pg_has_role(c.relowner, 'USAGE'))`

/**
 * Locks every table that this user may replace, in one statement, and again where more came while it
 * waited. `EXCLUSIVE` lets others read, pg_dump among them.
 *
 * A program that has read a table and now waits to write it waits for us, and we for it, once we want
 * more: one of both has to give way. Its statement is ended, as the server ends one of two.
 */
export const all = (
  psql: Psql,
  mode: "EXCLUSIVE" | "ACCESS EXCLUSIVE"
): Effect.Effect<void, BackupError> =>
  psql.execute(`DO $holter$
  DECLARE wanted text; locked text; attempts int := 0;
  BEGIN
    LOOP
      SELECT ${tables} INTO wanted;
      EXIT WHEN wanted IS NOT DISTINCT FROM locked;
      BEGIN
        EXECUTE 'LOCK TABLE ' || wanted || ' IN ${mode} MODE';
        locked := wanted;
      EXCEPTION WHEN deadlock_detected THEN
        attempts := attempts + 1;
        IF attempts > 50 THEN RAISE; END IF;
        PERFORM pg_cancel_backend(a.pid) FROM pg_stat_activity a
          WHERE a.wait_event_type = 'Lock' AND pg_backend_pid() = ANY (pg_blocking_pids(a.pid))
            AND pg_has_role(a.usesysid, 'USAGE')
            AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted
              AND l.locktype = 'relation' AND l.relation >= 16384);
        PERFORM pg_sleep(0.1), pg_stat_clear_snapshot();
      END;
    END LOOP;
  END $holter$`)

/**
 * Every table for itself alone, without ever waiting for long with some of them in hand, so that nobody
 * is ended for it. Fails with `Busy` where others are in the way for all of this time.
 */
export const atOnce = (psql: Psql, patience: Duration.Duration): Effect.Effect<void, BackupError> =>
  psql.execute(`DO $holter$
  DECLARE wanted text; until timestamptz := clock_timestamp()
    + make_interval(secs => ${Duration.toSeconds(patience)});
  BEGIN
    SELECT ${tables} INTO wanted;
    IF wanted IS NULL THEN RETURN; END IF;
    LOOP
      BEGIN
        SET LOCAL lock_timeout TO '100ms';
        EXECUTE 'LOCK TABLE ' || wanted || ' IN ACCESS EXCLUSIVE MODE';
        SET LOCAL lock_timeout TO 0;
        RETURN;
      EXCEPTION WHEN lock_not_available OR deadlock_detected OR undefined_table THEN
        IF clock_timestamp() > until THEN RAISE lock_not_available; END IF;
        PERFORM pg_sleep(0.05);
      END;
    END LOOP;
  END $holter$`)

const Blockers = Schema.Struct({ who: Schema.String })

/**
 * Never ends but by failing with `Busy`, where the locks were not free for too long: the server waits
 * for ever, with every other program waiting behind it.
 */
export const watch = (
  target: Target,
  observer: Session,
  application: string
): Effect.Effect<never, BackupError> =>
  Effect.flatMap(
    observer.rows(Blockers, blockers, [application, Duration.toSeconds(target.lockWait)]),
    ([first]) =>
      first === undefined
        ? Effect.delay(watch(target, observer, application), "500 millis")
        : Failure.make(target, {
            reason: "Busy",
            expected: `its tables free within ${Duration.format(target.lockWait)}`,
            found: `locks held by ${first.who}`,
            advice: "Stop the programs that use the database, and try again"
          })
  )

/** Ends what is left of the restore, wherever it is: nobody has to wait for what is given up. */
export const end = (observer: Session, application: string): Effect.Effect<void> =>
  observer
    .rows(
      Schema.Unknown,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
      [application]
    )
    .pipe(Effect.interruptible, Effect.timeout("5 seconds"), Effect.ignore)

const blockers = `SELECT (SELECT string_agg(concat_ws(' ', b.usename, nullif(b.application_name, ''),
      'pid ' || b.pid), ', ')
    FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(a.pid))) AS who
  FROM pg_stat_activity a
  WHERE a.application_name = $1 AND a.wait_event_type = 'Lock'
    AND a.query_start < clock_timestamp() - make_interval(secs => $2)
    AND cardinality(pg_blocking_pids(a.pid)) > 0`
