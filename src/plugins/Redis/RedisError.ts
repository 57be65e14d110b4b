/** What can go wrong between a check and a Redis server, told apart by the server's own words. */
import { Predicate, Schema } from "effect"
import { Details } from "../shared/ErrorFields.js"
import * as Host from "../../Common/Host.js"
import { Violation } from "../../System/Guard.js"

export const Reason = Schema.Literal(
  "Unreachable",
  "TimedOut",
  "FallbackInUse",
  "AuthFailed",
  "TlsFailed",
  "ProtocolBroken",
  "Loading",
  "SaveFailed",
  "ReplicaLinkDown",
  "TooManyClients",
  "ReadOnly",
  "WriteRefused",
  "ClusterDown",
  "CommandFailed"
)

export type Reason = typeof Reason.Type

export class RedisError extends Schema.TaggedError<RedisError>("holter/plugins/Redis/RedisError")(
  "RedisError",
  {
    reason: Reason,
    address: Schema.String,
    /** What was found, in a few words. */
    found: Schema.String,
    details: Schema.optional(Details),
    cause: Schema.optional(Schema.Defect)
  }
) {
  /** A lost connection is worth a second attempt; a refused password locks accounts. */
  get isRetryable(): boolean {
    return this.reason === "Unreachable" || (this.reason === "FallbackInUse" && !this.hung)
  }

  private get hung(): boolean {
    return this.found === hung
  }

  override get message(): string {
    return sentences[this.reason](this.address, this.found)
  }
}

/** @internal */
export const hung = "no answer in time"

const clusterRemedy = " Start the nodes that CLUSTER NODES shows as failed."

/** By the first word of what the server said. */
const remedies: ReadonlyArray<readonly [RegExp, string]> = [
  [/^OOM/, " Free memory, raise maxmemory, or set a maxmemory-policy that gives up keys."],
  [/^NOREPLICAS/, " Bring its replicas back, or lower min-replicas-to-write."],
  [/^MISCONF/, " Look for a full disk, then run BGSAVE."],
  [/^CLUSTERDOWN/, clusterRemedy],
  [/^LOADING/, " Wait until it has loaded its data."],
  [/^MASTERDOWN/, " Use the primary."],
  [/Sentinel/, " Use the URL of the primary: SENTINEL GET-MASTER-ADDR-BY-NAME tells it."]
]

const sentences: Readonly<Record<Reason, (address: string, found: string) => string>> = {
  Unreachable: (address, found) =>
    `Cannot reach Redis at ${address} (${found}). Check that it runs, and the host and port in the URL.`,
  TimedOut: (address, found) => `Redis at ${address} hangs (${found}).`,
  FallbackInUse: () => "Redis unavailable, using memory cache",
  AuthFailed: (address, found) =>
    `Redis at ${address} refused the credentials (${found}). Check the user and the password in the URL, and the server's ACL.`,
  TlsFailed: (address, found) =>
    `No secure connection to Redis at ${address} (${found}). Check rediss:// and the certificates.`,
  ProtocolBroken: (address, found) =>
    `The server at ${address} does not answer as Redis does (${found}). Check the host and port in the URL, and a proxy between.`,
  Loading: (address) => `Redis at ${address} is loading its data. Wait until it has.`,
  SaveFailed: (address) =>
    `Redis at ${address} takes no writes since its last save failed. Look for a full disk.`,
  ReplicaLinkDown: (address) => `Redis at ${address} is a replica that lost its primary.`,
  TooManyClients: (address) =>
    `Redis at ${address} has no connection left. Close idle clients or raise maxclients.`,
  ReadOnly: (address) =>
    `Redis at ${address} is a read-only replica where it must take writes. Use the primary.`,
  WriteRefused: (address, found) =>
    `Redis at ${address} takes no writes (${found}).${remedies.find(([said]) => said.test(found))?.[1] ?? ""}`,
  ClusterDown: (address, found) =>
    `The Redis cluster of ${address} is down (${found}).${clusterRemedy}`,
  CommandFailed: (address, found) => `Redis at ${address} failed to answer (${found}).`
}

const replies: ReadonlyArray<readonly [RegExp, Reason, string]> = [
  [/^NOAUTH/, "AuthFailed", "a password is needed"],
  [/^WRONGPASS|^ERR invalid password/, "AuthFailed", "wrong user or password"],
  [/^NOPERM/, "AuthFailed", "no permission for a command"],
  [/^DENIED/, "AuthFailed", "protected mode"],
  [/^LOADING/, "Loading", "loading"],
  [/^MISCONF/, "SaveFailed", "the last save failed"],
  [/^MASTERDOWN/, "ReplicaLinkDown", "the link to the primary is down"],
  [/^READONLY/, "ReadOnly", "read-only replica"],
  [/^CLUSTERDOWN/, "ClusterDown", "CLUSTERDOWN"],
  [/max number of clients/, "TooManyClients", "too many clients"],
  [/^Command timed out/, "TimedOut", hung],
  [/^connect ETIMEDOUT/, "Unreachable", "connection timed out"],
  [/closed|ended|aborted|retries|writeable/i, "Unreachable", "the connection was lost"]
]

/**
 * What the server itself said, where it answered.
 *
 * @internal
 */
export const said = (error: RedisError): string =>
  Predicate.hasProperty(error.cause, "message") && typeof error.cause.message === "string"
    ? error.cause.message
    : error.found

/** @internal */
export const fromCause = (cause: unknown, address: string): RedisError => {
  const [reason, found] = classify(cause)
  return new RedisError({ reason, address, found, cause })
}

const classify = (cause: unknown): readonly [Reason, string] => {
  if (cause instanceof Violation && cause.kind !== "Refusal") return ["ProtocolBroken", cause.found]
  const message =
    Predicate.hasProperty(cause, "message") && typeof cause.message === "string"
      ? cause.message
      : ""
  const problem = Host.socketProblem(cause)
  if (problem !== undefined) return ["Unreachable", problem]
  const insecure = Host.tlsProblem(cause)
  if (insecure !== undefined) return ["TlsFailed", insecure]
  for (const [pattern, reason, found] of replies) if (pattern.test(message)) return [reason, found]
  return ["CommandFailed", message || "no reason given"]
}
