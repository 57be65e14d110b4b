/**
 * Whether a DNS record can be resolved and is what it should be. It asks name servers only: neither
 * /etc/hosts nor search domains nor a cache of this process play a part.
 *
 * @since 0.1.0
 */
import { Duration, Effect, Layer, Schema } from "effect"
import { Resolver } from "node:dns/promises"
import { isIP } from "node:net"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Check/ConfigField.js"
import { monotonicMillis } from "../Check/Deadlines.js"
import * as Outcome from "../Check/Outcome.js"
import { matches, RecordType, resolve } from "./Dns/records.js"
import { Details } from "./shared/ErrorFields.js"
import * as Figures from "./shared/Figures.js"
import { codeOf, host } from "../Common/Host.js"

/**
 * @since 0.1.0
 * @category errors
 */
export class DnsError extends Schema.TaggedError<DnsError>("holter/plugins/Dns/DnsError")(
  "DnsError",
  {
    reason: Schema.Literal("NotFound", "ServerFailed", "TimedOut", "Unexpected"),
    /** Type and name, such as `MX example.com`. */
    record: Schema.String,
    /** The servers that were asked. */
    servers: Schema.Array(Schema.String),
    missing: Schema.optional(Schema.Array(Schema.String)),
    found: Schema.optional(Schema.Array(Schema.String)),
    /** What the resolver calls it, such as `ESERVFAIL`. */
    code: Schema.optional(Schema.String),
    details: Schema.optional(Details),
    cause: Schema.optional(Schema.Defect)
  }
) {
  get isRetryable(): boolean {
    return this.reason === "ServerFailed" || this.reason === "TimedOut"
  }

  override get message(): string {
    const what = `DNS record ${this.record}`
    const servers = this.servers.join(", ") || "no server"
    switch (this.reason) {
      case "NotFound":
        return `${what} does not exist, says ${servers}. Check the name and the zone.`
      case "ServerFailed":
        return `${what} cannot be resolved: ${servers} failed (${this.code ?? "no code"}). Look at the name server.`
      case "TimedOut":
        return `${what} cannot be resolved: no answer from ${servers}. Look at the name server and the firewall.`
      case "Unexpected":
        return `${what} should contain ${list(this.missing)} and is ${list(this.found)}. Correct the zone, or \`expect\`.`
    }
  }
}

const list = (values: ReadonlyArray<string> | undefined): string =>
  (values ?? []).map((value) => JSON.stringify(value)).join(", ")

const Server = Schema.String.pipe(
  Schema.filter(
    (text) => {
      const [, bracketed, plain] =
        /^(?:\[([^\]]+)\](?::\d{1,5})?|([^:[\]]+)(?::\d{1,5})?)$/.exec(text) ?? []
      return isIP(bracketed ?? plain ?? text) > 0
    },
    {
      description:
        'the IP address of a name server, such as "1.1.1.1", "10.0.0.2:5353" or "[::1]:53"'
    }
  )
)

const Config = Schema.Struct({
  name: host.annotations({ description: "the name to resolve, such as example.com" }),
  recordType: ConfigField.withDefault(
    RecordType.annotations({ description: "A, AAAA, CNAME, MX, TXT, NS or SRV" }),
    "A"
  ),
  servers: Schema.optional(
    Schema.NonEmptyArray(Server).annotations({
      description: "name servers to ask, by IP address; those of the system when not set"
    })
  ),
  expect: Schema.optional(
    Schema.NonEmptyArray(Schema.NonEmptyString).annotations({
      description: 'values that must be among the records, such as "10 mail.example.com" for MX'
    })
  ),
  queryTimeout: ConfigField.withDefault(
    ConfigField.duration.annotations({
      description: "how long to wait for a server before the second and last try"
    }),
    "2 seconds"
  ),
  slow: Schema.optional(
    ConfigField.duration.annotations({
      description: 'degraded when resolving takes longer, such as "500 millis"'
    })
  )
})

type Config = typeof Config.Type

const probe = (config: Config): Effect.Effect<Outcome.Outcome, DnsError> =>
  Effect.clockWith((clock) =>
    Effect.gen(function* () {
      const startedAt = monotonicMillis(clock)
      const { records, servers } = yield* lookUp(config)
      const millis = Figures.rounded(monotonicMillis(clock) - startedAt)
      return yield* judge(config, { records, servers, millis })
    })
  )

/**
 * @since 0.1.0
 * @category checks
 */
export const Dns = Check.make("dns", {
  description: "A DNS record can be resolved and has the expected values",
  label: "DNS record",
  config: Config.fields,
  error: DnsError,
  probe,
  services: () => Layer.empty
})

interface Answer {
  readonly records: ReadonlyArray<string>
  readonly servers: ReadonlyArray<string>
  readonly millis: number
}

const lookUp = (config: Config): Effect.Effect<Omit<Answer, "millis">, DnsError> =>
  Effect.gen(function* () {
    const { resolver, servers } = yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          const timeout = Duration.toMillis(config.queryTimeout)
          const made = new Resolver({ timeout: Math.max(1, Math.round(timeout)), tries: 2 })
          if (config.servers !== undefined) made.setServers(config.servers)
          return { resolver: made, servers: made.getServers() }
        },
        catch: (cause) => failure(config, config.servers ?? [], cause)
      }),
      // What is still on its way would hold the process open.
      ({ resolver }) => Effect.sync(() => resolver.cancel())
    )
    const records = yield* Effect.tryPromise({
      try: () => resolve(resolver, config.name, config.recordType),
      catch: (cause) => failure(config, servers, cause)
    })
    return { records, servers }
  }).pipe(Effect.scoped)

const recordOf = (config: Config): string => `${config.recordType} ${config.name}`

const failure = (config: Config, servers: ReadonlyArray<string>, cause: unknown): DnsError => {
  const code = codeOf(cause)
  return new DnsError({ reason: reasonOf(code), record: recordOf(config), servers, code, cause })
}

const reasonOf = (code: string | undefined): DnsError["reason"] =>
  reasons[code ?? ""] ?? "ServerFailed"

const reasons: Readonly<Record<string, DnsError["reason"] | undefined>> = {
  ENOTFOUND: "NotFound",
  ENODATA: "NotFound",
  EBADNAME: "NotFound",
  ETIMEOUT: "TimedOut"
}

const judge = (config: Config, answer: Answer): Effect.Effect<Outcome.Outcome, DnsError> => {
  const { millis, records, servers } = answer
  const record = recordOf(config)
  const details = {
    name: config.name,
    type: config.recordType,
    records,
    resolve_ms: millis,
    servers
  }
  const missing = (config.expect ?? []).filter(
    (expected) => !records.some((found) => matches(config.recordType, found, expected))
  )
  if (missing.length > 0) {
    return new DnsError({ reason: "Unexpected", record, servers, missing, found: records, details })
  }
  const limit = config.slow === undefined ? undefined : Duration.decode(config.slow)
  return Effect.succeed(
    limit !== undefined && millis > Duration.toMillis(limit)
      ? Outcome.degraded(
          `DNS record ${record} is slow to resolve: ${millis} ms, more than ${Duration.format(limit)}`,
          { details }
        )
      : Outcome.healthy(`DNS record ${record} is ${shown(records)}`, { details })
  )
}

const shown = (records: ReadonlyArray<string>): string => {
  const [first = "empty", ...more] = records
  return more.length === 0 ? first : `${first} and ${more.length} more`
}
