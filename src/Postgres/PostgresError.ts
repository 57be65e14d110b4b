/**
 * Errors of node-postgres, told apart by SQLSTATE, errno and, where there is neither, by text.
 *
 * @internal
 */
import { Predicate, Schema } from "effect"
import * as Host from "../Common/Host.js"
import { Violation } from "../System/Guard.js"

const Reason = Schema.Literal(
  "Unreachable",
  "AuthFailed",
  "LoginUnsupported",
  "TlsFailed",
  "ProtocolBroken",
  "DatabaseMissing",
  "ReadOnly",
  "StartingUp",
  "NotAccepting",
  "TooManyConnections",
  "AcquireTimedOut",
  "QueryFailed"
)

type Reason = typeof Reason.Type

/** A connection could not be opened, or a query failed. Who uses it says what to do about it. */
export class PostgresError extends Schema.TaggedError<PostgresError>(
  "holter/Postgres/PostgresError"
)("PostgresError", {
  reason: Reason,
  /** `host:port`, or the path of the socket. */
  address: Schema.String,
  /** What was found, in a few words. */
  found: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  /** The SQLSTATE, or the code of the socket's error. */
  get code(): string | undefined {
    return stringOf(this.cause, "code")
  }

  override get message(): string {
    return `${this.address}: ${this.found}`
  }
}

/** What a SQLSTATE means, and what to say of it: without words of ours, the server's own. */
const states: Readonly<Record<string, readonly [Reason, string?]>> = {
  "28P01": ["AuthFailed", "password authentication failed"],
  // The server's words tell the line of pg_hba.conf that is missing.
  "28000": ["AuthFailed"],
  "3D000": ["DatabaseMissing", "the database does not exist"],
  // They tell whose limit it is: the server's, the role's or the database's.
  "53300": ["TooManyConnections"],
  "57P01": ["Unreachable", "it is shutting down"],
  "57P02": ["Unreachable", "it crashed and restarts"],
  "25006": ["ReadOnly", "read-only transaction"]
}

/**
 * One SQLSTATE, 57P03, for a server that comes by itself and for one that goes or stays away. They
 * differ in nothing but the text: one in another language counts as the worse.
 */
const notAccepting: ReadonlyArray<readonly [RegExp, Reason, string]> = [
  [/starting up|not yet accepting/, "StartingUp", "it is starting up"],
  [/recovery mode/, "StartingUp", "it recovers from a crash"],
  [/shutting down/, "NotAccepting", "it is shutting down"]
]

/**
 * A pooler has one SQLSTATE, 08P01, for all that it says. It works then, and what it says is the
 * answer; the text is pgbouncer's.
 */
const pooled: ReadonlyArray<readonly [RegExp, Reason]> = [
  [/no such database|database .* (?:does not exist|is disabled)/i, "DatabaseMissing"],
  [/no such user|auth(?:entication)? failed|login failed|password|not allowed|SASL/i, "AuthFailed"],
  [/max_client_conn|max_db_client|max_user_client|no more connections/i, "TooManyConnections"],
  [/query_wait_timeout|pgbouncer cannot connect|server login|server conn/i, "NotAccepting"],
  [/unsupported startup parameter/i, "QueryFailed"]
]

const texts: ReadonlyArray<readonly [RegExp, Reason, string]> = [
  [/^SASL: Only mechanism/, "LoginUnsupported", "it asks for a login other than SCRAM"],
  [/password must be a/, "AuthFailed", "it asks for a password and none is set"],
  [/does not support SSL|SSL connection/, "TlsFailed", "the server does not take TLS"],
  [/terminated|connection error|closed|timeout/i, "Unreachable", "the connection was lost"]
]

export const fromCause = (cause: unknown, address: string): PostgresError => {
  const [reason, found] = classify(cause)
  return new PostgresError({ reason, address, found, cause })
}

/** Refused before a password was asked for: pg_hba.conf may let in who comes the other way. */
export const isRefusal = (error: PostgresError): boolean => error.code === "28000"

const classify = (cause: unknown): readonly [Reason, string] => {
  if (cause instanceof Violation) {
    return [cause.kind === "Login" ? "LoginUnsupported" : "ProtocolBroken", cause.found]
  }
  const code = stringOf(cause, "code") ?? ""
  const message = stringOf(cause, "message") ?? ""
  if (code === "57P03") return matching(notAccepting, message) ?? ["NotAccepting", message]
  const state = states[code]
  if (state !== undefined) return [state[0], state[1] ?? message]
  const problem = Host.socketProblem(cause)
  if (problem !== undefined) return ["Unreachable", problem]
  const said = code === "08P01" ? pooled.find(([pattern]) => pattern.test(message)) : undefined
  if (said !== undefined) return [said[1], message]
  // 08xxx are broken connections; every other SQLSTATE is an answer of a server that works.
  if (/^08[0-9A-Z]{3}$/.test(code)) return ["Unreachable", "the connection broke"]
  if (/^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)) return ["QueryFailed", `${code}: ${message}`]
  const insecure = Host.tlsProblem(cause)
  if (insecure !== undefined) return ["TlsFailed", insecure]
  return matching(texts, message) ?? ["QueryFailed", message || "no reason given"]
}

const matching = (
  known: ReadonlyArray<readonly [RegExp, Reason, string]>,
  message: string
): readonly [Reason, string] | undefined => {
  const match = known.find(([pattern]) => pattern.test(message))
  return match === undefined ? undefined : [match[1], match[2]]
}

const stringOf = (value: unknown, key: string): string | undefined =>
  Predicate.hasProperty(value, key) && typeof value[key] === "string" ? value[key] : undefined
