/**
 * What belongs to a database and lies outside of it, so that no dump restores it: its owner, locale
 * and tablespace, settings, grants, comment and limits.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { BackupError } from "../../BackupError.js"
import type { Session } from "./Session.js"
import { identifier, literal, settingValue } from "./Sql.js"

const Optional = Schema.optional(Schema.NullOr(Schema.String))

/** A row of pg_database, whose columns differ from version to version. */
const Row = Schema.Struct({
  oid: Schema.Number,
  owner: Schema.String,
  /** None where a new database lies there anyway: to name it takes a right on it. */
  tablespace: Schema.NullOr(Schema.String),
  encoding: Schema.String,
  comment: Schema.NullOr(Schema.String),
  connectionLimit: Schema.Number,
  isTemplate: Schema.Boolean,
  hasGrants: Schema.Boolean,
  /** Whether the session's user may rename it. */
  mine: Schema.Boolean,
  columns: Schema.Struct({
    datcollate: Optional,
    datctype: Optional,
    datlocprovider: Optional,
    daticulocale: Optional,
    daticurules: Optional,
    datlocale: Optional
  })
})

const Setting = Schema.Struct({ role: Schema.NullOr(Schema.String), setting: Schema.String })
const Grant = Schema.Struct({
  grantee: Schema.NullOr(Schema.String),
  privilege: Schema.Literal("CONNECT", "CREATE", "TEMPORARY"),
  grantable: Schema.Boolean
})

export interface Properties {
  readonly row: typeof Row.Type
  readonly settings: ReadonlyArray<typeof Setting.Type>
  readonly grants: ReadonlyArray<typeof Grant.Type>
}

/** Read from any database of the server. */
export const read = (
  session: Session,
  database: string
): Effect.Effect<Properties | undefined, BackupError> =>
  Effect.gen(function* () {
    const [row] = yield* session.rows(Row, rowSql, [database])
    if (row === undefined) return undefined
    const settings = yield* session.rows(Setting, settingsSql, [row.oid])
    const grants = yield* session.rows(Grant, grantsSql, [row.oid])
    return { row, settings, grants }
  })

/** What CREATE DATABASE needs for a database that takes the place of this one. */
export const createOptions = (properties: Properties): string => {
  const { owner, tablespace } = properties.row
  const place = tablespace === null ? "" : ` TABLESPACE ${identifier(tablespace)}`
  return `${localeOptions(properties)} OWNER ${identifier(owner)}${place}`
}

/** The part of them that makes it sort and compare as this one. */
export const localeOptions = ({ row }: Properties): string => {
  const { datcollate, datctype, daticulocale, daticurules, datlocale, datlocprovider } = row.columns
  const locale = datlocale ?? daticulocale
  const provider = datlocprovider === undefined ? undefined : providers[datlocprovider ?? "c"]
  const words: Record<string, string | null | undefined> = {
    ENCODING: row.encoding,
    LC_COLLATE: datcollate,
    LC_CTYPE: datctype,
    LOCALE_PROVIDER: provider,
    ICU_LOCALE: provider === "icu" ? locale : undefined,
    ICU_RULES: provider === "icu" ? daticurules : undefined,
    BUILTIN_LOCALE: provider === "builtin" ? locale : undefined
  }
  return Object.entries(words)
    .flatMap(([name, value]) =>
      value === undefined || value === null ? [] : [`${name} ${literal(value)}`]
    )
    .join(" ")
}

/** The search path of its programs, where it has one of its own. */
export const searchPath = ({ settings }: Properties): string | undefined =>
  settings
    .find(({ role, setting }) => role === null && setting.startsWith("search_path="))
    ?.setting.slice("search_path=".length)

/** Statements that give a database the settings, grants and limits of another. */
export const copyTo = (database: string, properties: Properties): ReadonlyArray<string> => {
  const { grants, row, settings } = properties
  const name = identifier(database)
  const owner = identifier(row.owner)
  return [
    ...settings.map(({ role, setting }) => {
      const at = setting.indexOf("=")
      const key = setting.slice(0, at)
      const whose =
        role === null
          ? `ALTER DATABASE ${name}`
          : `ALTER ROLE ${identifier(role)} IN DATABASE ${name}`
      return `${whose} SET ${identifier(key)} TO ${settingValue(key, setting.slice(at + 1))}`
    }),
    ...(row.hasGrants ? [`REVOKE ALL ON DATABASE ${name} FROM PUBLIC, ${owner}`] : []),
    ...grants.map(
      ({ grantable, grantee, privilege }) =>
        `GRANT ${privilege} ON DATABASE ${name} TO ${grantee === null ? "PUBLIC" : identifier(grantee)}` +
        (grantable ? " WITH GRANT OPTION" : "")
    ),
    ...(row.connectionLimit === -1
      ? []
      : [`ALTER DATABASE ${name} CONNECTION LIMIT ${row.connectionLimit}`]),
    ...(row.isTemplate ? [`ALTER DATABASE ${name} IS_TEMPLATE true`] : [])
  ]
}

const providers: Readonly<Record<string, string | undefined>> = {
  c: "libc",
  i: "icu",
  b: "builtin"
}

const rowSql = `SELECT d.oid::int8::float8 AS oid, pg_get_userbyid(d.datdba) AS owner,
    nullif(t.spcname, standard.spcname) AS tablespace, pg_encoding_to_char(d.encoding) AS encoding,
    shobj_description(d.oid, 'pg_database') AS comment, d.datconnlimit AS "connectionLimit",
    d.datistemplate AS "isTemplate", d.datacl IS NOT NULL AS "hasGrants",
    pg_has_role(d.datdba, 'USAGE') AS mine, to_jsonb(d) - 'datacl' AS columns
  FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace
  LEFT JOIN pg_database e ON e.datname = 'template0'
  LEFT JOIN pg_tablespace standard ON standard.oid = e.dattablespace
  WHERE d.datname = $1`

const settingsSql = `SELECT r.rolname AS role, unnest(s.setconfig) AS setting
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
  WHERE s.setdatabase = $1::int8::oid`

const grantsSql = `SELECT r.rolname AS grantee, a.privilege_type AS privilege,
    a.is_grantable AS grantable
  FROM pg_database d CROSS JOIN aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE d.oid = $1::int8::oid`
