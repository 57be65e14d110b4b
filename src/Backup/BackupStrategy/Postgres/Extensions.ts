/**
 * The extensions that a dump creates. Many of them only a superuser may create, or whom the server's
 * provider has allowed it; and each has to be installed on the server's machine.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Session } from "./Session.js"
import * as Sessions from "./Session.js"
import { identifier } from "./Sql.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import type { Tool } from "./Tools.js"

/** The table of contents, as pg_restore takes it back by `--use-list`. */
export const contents = (
  target: Target,
  tool: Tool,
  file: string
): Effect.Effect<string, BackupError, Running> =>
  Effect.map(
    ToolRun.run(target, tool, { args: ["--list", file], subject: file }),
    ({ stdout }) => stdout
  )

export const named = (contents: string): ReadonlyArray<string> =>
  [...contents.matchAll(entry)].flatMap(([, comment, name]) =>
    comment === undefined && name !== undefined ? [name] : []
  )

/** The contents without these extensions, which are there, and are somebody else's to change. */
export const without = (contents: string, names: ReadonlySet<string>): string =>
  contents.replace(entry, (line, _comment, name: string) => (names.has(name) ? `;${line}` : line))

const entry = /^\d+; \d+ \d+ (?:EXTENSION - |(COMMENT) - EXTENSION )(.+?) *$/gm

/** The contents with the rows of these tables and sequences alone, by schema and name. */
export const ofTables = (contents: string, names: ReadonlySet<string>): string =>
  contents
    .split("\n")
    .filter((line) => {
      const [, rest] = /^\d+; \d+ \d+ (?:TABLE DATA|SEQUENCE SET) (.*)$/.exec(line) ?? []
      if (rest === undefined) return true
      // What follows the name is the owner, and both may hold spaces.
      const words = rest.split(" ")
      return words.some((_, index) => names.has(words.slice(0, index + 1).join(" ")))
    })
    .join("\n")

/** The lines of these entries, by their numbers. */
export const ofEntries = (contents: string, entries: ReadonlySet<string>): ReadonlyArray<string> =>
  contents.split("\n").filter((line) => entries.has(/^(\d+);/.exec(line)?.[1] ?? ""))

export interface Found {
  /** There already. */
  readonly present: ReadonlyArray<string>
  /** Neither there nor to be created by this user. */
  readonly forbidden: ReadonlyArray<string>
}

/**
 * In the database of this session. What the catalog does not promise is tried, since providers allow
 * more than it says, and taken back. What the server does not have at all is in neither.
 */
export const look = (
  session: Session,
  names: ReadonlyArray<string>
): Effect.Effect<Found, BackupError> =>
  Effect.gen(function* () {
    if (names.length === 0) return { present: [], forbidden: [] }
    const rows = yield* session.rows(Row, sql, [names])
    const doubtful = rows.filter(
      ({ allowed, available, present }) => available && !allowed && !present
    )
    const forbidden = yield* Effect.filter(doubtful, ({ name }) => isRefused(session, name))
    return {
      present: rows.flatMap(({ name, present }) => (present ? [name] : [])),
      forbidden: forbidden.map(({ name }) => name)
    }
  })

/** Whether a dump's can be created in a new database. Fails with `NotPermitted`. */
export const creatable = (place: {
  readonly target: Target
  readonly tool: Tool
  readonly file: string
  readonly database: string
}): Effect.Effect<void, BackupError, Running> =>
  Effect.gen(function* () {
    const { database, file, target, tool } = place
    const names = named(yield* contents(target, tool, file))
    if (names.length === 0) return
    const session = yield* Sessions.open(target, database)
    const { forbidden } = yield* look(session, names)
    yield* refuse(
      target,
      forbidden,
      "Use a role that may create it, or go on without it with --allow-incomplete (allowIncomplete)"
    )
  }).pipe(Effect.scoped)

/** Which of these are in a database. */
export const presentIn = (
  target: Target,
  database: string,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Sessions.open(target, database).pipe(
    Effect.flatMap((session) => session.rows(Row, sql, [names])),
    Effect.map((rows) => rows.filter(({ present }) => present).map(({ name }) => name)),
    Effect.scoped
  )

/** Whatever else is wrong with it, the restore itself tells better. */
const isRefused = (session: Session, name: string): Effect.Effect<boolean> =>
  session
    .attempt(
      `BEGIN; CREATE SCHEMA "holter attempt"; SET LOCAL search_path TO "holter attempt";
      CREATE EXTENSION ${identifier(name)} CASCADE`
    )
    .pipe(
      Effect.as(false),
      Effect.catchAll(({ code }) => Effect.succeed(code === "42501")),
      Effect.ensuring(Effect.ignore(session.attempt("ROLLBACK")))
    )

/** Fails with `NotPermitted` where something is forbidden, with what ends that. */
export const refuse = (
  target: Target,
  forbidden: ReadonlyArray<string>,
  advice: string
): Effect.Effect<void, BackupError> =>
  forbidden.length === 0
    ? Effect.void
    : Failure.make(target, {
        reason: "NotPermitted",
        expected: "the right to create all that is in the backup",
        found: `only a superuser may create the extension ${[...forbidden].sort().join(", ")}`,
        advice
      })

/** The statements for a superuser. */
export const statements = (names: ReadonlyArray<string>): string =>
  names.map((name) => `CREATE EXTENSION ${identifier(name)}`).join("; ")

const Row = Schema.Struct({
  name: Schema.String,
  available: Schema.Boolean,
  allowed: Schema.Boolean,
  present: Schema.Boolean
})

/** `trusted` is known from version 13. */
const sql = `SELECT n.name, a.name IS NOT NULL AS available,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
      OR NOT coalesce(v.superuser, false)
      OR coalesce((to_jsonb(v) ->> 'trusted')::bool, false) AS allowed,
    EXISTS (SELECT FROM pg_extension e WHERE e.extname = n.name) AS present
  FROM unnest($1::text[]) n (name)
  LEFT JOIN pg_available_extensions a ON a.name = n.name
  LEFT JOIN pg_available_extension_versions v
    ON v.name = a.name AND v.version = a.default_version`
