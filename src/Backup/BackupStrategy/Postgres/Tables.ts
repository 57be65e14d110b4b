/**
 * The tables whose rows a dump holds, and how many rows they have.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import { BackupError } from "../../BackupError.js"
import type * as Manifest from "../../Manifest.js"
import type { Reader } from "./Session.js"
import { settingValue } from "./Sql.js"
import type { Target } from "./Target.js"

/**
 * Counts them in the session's snapshot. Rows that an extension brought itself are in no dump, those
 * of a configuration table of its own only as far as its condition says.
 */
export const count = (session: Reader): Effect.Effect<ReadonlyArray<Manifest.Table>, BackupError> =>
  Effect.flatMap(session.rows(Listed, list), (tables) =>
    onPath(session, undefined, countThese(session, tables))
  )

/**
 * With the search path of the database's programs: to plan a query is enough for the server to look into the
 * functions of a table's indexes, which may not name what they call by its schema. The statements do.
 */
export const onPath = <A>(
  { execute }: Reader,
  searchPath: string | undefined,
  work: Effect.Effect<A, BackupError>
): Effect.Effect<A, BackupError> =>
  execute(
    `SET search_path TO ${searchPath === undefined ? "DEFAULT" : settingValue("search_path", searchPath)}`
  ).pipe(
    Effect.zipRight(work),
    Effect.zipLeft(execute("SELECT pg_catalog.set_config('search_path', '', false)"))
  )

export interface Restored {
  readonly tables: ReadonlyArray<Manifest.Table>
  /** Tables that the record does not know: they came after the backup was made. */
  readonly others: ReadonlyArray<string>
}

/** Counts those of a record; without one, all that this user may read. */
export const countRestored = (
  session: Reader,
  record: ReadonlyArray<Manifest.Table> | undefined,
  searchPath: string | undefined
): Effect.Effect<Restored, BackupError> =>
  Effect.flatMap(session.rows(Listed, list), (present) => {
    const known = new Set(record?.map(({ name }) => name))
    const isMeant = ({ name, readable }: typeof Listed.Type) =>
      record === undefined ? readable : known.has(name)
    const counted = onPath(session, searchPath, countThese(session, present.filter(isMeant)))
    return Effect.map(counted, (tables) => ({
      tables,
      others: present.filter((table) => !isMeant(table)).map(({ name }) => name)
    }))
  })

const countThese = (
  session: Reader,
  tables: ReadonlyArray<typeof Listed.Type>
): Effect.Effect<ReadonlyArray<Manifest.Table>, BackupError> =>
  Effect.forEach(tables, ({ condition, name, root }) =>
    Effect.map(
      session.rows(
        Counted,
        `SELECT pg_catalog.count(*)::float8 AS rows FROM ONLY ${name} ${condition}`
      ),
      ([counted]) => ({ name, rows: counted?.rows ?? 0, ...(root === name ? {} : { root }) })
    )
  )

/**
 * What was restored against what the dump's record says: the rows of each root, since the server decides
 * anew which partition a row belongs to (by the hash of an enum, whose values have other numbers then).
 * An older record does not name roots: the restored database does. Pure.
 */
export const differences = (
  record: ReadonlyArray<Manifest.Table>,
  restored: ReadonlyArray<Manifest.Table>
): Differences => {
  const present = new Map(restored.map((table) => [table.name, table]))
  const rootOf = (table: Manifest.Table): string =>
    present.get(table.name)?.root ?? table.root ?? table.name
  const absent = record.filter(({ name }) => !present.has(name))
  const expected = sums(
    record.filter(({ name }) => present.has(name)),
    rootOf
  )
  const found = sums(restored, rootOf)
  return {
    absent,
    other: [...expected].flatMap(([root, { parts, rows }]) => {
      const now = found.get(root)?.rows ?? 0
      const whole = parts > 1 ? `${root}, with its parts,` : root
      return now === rows ? [] : [`${now} rows in ${whole} instead of ${rows}`]
    })
  }
}

export interface Differences {
  /** Tables of the record that are not there. */
  readonly absent: ReadonlyArray<Manifest.Table>
  /** Of those that are: other numbers of rows. */
  readonly other: ReadonlyArray<string>
}

/** The rows of each root, and of how many tables they are. */
const sums = (
  tables: ReadonlyArray<Manifest.Table>,
  rootOf: (table: Manifest.Table) => string = ({ name, root }) => root ?? name
): ReadonlyMap<string, { readonly rows: number; readonly parts: number }> => {
  const sums = new Map<string, { readonly rows: number; readonly parts: number }>()
  for (const table of tables) {
    const { parts, rows } = sums.get(rootOf(table)) ?? { parts: 0, rows: 0 }
    sums.set(rootOf(table), { parts: parts + 1, rows: rows + table.rows })
  }
  return sums
}

/** Fails with `Mismatch` where rows are others, or tables are absent that may not be. */
export const compare = (
  target: Target,
  record: ReadonlyArray<Manifest.Table>,
  { absent, other }: Differences,
  { advice, mayLack }: { readonly advice: string; readonly mayLack: boolean }
): Effect.Effect<void, BackupError> => {
  const [first, ...others] = [...(mayLack ? [] : absent.map(({ name }) => `no ${name}`)), ...other]
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
  root: Schema.String,
  condition: Schema.String,
  readable: Schema.Boolean
})
const Counted = Schema.Struct({ rows: Schema.Number })

/** Those of pg_dump's own choice. On a standby it leaves out what is not logged, and so is not there. */
const list = `WITH RECURSIVE above (id, ancestor) AS (
    SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits
    UNION SELECT a.id, i.inhparent FROM above a JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.ancestor)
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
    coalesce((SELECT min(pg_catalog.format('%I.%I', rn.nspname, r.relname))
      FROM above a JOIN pg_catalog.pg_class r ON r.oid = a.ancestor
      JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
      WHERE a.id = c.oid
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = a.ancestor)),
      pg_catalog.format('%I.%I', n.nspname, c.relname)) AS root,
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
