/**
 * Whether a server takes writes, by a write that writes nothing: an empty text, set at the beginning of a
 * key that is not there. The server refuses it as it refuses any other write, in its own words. Where it
 * takes it there is no key, no entry in the append-only file, none for a replica, and no event.
 *
 * @internal
 */
import { Effect } from "effect"
import * as Excerpt from "../../Common/Excerpt.js"
import * as Cluster from "./Cluster.js"
import type { RedisClient } from "./RedisClient.js"
import * as RedisError from "./RedisError.js"

type Client = RedisClient["Type"]

/** Why it is not known whether the server takes writes, if it is not. Fails where it takes none. */
export const unknown = (client: Client): Effect.Effect<string | undefined, RedisError.RedisError> =>
  Effect.flatMap(tried(client, name), (answer) => {
    if (answer === "elsewhere") return ofOwn(client)
    return Effect.succeed(answer === "taken" ? undefined : answer.unknown)
  })

/** Of Holter's own: a user needs permission for the keys that begin so. */
const name = "holter:trial"

type Answer = "taken" | "elsewhere" | { readonly unknown: string }

const tried = (client: Client, key: string): Effect.Effect<Answer, RedisError.RedisError> =>
  client.call("SETRANGE", key, "0", "").pipe(
    Effect.as("taken" as const),
    Effect.catchAll((error) => judged(client.address, error))
  )

const judged = (
  address: string,
  error: RedisError.RedisError
): Effect.Effect<Answer, RedisError.RedisError> => {
  const said = RedisError.said(error)
  // What stands under the key, and where in the cluster, is asked after whether writes are taken at all.
  if (/^WRONGTYPE/.test(said)) return Effect.succeed("taken")
  if (/^(?:MOVED|ASK|TRYAGAIN)\b/.test(said)) return Effect.succeed("elsewhere")
  if (error.reason === "AuthFailed") {
    return Effect.succeed({
      unknown: `its user may not write ${name} (grant it with ACL SETUSER <user> +setrange ~${name}*)`
    })
  }
  if (/^ERR unknown command/i.test(said)) {
    return Effect.succeed({ unknown: "it does not know the command SETRANGE" })
  }
  return refusals.has(error.reason) ? refusal(address, error) : Effect.fail(error)
}

const refusals: ReadonlySet<RedisError.Reason> = new Set([
  "ClusterDown",
  "CommandFailed",
  "Loading",
  "ReplicaLinkDown",
  "SaveFailed"
])

/** No more than the beginning of what a server says is its reason. */
const longestWords = 200

/** As an answer to PING too, which some of these states refuse as they refuse a write. */
export const refusal = (
  address: string,
  error: RedisError.RedisError
): Effect.Effect<never, RedisError.RedisError> =>
  refusals.has(error.reason)
    ? Effect.flatMap(
        Excerpt.current(RedisError.said(error), longestWords),
        (found) =>
          new RedisError.RedisError({ reason: "WriteRefused", address, found, cause: error.cause })
      )
    : Effect.fail(error)

/** Another node serves the slot of that key, and says nothing of how this one fares. */
const ofOwn = (client: Client): Effect.Effect<string | undefined, RedisError.RedisError> =>
  client.call("CLUSTER", "NODES").pipe(
    Effect.flatMap((nodes) => {
      const key = Cluster.ownKey(nodes, name)
      if (key === undefined) return Effect.succeed("it serves no slot of its cluster")
      return Effect.map(tried(client, key), (answer) => {
        if (answer === "elsewhere") return "its slots move at this moment"
        return answer === "taken" ? undefined : answer.unknown
      })
    }),
    Effect.catchIf(
      ({ reason }) => reason === "AuthFailed",
      () =>
        Effect.succeed(
          "its user may not run CLUSTER NODES (grant it with ACL SETUSER <user> +cluster|nodes)"
        )
    )
  )
