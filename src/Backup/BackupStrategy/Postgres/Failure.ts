/**
 * What a server or a tool says, as errors of a backup.
 *
 * @internal
 */
import * as Excerpt from "../../../Common/Excerpt.js"
import { BackupError, type Reason } from "../../BackupError.js"
import type { PostgresError } from "../../../Postgres/PostgresError.js"
import type { Target } from "./Target.js"

interface Words {
  readonly reason: Reason
  readonly expected: string
  readonly found?: string
  readonly advice?: string
}

export const make = (
  target: Target,
  words: Words & { readonly found: string },
  cause?: unknown
): BackupError =>
  new BackupError({
    subject: target.address,
    reason: words.reason,
    expected: words.expected,
    found: target.secrets.scrub(words.found),
    advice: words.advice,
    cause
  })

/** No connection, or no answer to a query. */
export const fromPostgres =
  (target: Target) =>
  (error: PostgresError): BackupError =>
    make(target, { found: error.found, ...wordsFor(error) }, error)

const wordsFor = (error: PostgresError): Words => {
  const said = error.cause instanceof Error ? error.cause.message : error.found
  if (/row-level security policy/.test(said)) return rowSecurity
  if (isOfPooler.test(said)) return { ...pooler, found: `a pooler: ${said}` }
  if (isOfLocale.test(said)) return { ...locale, found: said }
  return byCode(error.code) ?? connection[error.reason]
}

const isOfPooler = /unsupported startup parameter|pgbouncer/i
const pooler: Words = {
  reason: "Unreachable",
  expected: "the server itself, since backups need sessions of their own",
  advice:
    "Use the direct URL: host and port of PostgreSQL (5432 as a rule), not of its pooler (pgbouncer)"
}

const isOfLocale =
  /invalid (?:LC_\w+ |ICU )?locale name|could not (?:create|open) (?:locale|collator)/
const locale: Words = {
  reason: "Incomplete",
  expected: "the locale of the database on the server's machine",
  advice: "Install the locale there (locale-gen) and restart PostgreSQL"
}

const connection: Readonly<Record<PostgresError["reason"], Words>> = {
  Unreachable: {
    reason: "Unreachable",
    expected: "a server that answers",
    advice: "Check that it runs, and the host and port in the URL"
  },
  StartingUp: {
    reason: "Unreachable",
    expected: "a server that takes connections",
    advice: "Wait until it has started or recovered"
  },
  NotAccepting: {
    reason: "Unreachable",
    expected: "a server that takes connections",
    advice: "Start it again"
  },
  TooManyConnections: {
    reason: "Unreachable",
    expected: "a free connection",
    advice: "Close idle connections or raise the limit (max_connections)"
  },
  AcquireTimedOut: {
    reason: "Unreachable",
    expected: "a connection",
    advice: "Look for a server that hangs, or raise connect_timeout in the URL"
  },
  TlsFailed: {
    reason: "Unreachable",
    expected: "a secure connection",
    advice: "Check sslmode and the certificates"
  },
  AuthFailed: {
    reason: "AuthFailed",
    expected: "a server that takes this login",
    advice: "Check the user and the password in the URL, and pg_hba.conf"
  },
  LoginUnsupported: {
    reason: "AuthFailed",
    expected: "a server that takes a password",
    advice:
      "Give this user and address a line with scram-sha-256 in pg_hba.conf, before the present one"
  },
  ProtocolBroken: {
    reason: "Unreachable",
    expected: "answers by the rules of PostgreSQL's protocol",
    advice: "Check the host and port in the URL, and what stands between: is it PostgreSQL?"
  },
  DatabaseMissing: {
    reason: "Missing",
    expected: "a database of this name",
    advice: "Check the database's name in the URL"
  },
  ReadOnly: {
    reason: "NotPermitted",
    expected: "a server that takes writes",
    advice: "Use the URL of the primary: this is a standby, or read-only"
  },
  QueryFailed: { reason: "ToolFailed", expected: "an answer to a query" }
}

const byCode = (code: string | undefined): Words | undefined =>
  code === undefined ? undefined : (states[code] ?? classes[code.slice(0, 2)])

const permission: Words = {
  reason: "NotPermitted",
  expected: "the right to do this",
  advice: "Grant it to the user in the URL, or use the database's owner"
}
const rowSecurity: Words = {
  reason: "NotPermitted",
  expected: "a user who sees every row",
  advice:
    "Tables have row-level security: use their owner, or a role with BYPASSRLS (ALTER ROLE name BYPASSRLS)"
}
const lockTimeout: Words = {
  reason: "Busy",
  expected: "tables that are not locked for long",
  advice: "Look into pg_locks for a migration or a transaction that was left open, and try again"
}
const diskFull: Words = {
  reason: "DiskFull",
  expected: "room on the server's disk",
  advice: "Free some space"
}

const damaged: Words = {
  reason: "Damaged",
  expected: "a database that can be read to its end",
  advice: "Look at the server's disk, and restore a backup"
}

const states: Readonly<Record<string, Words>> = {
  "42501": permission,
  "55P03": lockTimeout,
  "53100": diskFull,
  "55006": {
    reason: "InUse",
    expected: "a database without connections",
    advice: "Stop the programs that use it, and try again"
  },
  // A file of a table or a library that is not there, an error of the disk, a damaged page or index.
  "58P01": damaged,
  "58030": damaged,
  XX001: damaged,
  XX002: damaged
}

const classes: Readonly<Record<string, Words>> = {
  "57": {
    reason: "Unreachable",
    expected: "a server that stays up",
    advice: "Try again, once it runs"
  }
}

/**
 * What the standard error of pg_dump or pg_restore means. The first pattern that matches tells; the
 * words are the tool's own, its first line that says "error".
 */
export const fromTool = (
  target: Target,
  tool: string,
  stderr: string,
  ended: string,
  subject?: string
): BackupError => {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "")
  const line = lines.find((text) => /\b(?:error|fatal)\b/i.test(text)) ?? lines.at(-1)
  const [, words] = toolPatterns.find(([pattern]) => pattern.test(stderr)) ?? []
  const detail = lines.find((text) => /^(?:DETAIL|pg_dump: detail):/.test(text))
  const said = [line ?? `no word of why (${ended})`, detail].filter((text) => text !== undefined)
  const error = make(target, {
    reason: "ToolFailed",
    expected: `${tool} to do its work`,
    found: Excerpt.make(target.secrets, said.join(" "), 500),
    ...words
  })
  return subject === undefined ? error : new BackupError({ ...error, subject })
}

const toolPatterns: ReadonlyArray<readonly [RegExp, Words]> = [
  [/unsupported startup parameter/, pooler],
  [/row-level security policy/, rowSecurity],
  [
    /pg_dump: [^]*ERROR: +(?:could not (?:open|access|read) (?:file|block)|invalid page|missing chunk|unexpected chunk|compressed .* data is corrupt|could not access status of transaction|index .* contains)/,
    damaged
  ],
  [
    /lock timeout|could not obtain lock on relation|lock_not_available|deadlock detected/,
    lockTimeout
  ],
  [
    /cannot drop .* because other objects depend on it/,
    {
      reason: "InUse",
      expected:
        "nothing in the database that depends on what the restore replaces, and is not replaced",
      advice:
        "Drop that first, and make it again afterwards; with CREATEDB the backup is restored into a new database"
    }
  ],
  [
    /must be owner of/,
    {
      reason: "NotPermitted",
      expected: "the user in the URL as the owner of all that the restore replaces",
      advice: "Let its owner hand it over (ALTER ... OWNER TO), or use the URL of that role"
    }
  ],
  [
    /No space left on device|could not extend file/,
    { reason: "DiskFull", expected: "room for what has to be written", advice: "Free some space" }
  ],
  [
    /Disk quota exceeded|File too large/,
    {
      reason: "DiskFull",
      expected: "room for what has to be written",
      advice: "Raise the limit, or choose another place"
    }
  ],
  [
    /server closed the connection|terminating connection|connection to server .* failed|connection to server was lost|could not connect|the database system is|no connection to the server|SSL connection has been closed/,
    {
      reason: "Unreachable",
      expected: "a server that stays up",
      advice: "Try again, once it runs"
    }
  ],
  [
    /unsupported version .* in file header|aborting because of server version mismatch/,
    {
      reason: "ToolTooOld",
      expected: "tools as new as the ones that made the dump",
      advice: "Install a newer postgresql-client"
    }
  ],
  [
    /pg_restore: error: (?:could not (?:read|uncompress|decompress|find|open (?:input|TOC) file|determine)|did not find magic|unexpected|corrupt|input file|invalid|entry ID|expected|found unexpected|bad|failed|found|unsupported|archive items|unrecognized)/,
    {
      reason: "Corrupt",
      expected: "a dump that can be read to its end",
      advice: "Use another backup"
    }
  ],
  [
    /out of shared memory|max_locks_per_transaction/,
    {
      reason: "ToolFailed",
      expected: "room for the locks of one transaction",
      advice: "Raise max_locks_per_transaction of the server, or grant CREATEDB"
    }
  ],
  [
    /role ".*" does not exist/,
    {
      reason: "ToolFailed",
      expected: "the roles that own what is in the dump",
      advice: "Create the role first: roles belong to the server and are in no dump of a database"
    }
  ],
  [
    /permission denied|must be (?:owner|superuser|member|able to SET ROLE)|Must be superuser/,
    permission
  ]
]
