/**
 * Whether a Redis server answers, and how it fares: memory, replication, persistence, by URL with a
 * connection of the check's own, or through the ioredis client of the program that embeds it.
 *
 * @since 0.1.0
 */
import { Effect, Layer, Schedule, Schema } from "effect"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Check/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import * as Text from "../Common/Text.js"
import * as Info from "./Redis/Info.js"
import {
  type Answers,
  fromIORedis,
  layerIORedis,
  layerUrl,
  RedisClient
} from "./Redis/RedisClient.js"
import { RedisError } from "./Redis/RedisError.js"
import * as RedisUrl from "./Redis/RedisUrl.js"
import * as UrlConfig from "./shared/UrlConfig.js"

export { fromIORedis, layerIORedis, layerUrl, RedisClient, RedisError }

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
    description: "unhealthy when the server is a read-only replica, which takes permission for INFO"
  }),
  responseTimeout: ConfigField.withDefault(ConfigField.duration, "4 seconds").annotations({
    description: "how long to wait for the connection, and for each answer"
  })
})

type Config = typeof Config.Type

const probe = (config: Config): Effect.Effect<Outcome.Outcome, RedisError, RedisClient> =>
  Effect.flatMap(RedisClient, ({ address, ask }) =>
    Effect.flatMap(
      config.fallback === "none" ? ask : Effect.mapError(ask, usingFallback),
      (answers) => judge(config, address, answers)
    )
  )

/**
 * PING, memory, replication and persistence. On its own it needs a `url`; embedded, it uses the
 * client of the program (`layerIORedis`).
 *
 * @since 0.1.0
 * @category checks
 * @example
 * import { Layer, Redacted } from "effect"
 * import { Redis as Driver } from "ioredis"
 * import { layerIORedis, Redis } from "holter/plugins/Redis"
 *
 * const byUrl = Redis.layerStandalone({
 *   url: Redacted.make("redis://:secret@localhost:6379/0"),
 *   fallback: "memory"
 * })
 *
 * const embedded = Redis.layer({}, { name: "cache" }).pipe(
 *   Layer.provide(layerIORedis(new Driver()))
 * )
 */
export const Redis = Check.make("redis", {
  description: "Answers PING; memory, replication and persistence of a Redis server",
  label: "Redis",
  config: Config.fields,
  rules: UrlConfig.rule(
    "a Redis URL (in a program with an ioredis client of its own use Redis.layer and layerIORedis)",
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
      : Layer.orDie(layerUrl({ url, responseTimeout }))
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
  address: string,
  { info, ping }: Answers
): Effect.Effect<Outcome.Outcome, RedisError> => {
  const facts = typeof info === "string" ? Info.parse(info) : undefined
  const details: Outcome.Details =
    facts === undefined
      ? { info: typeof info === "string" ? "none" : `refused (${info.found})` }
      : Info.details(facts)
  if (typeof ping !== "string") {
    return new RedisError({
      reason: ping.reason,
      address,
      found: ping.found,
      details,
      cause: ping.cause
    })
  }
  if (ping !== "PONG") {
    return new RedisError({
      reason: "ProtocolBroken",
      address,
      found: `"${Text.clip(ping, 60)}" in reply to PING, where PONG is right`,
      details
    })
  }
  if (config.writable && facts?.readOnly === true) {
    return new RedisError({ reason: "ReadOnly", address, found: "a read-only replica", details })
  }
  const warnings = [
    ...(config.writable ? unknownRole(info, facts) : []),
    ...(facts === undefined ? [] : Info.warnings(facts, config.maxMemoryPercent))
  ]
  const options = { details, note: facts === undefined ? undefined : `version ${facts.version}` }
  return Effect.succeed(
    warnings.length === 0
      ? Outcome.healthy("Redis connection OK", options)
      : Outcome.degraded(`Redis answers, but ${warnings.join("; ")}`, options)
  )
}

/** Only INFO tells a replica from a primary without writing anything. */
const unknownRole = (
  info: Answers["info"],
  facts: Info.Info | undefined
): ReadonlyArray<string> => {
  if (facts !== undefined && facts.role !== "") return []
  const unknown = "nobody can tell whether it takes writes"
  if (typeof info === "string") return [`${unknown}: INFO does not tell its role`]
  return info.reason === "AuthFailed"
    ? [`${unknown}: its user may not run INFO (grant it with ACL SETUSER <user> +info)`]
    : [`${unknown}: INFO failed (${info.found})`]
}
