/**
 * Errors of node-postgres, told apart by SQLSTATE, errno and, where there is neither, by text.
 *
 * @internal
 */
import { Predicate } from "effect"
import { DatabaseError, type Reason } from "./DatabaseError.js"

const states: Readonly<Record<string, readonly [Reason, string]>> = {
  "28P01": ["AuthFailed", "password authentication failed"],
  "28000": ["AuthFailed", "authorization refused"],
  "3D000": ["DatabaseMissing", "the database does not exist"],
  "53300": ["TooManyConnections", "too many connections"],
  "57P03": ["StartingUp", "it is starting up, in recovery or shutting down"],
  "57P01": ["Unreachable", "it is shutting down"],
  "57P02": ["Unreachable", "it crashed and restarts"],
  "25006": ["ReadOnly", "read-only transaction"]
}

const network: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection closed",
  ENOENT: "there is no such socket",
  EACCES: "no permission for the socket",
  ETIMEDOUT: "connection timed out",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the host name cannot be looked up now"
}

const texts: ReadonlyArray<readonly [RegExp, Reason, string]> = [
  [/password must be a/, "AuthFailed", "it asks for a password and none is set"],
  [/does not support SSL|SSL connection/, "TlsFailed", "the server does not take TLS"],
  [/terminated|connection error|closed|timeout/i, "Unreachable", "the connection was lost"]
]

export const fromCause = (cause: unknown, address: string): DatabaseError => {
  const [reason, found] = classify(cause)
  return new DatabaseError({ reason, address, found, cause })
}

const classify = (cause: unknown): readonly [Reason, string] => {
  const code = stringOf(cause, "code") ?? ""
  const message = stringOf(cause, "message") ?? ""
  const state = states[code]
  if (state !== undefined) return state
  const failure = network[code]
  if (failure !== undefined) return ["Unreachable", failure]
  // 08xxx are broken connections; every other SQLSTATE is an answer of a server that works.
  if (/^08[0-9A-Z]{3}$/.test(code)) return ["Unreachable", "the connection broke"]
  if (/^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)) return ["QueryFailed", `${code}: ${message}`]
  if (/CERT|SELF_SIGNED|TLS|SSL|UNABLE_TO/.test(code)) return ["TlsFailed", code]
  for (const [pattern, reason, found] of texts) if (pattern.test(message)) return [reason, found]
  return ["QueryFailed", message || "no reason given"]
}

const stringOf = (value: unknown, key: string): string | undefined =>
  Predicate.hasProperty(value, key) && typeof value[key] === "string" ? value[key] : undefined
