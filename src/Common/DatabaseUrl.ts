/**
 * Database URLs as people write them: SQLAlchemy's, libpq's, and plain paths of SQLite files.
 *
 * Passwords are often typed raw. A URL with `@`, `/`, `?`, `%` or spaces in its password is read as
 * long as there is one way to read it; where there are two, it is refused rather than guessed. No
 * error shows any part of the URL but its scheme: what is wrong in a URL may be a piece of password.
 */
import { Either, Redacted, Schema } from "effect"
import * as Parameters from "./DatabaseParameters.js"
import * as Host from "./Host.js"
import * as UrlText from "./UrlText.js"

/** The URL is of a kind that is not supported, or cannot be read. */
export class DatabaseUrlError extends Schema.TaggedError<DatabaseUrlError>(
  "holter/Common/DatabaseUrlError"
)("DatabaseUrlError", {
  reason: Schema.Literal("Unsupported", "Malformed"),
  /** The part of the URL that is wrong: `scheme`, `port`, `parameter sslmode`. */
  part: Schema.String,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    const what = this.reason === "Unsupported" ? "is not supported" : "cannot be read"
    return `The database URL ${what} (${this.part}): expected ${this.expected}, found ${this.found}. Supported: ${supported}.`
  }
}

/** The forms that `parse` takes, for messages and help. */
export const supported =
  "sqlite:///relative.db, sqlite:////absolute.db, a plain path, " +
  "postgresql://user:password@host:5432/database (also postgres://, postgresql+asyncpg://, unix sockets by ?host=/directory)"

/** How TLS is used, in libpq's words. */
export const SslMode = Schema.Literal(
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full"
)

export type SslMode = typeof SslMode.Type

export interface Sqlite {
  readonly _tag: "Sqlite"
  readonly path: string
}

export interface Postgres {
  readonly _tag: "Postgres"
  /** A name, an address, or the directory of a unix socket; `socketDir` tells which. */
  readonly host: string
  /** The directory of the unix socket, where the server is reached by one. */
  readonly socketDir: string | undefined
  readonly port: number
  /** Without one, the server takes the user's name. */
  readonly database: string | undefined
  readonly user: string | undefined
  readonly password: Redacted.Redacted<string> | undefined
  readonly ssl: SslMode | undefined
  /** Settings of the session, such as `-c search_path=bot`. */
  readonly options: string | undefined
  /** All other parameters of the query, decoded. */
  readonly parameters: Readonly<Record<string, string>>
}

export type DatabaseUrl = Sqlite | Postgres

/**
 * Reads a database URL.
 *
 * @example
 * import { DatabaseUrl } from "holter"
 *
 * DatabaseUrl.parse("postgresql://bot:p@ss/w%rd@db.example/bot?sslmode=require")
 */
export const parse = (
  input: string | Redacted.Redacted<string>
): Either.Either<DatabaseUrl, DatabaseUrlError> => {
  const text = UrlText.unquoted(typeof input === "string" ? input : Redacted.value(input))
  if (text.includes("\u0000")) return malformed("text", "text without NUL", "NUL")
  const scheme = /^([a-z][a-z0-9+._-]*):\/\//i.exec(text)
  if (scheme?.[1] === undefined) return plainPath(text)
  const rest = text.slice(scheme[0].length)
  const name = scheme[1].toLowerCase()
  if (/^(?:postgres|postgresql)(?:\+[a-z0-9_]+)?$/.test(name)) return parsePostgres(rest)
  if (/^sqlite3?(?:\+[a-z0-9_]+)?$/.test(name)) return parseSqlite(rest)
  return unsupported("scheme", "sqlite or postgresql", `"${name.slice(0, 30)}"`)
}

/** Writes a URL that `parse` reads as the same value, with every part percent-encoded. */
export const format = (url: DatabaseUrl): Redacted.Redacted<string> => {
  if (url._tag === "Sqlite") return Redacted.make(`sqlite:///${encodePath(url.path)}`)
  const { database, host, options, parameters, password, port, socketDir, ssl, user } = url
  const encode = encodeURIComponent
  const secret = password === undefined ? "" : `:${encode(Redacted.value(password))}`
  const login = user === undefined && secret === "" ? "" : `${encode(user ?? "")}${secret}@`
  const place = socketDir === undefined && host.includes(":") ? `[${host}]` : encode(host)
  const query = Object.entries({
    ...(ssl === undefined ? {} : { sslmode: ssl }),
    ...(options === undefined ? {} : { options }),
    ...parameters
  }).map(([key, value]) => `${encode(key)}=${encode(value)}`)
  return Redacted.make(
    `postgresql://${login}${place}:${port}` +
      (database === undefined ? "" : `/${encode(database)}`) +
      (query.length === 0 ? "" : `?${query.join("&")}`)
  )
}

/** Where the database is, for a message: no user, no password. */
export const address = (url: DatabaseUrl): string => {
  if (url._tag === "Sqlite") return url.path
  if (url.socketDir !== undefined) return `${url.socketDir}/.s.PGSQL.${url.port}`
  return url.host.includes(":") ? `[${url.host}]:${url.port}` : `${url.host}:${url.port}`
}

type Parsed<A> = Either.Either<A, DatabaseUrlError>

const refuse =
  (reason: DatabaseUrlError["reason"]) =>
  (part: string, expected: string, found: string): Parsed<never> =>
    Either.left(new DatabaseUrlError({ reason, part, expected, found }))
const malformed = refuse("Malformed")
const unsupported = refuse("Unsupported")

const inMemory = unsupported(
  "path",
  "the path of a database file",
  "an in-memory database, which only the process that opened it can see"
)

const sqlite = (path: string): Parsed<Sqlite> => {
  if (path === "" || path.startsWith(":memory:")) return inMemory
  if (path.includes("\u0000")) return malformed("path", "a path without NUL", "NUL")
  if (/^file:/i.test(path)) {
    return unsupported("path", "the path of a database file", "a file: URI of SQLite")
  }
  return Either.right({ _tag: "Sqlite", path })
}

const plainPath = (text: string): Parsed<Sqlite> => {
  if (text.trim() === "") return malformed("text", "a URL or a path", "nothing")
  // As a path it would be shown, with the password that may be in it.
  const other = UrlText.noPath(text)
  return other === undefined ? sqlite(text) : malformed(other.part, other.expected, other.found)
}

const parseSqlite = (rest: string): Parsed<Sqlite> => {
  const [path = "", query = ""] = splitFirst(rest, "?")
  const changing = ["immutable", "nolock", "vfs"].find((name) => name in parametersOf(query))
  if (changing !== undefined) {
    return unsupported(
      `parameter ${changing}`,
      "a URL without it",
      "one that changes how SQLite reads the file"
    )
  }
  if (path === "" || path === "/" || new URLSearchParams(query).get("mode") === "memory") {
    return inMemory
  }
  if (/^\/*[a-z][\w+.-]*:\/\//i.test(path)) {
    return malformed("path", "the path of a database file", "another URL behind the scheme")
  }
  return path.startsWith("/")
    ? sqlite(decode(path.slice(1)))
    : malformed("path", "three slashes before a relative path, four before an absolute one", "two")
}

/** One way to read the part of the URL after the scheme. */
interface Reading {
  readonly userinfo: string | undefined
  readonly host: string
  readonly port: string
  readonly database: string
  readonly query: string
}

const place =
  /^(\[[0-9a-f:.]+(?:%25[\w.-]+)?\]|[^\s:/?#@[\]]*)(?::([^:/?#@]*))?(?:\/([^/?#]*))?(?:\?(.*))?$/is

const parsePostgres = (rest: string): Parsed<Postgres> => {
  const readings = splits(rest).flatMap(([userinfo, tail]): ReadonlyArray<Reading> => {
    const match = place.exec(tail)
    if (match === null) return []
    const [, host = "", port = "", database = "", query = ""] = match
    return [{ userinfo, host, port, database, query }]
  })
  const valid = readings.filter(({ port }) => port === "" || isPort(port))
  // Where none is valid, the last one still tells what is wrong with it.
  const candidates = valid.length > 0 ? valid : readings.slice(-1)
  const reading = candidates.find(isStrict) ?? candidates[0]
  if (reading === undefined) {
    return malformed(
      "user information, host or database",
      "user:password@host:port/database, with @, /, ? and # of a part percent-encoded",
      "something else"
    )
  }
  if (candidates.length > 1 && !isStrict(reading)) {
    return malformed(
      "user information",
      "one way to read it: write @ as %40, / as %2F and ? as %3F in the password",
      "more than one"
    )
  }
  return postgres(reading)
}

/** The text cut at no `@`, and at each of them. */
const splits = (rest: string): ReadonlyArray<readonly [string | undefined, string]> => [
  [undefined, rest],
  ...[...rest.matchAll(/@/g)].map(
    ({ index }) => [rest.slice(0, index), rest.slice(index + 1)] as const
  )
]

/** Read so by every other reader too: a raw `@` stands nowhere but in a known parameter. */
const isStrict = ({ query, userinfo }: Reading): boolean =>
  !/[@/?#]/.test(userinfo ?? "") &&
  query
    .split("&")
    .every((pair) => !pair.includes("@") || freeTextParameters.has(splitFirst(pair, "=")[0]))

const freeTextParameters = new Set(["application_name", "options", "password", "user"])

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && +text >= 1 && +text <= 65535

const postgres = (reading: Reading): Parsed<Postgres> => {
  const { options, sslmode, ssl, ...others } = parametersOf(reading.query)
  const { host: hostParameter, port: portParameter, ...rest } = others
  const { user: userParameter, password: passwordParameter, ...named } = rest
  const { dbname, database: databaseParameter, ...parameters } = named
  const [user, password] = splitFirst(reading.userinfo ?? "", ":")
  const secret = password === undefined ? passwordParameter : decode(password)
  const host = known(Host.unbracketed(hostParameter ?? decode(reading.host))) || "localhost"
  const port = portParameter ?? (reading.port === "" ? "5432" : reading.port)
  const given = sslmode ?? ssl
  const mode = given === undefined ? undefined : (sslAliases[given] ?? given)
  const parts = {
    database: decode(reading.database) || dbname || databaseParameter || undefined,
    user: decode(user ?? "") || userParameter || undefined
  }
  if (host.includes(",")) return unsupported("host", "one host", "several")
  const meant = Object.keys(parameters)
    .map(Parameters.misspelt)
    .find((name) => name !== undefined)
  if (meant !== undefined) {
    return malformed(
      "parameters",
      `parameters that are known, such as ${meant}`,
      "one much like it"
    )
  }
  if (!isPort(port)) return malformed("port", "a number from 1 to 65535", "something else")
  if (mode !== undefined && !Schema.is(SslMode)(mode)) {
    return malformed("parameter sslmode", SslMode.literals.join(", "), "something else")
  }
  if ([host, secret, parts.database, parts.user].some((part) => part?.includes("\u0000"))) {
    return malformed("user information, host or database", "text without NUL", "NUL")
  }
  return Either.right({
    _tag: "Postgres",
    host,
    socketDir: host.startsWith("/") ? host : undefined,
    port: Number(port),
    ...parts,
    password: secret === undefined || secret === "" ? undefined : Redacted.make(secret),
    ssl: mode,
    options,
    parameters
  })
}

/**
 * Reads a database URL for a connection of Holter's own, and refuses what that does not keep: a
 * promise of the URL about who the server is or what it may do must not be dropped in silence. The
 * tools of PostgreSQL, which backups run, keep them.
 */
export const parseForConnection = (
  input: string | Redacted.Redacted<string>
): Either.Either<DatabaseUrl, DatabaseUrlError> =>
  Either.flatMap(parse(input), (url): Parsed<DatabaseUrl> => {
    const broken = url._tag === "Sqlite" ? undefined : Parameters.unkept(url.parameters)
    if (broken === undefined) return Either.right(url)
    const [name, harmless, advice] = broken
    return unsupported(
      `parameter ${name}`,
      [...harmless, `no ${name}`].join(", ") + (advice === undefined ? "" : ` (${advice})`),
      "another value, which a check or a journal cannot keep"
    )
  })

/** As DNS, TLS and PostgreSQL's own tools know it; the path of a socket is left as it is. */
const known = (host: string): string => (host.startsWith("/") ? host : Host.ascii(host) || host)

/** What others write for `sslmode`: asyncpg `ssl=true`, node-postgres `no-verify`. */
const sslAliases: Readonly<Record<string, string | undefined>> = {
  true: "require",
  "1": "require",
  "no-verify": "require",
  false: "disable",
  "0": "disable"
}

const parametersOf = (query: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    query
      .split("&")
      .filter((pair) => pair !== "")
      .map((pair) => {
        const [name = "", value = ""] = splitFirst(pair, "=")
        return [decode(name), decode(value)]
      })
  )

const splitFirst = (text: string, separator: string): readonly [string, string | undefined] => {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** Percent-decoding that leaves alone what is not an escape, or no text. */
const decode = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Either.getOrElse(
      Either.try(() => decodeURIComponent(run)),
      () => run
    )
  )

const encodePath = (path: string): string => encodeURIComponent(path).replaceAll("%2F", "/")
