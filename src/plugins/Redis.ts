/**
 * Whether a Redis server answers, and how it fares: memory, replication, persistence, by URL with a
 * connection of the check's own, or through the ioredis client of the program that embeds it.
 */
import { Effect, Layer, Schedule, Schema } from "effect"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import * as Excerpt from "../Common/Excerpt.js"
import * as Cluster from "./Redis/Cluster.js"
import * as Info from "./Redis/Info.js"
import {
  type Answers,
  fromIORedis,
  layerClientIORedis,
  layerClientUrl,
  RedisClient
} from "./Redis/RedisClient.js"
import { RedisError } from "./Redis/RedisError.js"
import * as RedisUrl from "./Redis/RedisUrl.js"
import * as Writes from "./Redis/Writes.js"
import * as UrlConfig from "./shared/UrlConfig.js"

export { fromIORedis, layerClientIORedis, layerClientUrl, RedisClient, RedisError }

const Config = Schema.Struct({
  url: Schema.optional(
    ConfigField.secret.annotations({
      description: `the server's URL, needed unless the program brings its own client: ${RedisUrl.supported}`
    })
  ),
  fallback: Schema.optionalWith(Schema.Literal("memory", "none"), {
    default: () => "none" as const
  }).annotations({
    description: "memory: the bot goes on without Redis, which is then degraded"
  }),
  maxMemoryPercent: ConfigField.withDefault(ConfigField.percent, 90).annotations({
    description: "degraded when more of maxmemory is used"
  }),
  writable: Schema.optionalWith(Schema.Boolean, { default: () => false }).annotations({
    description:
      "unhealthy when the server refuses a trial write, which writes nothing; takes permission for SETRANGE"
  }),
  responseTimeout: ConfigField.withDefault(ConfigField.duration, "4 seconds").annotations({
    description: "how long to wait for the connection, and for each answer"
  })
})

type Config = typeof Config.Type

const probe = (config: Config): Effect.Effect<Outcome.Outcome, RedisError, RedisClient> => {
  const judged = Effect.flatMap(RedisClient, (client) =>
    Effect.flatMap(client.ask, (answers) => judge(config, client, answers))
  )
  return config.fallback === "none" ? judged : Effect.mapError(judged, usingFallback)
}

/**
 * PING, memory, replication and persistence. On its own it needs a `url`; embedded, it uses the
 * client of the program (`layerClientIORedis`).
 *
 * @example
 * import { Layer, Redacted } from "effect"
 * import { Redis as Driver } from "ioredis"
 * import { layerClientIORedis, Redis } from "holter/plugins/Redis"
 *
 * const byUrl = Redis.layerStandalone({
 *   url: Redacted.make("redis://:secret@localhost:6379/0"),
 *   fallback: "memory"
 * })
 *
 * const embedded = Redis.layer({}, { name: "cache" }).pipe(
 *   Layer.provide(layerClientIORedis(new Driver()))
 * )
 */
export const Redis = Check.make("redis", {
  description: "Answers PING; memory, replication and persistence of a Redis server",
  label: "Redis",
  config: Config.fields,
  rules: UrlConfig.rule(
    "a Redis URL (in a program with an ioredis client of its own use Redis.layer and layerClientIORedis)",
    RedisUrl.parse
  ),
  error: RedisError,
  statuses: {
    FallbackInUse: "degraded",
    Loading: "degraded",
    SaveFailed: "degraded",
    ReplicaLinkDown: "degraded"
  },
  retry: {
    schedule: Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(1)),
    while: (error) => error.isRetryable
  },
  probe,
  // The URL was read before: a configuration with another one does not come this far.
  services: ({ responseTimeout, url }) =>
    url === undefined
      ? Layer.die(new Error("the url was checked before"))
      : Layer.orDie(layerClientUrl({ url, responseTimeout }))
})

/** The bot works without what cannot be reached; a refused password is a mistake all the same. */
const usingFallback = (error: RedisError): RedisError =>
  error.reason === "Unreachable" || error.reason === "TimedOut" || error.reason === "TooManyClients"
    ? new RedisError({
        reason: "FallbackInUse",
        address: error.address,
        found: error.found,
        details: { fallback: "memory", unavailable: error.message },
        cause: error.cause
      })
    : error

const judge = (
  config: Config,
  client: RedisClient["Type"],
  { info, ping }: Answers
): Effect.Effect<Outcome.Outcome, RedisError> => {
  const facts = typeof info === "string" ? Info.parse(info) : undefined
  const details: Outcome.Details =
    facts === undefined
      ? { info: typeof info === "string" ? "none" : `refused (${info.found})` }
      : Info.details(facts)
  const limits =
    ping === "PONG" ? asked(config, client, facts) : notAlive(config, client.address, ping)
  return Effect.mapBoth(limits, {
    onFailure: ({ address, cause, found, reason }) =>
      new RedisError({ reason, address, found, details, cause }),
    onSuccess: (more) => {
      const own = facts === undefined ? [] : Info.warnings(facts, config.maxMemoryPercent)
      const warnings = [...more, ...own]
      const options = {
        details,
        note: facts === undefined ? undefined : `version ${facts.version}`
      }
      return warnings.length === 0
        ? Outcome.healthy("Redis connection OK", options)
        : Outcome.degraded(`Redis answers, but ${warnings.join("; ")}`, options)
    }
  })
}

type Warnings = ReadonlyArray<string>

const none: Effect.Effect<Warnings> = Effect.succeed([])

/** What only more questions tell. Most servers are asked none. */
const asked = (
  config: Config,
  client: RedisClient["Type"],
  facts: Info.Info | undefined
): Effect.Effect<Warnings, RedisError> => {
  const isInCluster = facts?.mode === "cluster"
  if (!config.writable && !isInCluster) return none
  return Effect.zipWith(
    config.writable ? unknownWrites(client, facts) : none,
    isInCluster ? unserved(client) : none,
    (writes, slots) => [...writes, ...slots]
  )
}

/** The longest part of a wrong answer that a message shows. */
const longestAnswer = 60

const notAlive = (
  config: Config,
  address: string,
  ping: Answers["ping"]
): Effect.Effect<never, RedisError> => {
  if (typeof ping !== "string") {
    return config.writable ? Writes.refusal(address, ping) : Effect.fail(ping)
  }
  return Effect.flatMap(
    Excerpt.current(ping, longestAnswer),
    (answer) =>
      new RedisError({
        reason: "ProtocolBroken",
        address,
        found: `"${answer}" in reply to PING, where PONG is right`
      })
  )
}

const unknownWrites = (
  client: RedisClient["Type"],
  facts: Info.Info | undefined
): Effect.Effect<Warnings, RedisError> => {
  const { address } = client
  if (facts?.mode === "sentinel") {
    const found = "it is a Sentinel, which keeps no data"
    return new RedisError({ reason: "WriteRefused", address, found })
  }
  // In a cluster a replica sends a write elsewhere, and does not refuse it.
  if (facts?.readOnly === true) {
    return new RedisError({ reason: "ReadOnly", address, found: "a read-only replica" })
  }
  return Effect.map(Writes.unknown(client), (why) =>
    why === undefined ? [] : [`it is not known whether it takes writes: ${why}`]
  )
}

/** A node of a cluster answers PING whatever the others do. */
const unserved = (client: RedisClient["Type"]): Effect.Effect<Warnings, RedisError> =>
  client.call("CLUSTER", "INFO").pipe(
    Effect.flatMap((info) => {
      const { isDown, unserved } = Cluster.state(info)
      if (isDown) {
        const found = `cluster_state is fail; ${unserved} of 16384 slots are not served`
        return new RedisError({ reason: "ClusterDown", address: client.address, found })
      }
      return Effect.succeed(
        unserved > 0 ? [`${unserved} of 16384 slots of its cluster are not served`] : []
      )
    }),
    // Not everyone may ask, and a proxy may know no clusters.
    Effect.catchIf(
      ({ reason }) => reason === "AuthFailed" || reason === "CommandFailed",
      () => Effect.succeed([])
    )
  )
