/**
 * Holter's journal in a database that is restored. What is owed, open incidents and silences are of the
 * present, whatever the rows beside them become. In place its tables are left alone. A new database gets
 * them of the old one, whose journal is locked from then on until nobody else can write to it any more.
 *
 * @internal
 */
import { Array as Arr, Duration, Effect, Fiber, Schedule, Schema, type Scope, Stream } from "effect"
import { randomBytes } from "node:crypto"
import * as JournalTables from "../../../Common/JournalTables.js"
import type { BackupError } from "../../BackupError.js"
import type { Payload } from "../Strategy.js"
import * as Failure from "./Failure.js"
import * as Psqls from "./Psql.js"
import type { Reader, Session } from "./Session.js"
import * as Sessions from "./Session.js"
import { identifier } from "./Sql.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import * as Tools from "./Tools.js"

const Table = Schema.Struct({
  schema: Schema.String,
  /** As it stands in statements and manifests. */
  quoted: Schema.String,
  table: Schema.String
})

export type Table = typeof Table.Type

/** The tables of a journal, in whichever schema it is. */
export const find = (reader: Reader): Effect.Effect<ReadonlyArray<Table>, BackupError> =>
  Effect.map(reader.rows(Table, sql), (rows) =>
    Object.values(Arr.groupBy(rows, ({ schema }) => schema)).flatMap((tables) => {
      const journal = JournalTables.among(tables.map(({ table }) => table))
      return tables.filter(({ table }) => journal.includes(table))
    })
  )

const sql = `SELECT n.nspname AS schema, pg_catalog.quote_ident(n.nspname) AS quoted,
    c.relname AS table FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
    AND c.relname LIKE 'holter\\_%'
  ORDER BY n.nspname, c.relname`

/** As manifests name it. */
export const named = ({ quoted, table }: Table): string => `${quoted}.${table}`

/** A table of contents without what is of a journal in these schemas, and without the schemas themselves. */
export const without = (contents: string, kept: ReadonlyArray<Table>): string => {
  const schemas = new Set(kept.map(({ schema }) => schema))
  return contents.replace(entry, (line: string, words: string) => {
    // A schema may be called by several words.
    const isKept = [...schemas].some(
      (schema) =>
        words.startsWith(`- ${schema} `) ||
        (words.startsWith(`${schema} `) && isOfJournal(words.slice(schema.length + 1)))
    )
    return isKept ? `;${line}` : line
  })
}

const isOfJournal = (words: string): boolean => {
  const [, name = ""] = /^(?:(?:TABLE|COLUMN|INDEX) )?([^ .]+)/.exec(words) ?? []
  return JournalTables.isOne(name) || JournalTables.indexes.includes(name)
}

const entry =
  /^\d+; \d+ \d+ (?:SCHEMA|TABLE DATA|TABLE|INDEX|CONSTRAINT|ACL|COMMENT|DEFAULT|TRIGGER) (\S.*)$/gm

/** What a restore is compared with that leaves them alone. */
export const compared = (payload: Payload, kept: ReadonlyArray<Table>): Payload => {
  const { dump } = payload
  if (dump === undefined || kept.length === 0) return payload
  const isMeant = isOther(kept)
  return { ...payload, dump: { ...dump, tables: dump.tables.filter(({ name }) => isMeant(name)) } }
}

/** Whether a table, by its name in a manifest, is not of the journal that stays. */
export const isOther =
  (kept: ReadonlyArray<Table>) =>
  (name: string): boolean =>
    !kept.some(
      ({ quoted }) =>
        name.startsWith(`${quoted}.`) && JournalTables.isOne(name.slice(quoted.length + 1))
    )

export interface Carried {
  readonly tables: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
  /** The server's process that keeps others from writing to the journal of before. */
  readonly keeper: number | undefined
}

export const nothing: Carried = { tables: [], warnings: [], keeper: undefined }

interface Place {
  readonly target: Target
  readonly serverMajor: number
  readonly database: string
  readonly fresh: string
  readonly noOwner: boolean
}

/**
 * Into the new database, in one transaction there. The journal of before is locked for as long as the scope
 * is open. What fails is told and no reason not to restore: the old database stays beside.
 */
export const carry = (place: Place): Effect.Effect<Carried, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const { database, target } = place
    const session = yield* Sessions.open(target, database)
    const tables = yield* find(session)
    if (tables.length === 0) return nothing
    yield* lock(target, session, tables)
    const [row] = yield* session.rows(Pid, "SELECT pg_catalog.pg_backend_pid() AS pid")
    yield* load(place, tables)
    return { tables: tables.map(named), warnings: [], keeper: row?.pid }
  }).pipe(
    Effect.catchAll(({ message }) =>
      Effect.succeed({
        ...nothing,
        warnings: [
          `Holter's current journal could not be kept (${message}). It is in the database that was set aside; the new one has the journal of the restored backup, if that has one`
        ]
      })
    )
  )

const Pid = Schema.Struct({ pid: Schema.Number })

/** Who writes takes its tables in another order: of two that wait for each other the server ends one. */
const lock = (
  target: Target,
  session: Session,
  tables: ReadonlyArray<Table>
): Effect.Effect<void, BackupError> => {
  const patience = Math.max(1, Math.floor(Duration.toMillis(target.lockWait)))
  return session
    .attempt(
      `BEGIN; SET LOCAL lock_timeout = ${patience};
      LOCK TABLE ${tables.map(statementName).join(", ")} IN EXCLUSIVE MODE`
    )
    .pipe(
      Effect.tapError(() => Effect.ignore(session.attempt("ROLLBACK"))),
      Effect.retry({ while: ({ code }) => code === "40P01", schedule: Schedule.recurs(5) }),
      Effect.mapError(Failure.fromPostgres(target))
    )
}

const statementName = ({ schema, table }: Table): string =>
  `${identifier(schema)}.${identifier(table)}`

const load = (
  { database, fresh, noOwner, serverMajor, target }: Place,
  tables: ReadonlyArray<Table>
): Effect.Effect<void, BackupError, Running> =>
  Effect.gen(function* () {
    const dump = yield* Tools.forServer(target, "pg_dump", serverMajor)
    const tool = yield* Tools.forServer(target, "psql", serverMajor)
    const application = `holter journal ${yield* Effect.sync(() => randomBytes(4).toString("hex"))}`
    const psql = yield* Psqls.open(target, tool, { database: fresh, application })
    yield* psql.execute("BEGIN")
    yield* psql.execute("SET client_min_messages TO error")
    const present = yield* psql.rows(
      Schemas,
      "SELECT nspname AS schema FROM pg_catalog.pg_namespace"
    )
    const missing = Arr.difference(
      Arr.dedupe(tables.map(({ schema }) => schema)),
      present.map(({ schema }) => schema)
    )
    for (const schema of missing) yield* psql.execute(`CREATE SCHEMA ${identifier(schema)}`)
    const isOwn = isOther(tables)
    for (const one of yield* find(psql)) {
      if (!isOwn(named(one))) yield* psql.execute(`DROP TABLE ${statementName(one)}`)
    }
    yield* psql.feed(
      output(target, dump, database, [
        ...(noOwner ? ["--no-owner"] : []),
        ...tables.map((one) => `--table=${statementName(one)}`)
      ])
    )
    yield* psql.execute("COMMIT")
  }).pipe(Effect.scoped)

const Schemas = Schema.Struct({ schema: Schema.String })

/** What pg_dump writes; it ends with a failure where pg_dump does. */
const output = (
  target: Target,
  tool: Tools.Tool,
  database: string,
  args: ReadonlyArray<string>
): Stream.Stream<Uint8Array, BackupError, Running> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const child = yield* ToolRun.launch(target, tool, { database, args })
      const stderr = yield* Effect.forkScoped(ToolRun.textOf(child.stderr))
      const ended = Effect.flatMap(Fiber.join(stderr), (said) =>
        ToolRun.succeeded(target, tool, child, said)
      )
      return Stream.concat(
        Stream.catchAll(child.stdout, () => Stream.empty),
        Stream.drain(Stream.fromEffect(ended))
      )
    })
  )
