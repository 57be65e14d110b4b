/**
 * Whether a DNS record can be resolved and is what it should be. It asks name servers only: neither
 * /etc/hosts nor search domains nor a cache of this process play a part.
 */
import { Duration, Effect, Layer, Schema } from "effect"
import { getServers } from "node:dns"
import { isIP } from "node:net"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import { monotonicMillis } from "../Check/Deadlines.js"
import * as Outcome from "../Check/Outcome.js"
import { matches, RecordType, resolve } from "./Dns/records.js"
import { Details } from "./shared/ErrorFields.js"
import * as Figures from "./shared/Figures.js"
import { codeOf } from "../Common/Errors.js"
import { ascii, host } from "../Common/Host.js"
import * as NameServers from "../System/NameServers.js"

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
    /** What servers said that gave no answer. */
    refusals: Schema.optional(
      Schema.Array(Schema.Struct({ server: Schema.String, said: Schema.String }))
    ),
    /** What the first of them said, such as `SERVFAIL`. */
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
        return `${what} does not exist, says ${servers}${this.before}. Check the name and the zone.`
      case "ServerFailed":
        return `${what} cannot be resolved: ${NameServers.told(this.refusals ?? [])}. Look at the name server.`
      case "TimedOut":
        return `${what} cannot be resolved: no answer from ${servers}. Look at the name server and the firewall.`
      case "Unexpected":
        return `${what} should contain ${list(this.missing)} and is ${list(this.found)}, says ${servers}${this.before}. Correct the zone, or \`expect\`.`
    }
  }

  private get before(): string {
    return after(this.refusals ?? [])
  }
}

/** Who was asked before, and why that was not enough. */
const after = (refusals: ReadonlyArray<NameServers.Refusal>): string =>
  refusals.length === 0 ? "" : ` (${NameServers.told(refusals)})`

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
      description:
        "how long to wait for a server before the next one is asked, or a single one again"
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
      const answer = yield* lookUp(config)
      const millis = Figures.rounded(monotonicMillis(clock) - startedAt)
      return yield* judge(config, { ...answer, millis })
    })
  )

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
  /** The one that answered. */
  readonly servers: ReadonlyArray<string>
  /** What those said that were asked before. */
  readonly refusals: ReadonlyArray<NameServers.Refusal>
  readonly millis: number
}

/**
 * One server after the other, each once, and a single one twice. That there is no such record is an
 * answer; a server that fails, refuses or says nothing leaves it to the next.
 */
const lookUp = (config: Config): Effect.Effect<Omit<Answer, "millis">, DnsError> =>
  Effect.gen(function* () {
    const servers = config.servers ?? getServers()
    const timeout = Duration.decode(config.queryTimeout)
    const options = { servers, rounds: servers.length > 1 ? 1 : 2, timeout, step: timeout }
    const name = ascii(config.name)
    const answer = yield* NameServers.ask(options, (resolver) =>
      resolve(resolver, name, config.recordType).pipe(
        Effect.map((records) => ({ records, denial: undefined })),
        Effect.catchIf(NameServers.isDenial, (denial) => Effect.succeed({ records: [], denial }))
      )
    ).pipe(Effect.mapError(({ refusals }) => unanswered(config, servers, refusals)))
    const { refusals, server, value } = answer
    if (value.denial !== undefined) return yield* denied(config, server, refusals, value.denial)
    return { records: value.records, servers: [server], refusals }
  })

const recordOf = (config: Config): string => `${config.recordType} ${config.name}`

const denied = (
  config: Config,
  server: string,
  refusals: ReadonlyArray<NameServers.Refusal>,
  cause: unknown
): DnsError =>
  new DnsError({
    reason: "NotFound",
    record: recordOf(config),
    servers: [server],
    refusals,
    code: codeOf(cause),
    cause
  })

const unanswered = (
  config: Config,
  servers: ReadonlyArray<string>,
  refusals: ReadonlyArray<NameServers.Refusal>
): DnsError =>
  new DnsError({
    reason: refusals.some(({ said }) => said !== NameServers.silence) ? "ServerFailed" : "TimedOut",
    record: recordOf(config),
    servers,
    refusals,
    code: refusals[0]?.said
  })

const judge = (config: Config, answer: Answer): Effect.Effect<Outcome.Outcome, DnsError> => {
  const { millis, records, refusals, servers } = answer
  const record = recordOf(config)
  const details = {
    name: config.name,
    type: config.recordType,
    records,
    resolve_ms: millis,
    servers,
    ...(refusals.length === 0 ? {} : { unanswered: NameServers.told(refusals) })
  }
  const missing = (config.expect ?? []).filter(
    (expected) => !records.some((found) => matches(config.recordType, found, expected))
  )
  if (missing.length > 0) {
    return new DnsError({
      reason: "Unexpected",
      record,
      servers,
      refusals,
      missing,
      found: records,
      details
    })
  }
  const limit = config.slow === undefined ? undefined : Duration.decode(config.slow)
  return Effect.succeed(
    limit !== undefined && millis > Duration.toMillis(limit)
      ? Outcome.degraded(
          `DNS record ${record} is slow to resolve: ${millis} ms, more than ${Duration.format(limit)}`,
          { details }
        )
      : Outcome.healthy(`DNS record ${record} is ${shown(records)}${after(refusals)}`, { details })
  )
}

const shown = (records: ReadonlyArray<string>): string => {
  const [first = "empty", ...more] = records
  return more.length === 0 ? first : `${first} and ${more.length} more`
}
