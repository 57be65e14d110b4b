/**
 * A database URL as libpq's programs take it: a connection string without secrets for the command
 * line, which everybody on the machine can read, and the secrets for the environment.
 *
 * @internal
 */
import { Redacted } from "effect"
import type * as DatabaseUrl from "../../../Common/DatabaseUrl.js"

/**
 * Every part is named and quoted, so that no name of a database is read as a connection string and
 * no variable of the environment (PGHOST, PGOPTIONS, PGSSLMODE) takes the place of a part.
 */
export const text = (
  url: DatabaseUrl.Postgres,
  database: string,
  application: string | undefined
): string => {
  const parts: Record<string, string | undefined> = {
    host: url.host,
    port: String(url.port),
    user: url.user,
    dbname: database,
    sslmode: url.ssl ?? (url.parameters["sslrootcert"] === "system" ? "verify-full" : "prefer"),
    // The database may be set to read-only for its programs; what restores it has to write.
    options: `${url.options ?? ""} -c default_transaction_read_only=off`.trim(),
    connect_timeout: String(connectSeconds(url))
  }
  for (const name of keywords) parts[name] ??= url.parameters[name]
  parts["application_name"] = application ?? url.parameters["application_name"] ?? "holter"
  return Object.entries(parts)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`]))
    .join(" ")
}

/** None of them in an argument; a program that has no password must not ask for one. */
export const environment = (url: DatabaseUrl.Postgres): Readonly<Record<string, string>> => ({
  ...(url.password === undefined ? {} : { PGPASSWORD: Redacted.value(url.password) }),
  // Messages in the language that they are read in; the server's own come as it is set.
  LC_ALL: "C",
  PGCLIENTENCODING: ""
})

/** How long libpq may take for a connection: the same as for a session of ours. */
export const connectSeconds = (url: DatabaseUrl.Postgres): number => {
  const seconds = Math.floor(Number(url.parameters["connect_timeout"]))
  return seconds > 0 ? seconds : 10
}

/**
 * A service file that holds what has no variable of its own: the password of a client's key. Its
 * lines take no quotes.
 */
export const serviceFile = (url: DatabaseUrl.Postgres): Redacted.Redacted<string> | undefined => {
  const { sslpassword } = url.parameters
  return sslpassword === undefined
    ? undefined
    : Redacted.make(`[${service}]\nsslpassword=${sslpassword}\n`)
}

export const service = "holter"

/**
 * What libpq knows of a URL's parameters; others are those of drivers, and it refuses them.
 * `client_encoding` stays out: a dump is written in the database's own encoding.
 */
const keywords = [
  "channel_binding",
  "gssencmode",
  "gsslib",
  "hostaddr",
  "keepalives",
  "keepalives_count",
  "keepalives_idle",
  "keepalives_interval",
  "krbsrvname",
  "passfile",
  "requirepeer",
  "ssl_max_protocol_version",
  "ssl_min_protocol_version",
  "sslcert",
  "sslcrl",
  "sslkey",
  "sslrootcert",
  "target_session_attrs",
  "tcp_user_timeout"
] as const

const quoted = (value: string): string => `'${value.replace(/[\\']/g, "\\$&")}'`
