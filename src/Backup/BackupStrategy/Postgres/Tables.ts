/**
 * The tables whose rows a dump holds, and how many rows they have.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"
import type { Reader } from "./Session.js"
import type { Target } from "./Target.js"

/**
 * Counts them in the session's snapshot. Rows that an extension brought itself are in no dump, those
 * of a configuration table of its own only as far as its condition says.
 */
export const count = (session: Reader): Effect.Effect<ReadonlyArray<Manifest.Table>, BackupError> =>
  Effect.flatMap(session.rows(Listed, list), (tables) => countThese(session, tables))

export interface Restored {
  readonly tables: ReadonlyArray<Manifest.Table>
  /** Tables that the record does not know: they came after the backup was made. */
  readonly others: ReadonlyArray<string>
}

/** Counts those of a record; without one, all that this user may read. */
export const countRestored = (
  session: Reader,
  record: ReadonlyArray<Manifest.Table> | undefined
): Effect.Effect<Restored, BackupError> =>
  Effect.flatMap(session.rows(Listed, list), (present) => {
    const known = new Set(record?.map(({ name }) => name))
    const isMeant = ({ name, readable }: typeof Listed.Type) =>
      record === undefined ? readable : known.has(name)
    return Effect.map(countThese(session, present.filter(isMeant)), (tables) => ({
      tables,
      others: present.filter((table) => !isMeant(table)).map(({ name }) => name)
    }))
  })

const countThese = (
  session: Reader,
  tables: ReadonlyArray<typeof Listed.Type>
): Effect.Effect<ReadonlyArray<Manifest.Table>, BackupError> =>
  Effect.forEach(tables, ({ condition, name }) =>
    Effect.map(
      session.rows(
        Counted,
        `SELECT pg_catalog.count(*)::float8 AS rows FROM ONLY ${name} ${condition}`
      ),
      ([counted]) => ({ name, rows: counted?.rows ?? 0 })
    )
  )

/** What was restored against what the dump's record says. */
export const compare = (
  target: Target,
  record: ReadonlyArray<Manifest.Table>,
  restored: ReadonlyArray<Manifest.Table>,
  advice: string
): Effect.Effect<void, BackupError> => {
  const found = new Map(restored.map(({ name, rows }) => [name, rows]))
  const differences = record.flatMap(({ name, rows }) => {
    const present = found.get(name)
    if (present === rows) return []
    return [present === undefined ? `no ${name}` : `${present} rows in ${name} instead of ${rows}`]
  })
  const [first, ...others] = differences
  if (first === undefined) return Effect.void
  return new BackupError({
    reason: "Mismatch",
    subject: target.address,
    expected: `the ${record.length} tables of the backup's record with all their rows`,
    found: others.length === 0 ? first : `${first}, and ${others.length} more differences`,
    advice
  })
}

const Listed = Schema.Struct({
  name: Schema.String,
  condition: Schema.String,
  readable: Schema.Boolean
})
const Counted = Schema.Struct({ rows: Schema.Number })

/** Those of pg_dump's own choice. On a standby it leaves out what is not logged, and so is not there. */
const list = `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
    coalesce(config.condition, '') AS condition,
    pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT pg_catalog.max(e.extcondition[i]) AS condition, true AS configures
    FROM pg_catalog.pg_extension e, pg_catalog.generate_subscripts(e.extconfig, 1) i
    WHERE e.extconfig[i] = c.oid HAVING pg_catalog.count(*) > 0) config ON true
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (config.configures OR NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
        AND d.deptype = 'e'))
  ORDER BY n.nspname, c.relname`
