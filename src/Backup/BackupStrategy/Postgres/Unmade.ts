/**
 * Objects of a dump that a server does not make, each with the server's own words: an index over a function
 * that calls another one without its schema, a role that is missing, a right that the user does not have.
 * Pure.
 *
 * @internal
 */
import { BackupError } from "../../BackupError.js"
import { identifier } from "./Sql.js"
import type { Target } from "./Target.js"
import type { Attempt } from "./ToolRun.js"

export interface Unmade {
  /** `index t_v_idx`, `owner of table public.t`. */
  readonly object: string
  readonly said: string
  /** The statement in one line, as far as it is needed to tell what it is. */
  readonly statement: string
}

/**
 * What pg_restore and psql write to standard error: each error of the server, then the statement that it is
 * about.
 */
export const read = (stderr: string): ReadonlyArray<Unmade> => {
  const found: Array<{ said: string; statement: string }> = []
  let isStatement = false
  for (const line of stderr.split("\n")) {
    const [, said] = errorLine.exec(line) ?? []
    const [, statement] = statementLine.exec(line) ?? []
    const last = found.at(-1)
    if (said !== undefined) {
      found.push({ said, statement: "" })
      isStatement = false
    } else if (last === undefined) continue
    else if (statement !== undefined) {
      last.statement = statement
      isStatement = true
    } else if (line.startsWith("DETAIL:") && !isStatement) {
      last.said += ` (${line.replace(/^DETAIL: +/, "")})`
    } else if (isStatement && last.statement.length < statementLength) {
      last.statement += ` ${line.trim()}`
    }
  }
  return found.map(({ said, statement }) => {
    const line = statement.replace(/\s+/g, " ").trim()
    return { object: label(line), said: said.slice(0, saidLength), statement: line }
  })
}

/**
 * The numbers in the table of contents of what failed, as the verbose mode tells them. They are found in the
 * torn lines of several workers, too.
 */
export const entries = (stderr: string): ReadonlySet<string> =>
  new Set(
    [...stderr.matchAll(/from TOC entry (\d+); \d+ \d+ [A-Z]/gi)].map(([, entry = ""]) => entry)
  )

/**
 * How much failed in a run, by what it counted at its end and by the entries that it names. Undefined where it
 * did not come to its end: there the rest may be undone, unnamed.
 */
export const failures = ({ ended, stderr }: Attempt): number | undefined => {
  const ends = [...stderr.matchAll(/^pg_restore: warning: errors ignored on restore: (\d+)$/gm)]
  const last = ended === 0 ? "0" : ends.at(-1)?.[1]
  return last === undefined ? undefined : Math.max(Number(last), entries(stderr).size)
}

/** What can be read of these: of several workers pg_restore counts each error, and its entry once more. */
export const counted = (stderr: string, workers: number): number =>
  reasons(stderr).length + (workers > 1 ? entries(stderr).size : 0)

/** What the server says of rows, likewise. */
export const reasons = (stderr: string): ReadonlyArray<string> =>
  [...stderr.matchAll(reason)].map(([, said = ""]) => said)

const reason =
  /(?:COPY failed for table .*?: |could not (?:execute query|set [^:\n]*): |error returned by PQputCopy(?:Data|End): )(?:\S+: +)?(.+)/g

const statementLength = 400
const saidLength = 400

/** The server's level comes in its own language; psql tells the code with it. */
const errorLine =
  /^(?:pg_restore: (?:error|warning): could not (?:execute query|set [^:]*): (?:\S+: +)?|(?:psql:\S* )?(?:ERROR|FATAL|PANIC): +(?:[0-9A-Z]{5}: +)?)(.+)/
const statementLine = /^(?:(?:psql:\S* )?STATEMENT: +|Command was: +)(.*)/

const kinds = [
  "ACCESS METHOD",
  "AGGREGATE",
  "CAST",
  "COLLATION",
  "CONVERSION",
  "DOMAIN",
  "EVENT TRIGGER",
  "EXTENSION",
  "FOREIGN DATA WRAPPER",
  "FOREIGN TABLE",
  "FUNCTION",
  "INDEX",
  "LANGUAGE",
  "MATERIALIZED VIEW",
  "OPERATOR CLASS",
  "OPERATOR FAMILY",
  "OPERATOR",
  "POLICY",
  "PROCEDURE",
  "PUBLICATION",
  "RULE",
  "SCHEMA",
  "SEQUENCE",
  "SERVER",
  "STATISTICS",
  "TABLE",
  "TEXT SEARCH [A-Z]+",
  "TRANSFORM",
  "TRIGGER",
  "TYPE",
  "USER MAPPING",
  "VIEW"
].join("|")

/** Quoted or not, with its schema. */
const named = `((?:"(?:[^"]|"")+"|[^\\s"(;.]+)(?:\\.(?:"(?:[^"]|"")+"|[^\\s"(;]+))?)`

const labels: ReadonlyArray<readonly [RegExp, (one: string, other: string) => string]> = [
  [
    new RegExp(`^ALTER (?:(?:DEFAULT )?PRIVILEGES|([A-Z ]+?)) (?:ONLY )?${named}.* OWNER TO `),
    (kind, what) => `owner of ${kind.toLowerCase()} ${what}`
  ],
  [
    new RegExp(`^ALTER TABLE (?:ONLY )?${named} ADD CONSTRAINT ${named}`),
    (table, what) => `constraint ${what} of table ${table}`
  ],
  [
    new RegExp(`^REFRESH MATERIALIZED VIEW ${named}`),
    (what) => `rows of materialized view ${what}`
  ],
  [
    new RegExp(`^CREATE (?:CONSTRAINT )?TRIGGER ${named} .*? ON ${named}`),
    (what, table) => `trigger ${what} of table ${table}`
  ],
  [
    new RegExp(`^CREATE POLICY ${named} ON ${named}`),
    (what, table) => `policy ${what} of table ${table}`
  ],
  [
    new RegExp(`^CREATE (?:[A-Z]+ )*?(${kinds}) (?:IF NOT EXISTS )?${named}`),
    (kind, what) => `${kind.toLowerCase()} ${what}`
  ],
  [
    new RegExp(`^COMMENT ON (${kinds}) ${named}`),
    (kind, what) => `comment on ${kind.toLowerCase()} ${what}`
  ],
  [/^(?:GRANT|REVOKE) .*? ON (.+?) (?:TO|FROM) ()/, (what) => `grants on ${what.toLowerCase()}`]
]

/** What a statement makes. */
export const label = (statement: string): string => {
  if (statement === "") return "a setting of the session"
  for (const [pattern, words] of labels) {
    const match = pattern.exec(statement)
    if (match !== null) return words(match[1] ?? "", match[2] ?? "")
  }
  return statement.slice(0, 100)
}

export const isTable = ({ statement }: Unmade): boolean =>
  /^CREATE (?:UNLOGGED |FOREIGN )?TABLE /.test(statement)

/** An object that is tried a second time may be there since the first. */
export const isNotThere = ({ said }: Unmade): boolean => !/ already exists/.test(said)

/** The extensions among them. */
export const extensions = (unmade: ReadonlyArray<Unmade>): ReadonlyArray<string> =>
  unmade.flatMap(({ statement }) => {
    const [, quoted, plain] =
      /^CREATE EXTENSION (?:IF NOT EXISTS )?(?:"((?:[^"]|"")+)"|([^\s;]+))/.exec(statement) ?? []
    const name = quoted?.replaceAll('""', '"') ?? plain
    return name === undefined ? [] : [name]
  })

/** Owners and grants of roles that the server does not have: left out where owners are not wanted. */
export const isOfMissingRole = ({ said, statement }: Unmade): boolean =>
  missingRole.test(said) &&
  /^(?:ALTER DEFAULT PRIVILEGES|ALTER .* OWNER TO|GRANT|REVOKE) /.test(statement)

const missingRole = /\brole "(.+?)" does not exist/
const missingTablespace = /[Tt]ablespace "(.+?)" does not exist/
const missingLocale = /locale name: "(.+?)"/
const missingExtension = /extension "(.+?)" is not available|extension\/([^/"]+)\.control/

/** As warnings, one for each. */
export const warnings = (unmade: ReadonlyArray<Unmade>): ReadonlyArray<string> =>
  unmade.map(({ object, said }) => `not restored: ${object} (${said})`)

/** With all of them at once, and what makes those possible that miss something of the server. */
export const refusal = (
  target: Target,
  unmade: ReadonlyArray<Unmade>,
  options: { readonly nothingChanged: string; readonly locale?: string | undefined }
): BackupError => {
  const shown = unmade.slice(0, shownObjects).map(({ object, said }) => `${object} (${said})`)
  const more = unmade.length - shown.length
  const missing = statements(unmade)
  const first =
    missing.length === 0
      ? "Mend the schema in the database that is backed up"
      : `Make what is missing on the server: ${missing.join("; ")}`
  const roles = unmade.some(isOfMissingRole) ? ", leave missing roles out with --no-owner" : ""
  return new BackupError({
    reason: "Incomplete",
    subject: target.address,
    expected: "a server that makes every object of the backup",
    found: target.secrets.scrub(
      `${unmade.length} that it refuses: ${shown.join(", ")}${more > 0 ? `, and ${more} more` : ""}`
    ),
    advice: `${options.nothingChanged}${first}${roles}, or go on without ${unmade.length === 1 ? "this object" : `these ${unmade.length} objects`} with --allow-incomplete (allowIncomplete)`
  })
}

const shownObjects = 20

/** What a superuser of the server types. */
const statements = (unmade: ReadonlyArray<Unmade>): ReadonlyArray<string> => {
  const all = (pattern: RegExp): ReadonlyArray<string> => [
    ...new Set(
      unmade.flatMap(({ said }) => {
        const [, one, other] = pattern.exec(said) ?? []
        const name = one ?? other
        return name === undefined ? [] : [name]
      })
    )
  ]
  return [
    ...all(missingRole).map((name) => `CREATE ROLE ${identifier(name)}`),
    ...all(missingTablespace).map(
      (name) => `CREATE TABLESPACE ${identifier(name)} LOCATION '/a/directory/of/the/server'`
    ),
    ...all(missingLocale).map(
      (name) => `the locale ${name} (locale-gen on its machine, then a restart)`
    ),
    ...all(missingExtension).map((name) => `the package of the extension ${name}`)
  ]
}
