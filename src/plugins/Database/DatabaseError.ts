/** What can go wrong between a check and its database, the same for every kind of database. */
import { Predicate, Schema } from "effect"

export const Reason = Schema.Literal(
  "Unreachable",
  "AuthFailed",
  "LoginUnsupported",
  "TlsFailed",
  "ProtocolBroken",
  "DatabaseMissing",
  "FileMissing",
  "NotADatabase",
  "Corrupt",
  "Locked",
  "ReadOnly",
  "StartingUp",
  "NotAccepting",
  "TooManyConnections",
  "AcquireTimedOut",
  "QueryFailed",
  "Unsupported"
)

export type Reason = typeof Reason.Type

export class DatabaseError extends Schema.TaggedError<DatabaseError>(
  "holter/plugins/Database/DatabaseError"
)("DatabaseError", {
  reason: Reason,
  /** Where the database is: `host:port` or a path. */
  address: Schema.String,
  /** What was found, in a few words. */
  found: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  /** A server that was restarted between two beats answers the next connection. */
  get isRetryable(): boolean {
    return this.reason === "Unreachable"
  }

  override get message(): string {
    const next = (this.isOfPooler ? poolerAdvice[this.reason] : undefined) ?? advice[this.reason]
    return `${sentences[this.reason](this.address)} (${this.found}). ${next}`
  }

  /** PostgreSQL says it only of a broken protocol, a pooler of all that it refuses. */
  private get isOfPooler(): boolean {
    return Predicate.hasProperty(this.cause, "code") && this.cause.code === "08P01"
  }
}

const sentences: Readonly<Record<Reason, (address: string) => string>> = {
  Unreachable: (address) => `Cannot reach the database at ${address}`,
  AuthFailed: (address) => `The database at ${address} refused the credentials`,
  LoginUnsupported: (address) => `The database at ${address} does not take a password`,
  TlsFailed: (address) => `No secure connection to the database at ${address}`,
  ProtocolBroken: (address) => `The server at ${address} breaks the rules of PostgreSQL's protocol`,
  DatabaseMissing: (address) => `The server at ${address} has no such database`,
  FileMissing: (address) => `The database file ${address} is missing`,
  NotADatabase: (address) => `${address} is not a SQLite database`,
  Corrupt: (address) => `The database ${address} is damaged`,
  Locked: (address) => `The database ${address} stays locked by another process`,
  ReadOnly: (address) => `The database at ${address} is read-only where it must take writes`,
  StartingUp: (address) => `The database at ${address} takes no connections yet`,
  NotAccepting: (address) => `The database at ${address} takes no connections`,
  TooManyConnections: (address) => `The database at ${address} has no connection left`,
  AcquireTimedOut: (address) => `No connection to the database at ${address} in time`,
  QueryFailed: (address) => `The database at ${address} failed to answer a query`,
  Unsupported: (address) => `The database at ${address} cannot be checked`
}

const advice: Readonly<Record<Reason, string>> = {
  Unreachable: "Check that it runs, and the host and port in the URL.",
  AuthFailed: "Check the user and the password in the URL, and pg_hba.conf.",
  LoginUnsupported:
    "Give this user and address a line with scram-sha-256 in pg_hba.conf, before the present one.",
  TlsFailed: "Check sslmode and the certificates.",
  ProtocolBroken: "Check the host and port in the URL, and what stands between: is it PostgreSQL?",
  DatabaseMissing: "Check the database's name in the URL.",
  FileMissing: "Check the path; a relative one starts in the working directory.",
  NotADatabase: "Check the path; only its own program can check an encrypted file.",
  Corrupt: "Restore a backup.",
  Locked: "Look for a process that left a transaction open.",
  ReadOnly: "Look for a standby, a full disk, or a file without write permission.",
  StartingUp: "Wait until it has started or recovered.",
  NotAccepting: "Start it again, or look into its log for why it does not.",
  TooManyConnections: "Close idle connections or raise the limit (max_connections).",
  AcquireTimedOut: "Look for a server that hangs, or for an exhausted pool.",
  QueryFailed: "Look into the database's log.",
  Unsupported: "Use SQLite or PostgreSQL."
}

const poolerAdvice: Partial<Record<Reason, string>> = {
  AuthFailed: "Check the user and the password in the URL, and the pooler's auth_file.",
  DatabaseMissing: "Check the database's name in the URL, and in the pooler's configuration.",
  NotAccepting:
    "The pooler has no free connection to PostgreSQL: look whether that runs, and for its pool_size.",
  TooManyConnections: "Close idle connections or raise the pooler's limit (max_client_conn).",
  QueryFailed:
    "Take the parameter out of the URL, or name it in the pooler's ignore_startup_parameters."
}
