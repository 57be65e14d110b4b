/**
 * Whatever is wrong in a configuration is told in one go: each fault alone is told at its path, and any
 * two of them together are told as each alone would be, nothing less and nothing more.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as WatchSettings from "../../src/Cli/Watch/WatchSettings.js"
import { within } from "./inMemory.js"

type Json = { [key: string]: unknown }

/** A configuration with everything in it, and nothing wrong. */
const sound = (): Json => ({
  name: "DMarket Bot",
  heartbeat: { interval: "30 seconds", timeout: "5 seconds", failureThreshold: 3 },
  checks: {
    gateway: { type: "tcp", host: "h", port: 1 },
    website: { type: "http", url: "https://example.com", dependsOn: ["gateway"] },
    disk: { type: "disk" },
    memory: { type: "memory", interval: "1 minute" }
  },
  alerts: {
    channels: {
      ops: { type: "telegram", token: "123456789:AAH-s3cr3t-canary", chatId: 5 },
      hook: { type: "webhook", url: "https://example.com/in" },
      page: { type: "command", command: ["/bin/true"] }
    },
    routes: [
      { severity: "unhealthy", to: ["ops"], fallback: "hook" },
      { severity: "unhealthy", to: ["page"] },
      { severity: "degraded", to: ["log"] }
    ],
    maintenance: [
      { name: "nightly", schedule: "0 3 * * *", duration: "1 hour", services: ["gateway"] },
      { name: "move", from: "2026-05-01T22:00:00Z", until: "2026-05-01T23:00:00Z" },
      { name: "weekly", schedule: "0 4 * * 0", timeZone: "Europe/Berlin", duration: "1 hour" }
    ],
    limits: { reminders: ["15 minutes"], cap: { messages: 10 }, staleAfter: 3 },
    deadMan: { url: "https://hc-ping.com/canary", interval: "1 minute" }
  },
  backup: { url: "sqlite:////var/bot.db", keep: 7, schedule: "0 3 * * *" },
  journal: { url: "sqlite:////var/journal.db", retain: "30 days" },
  shutdown: { grace: "30 seconds", lameDuck: "0 seconds" },
  plugins: []
})

interface Fault {
  /** What is wrong: where in the file, and the value there; the last word wins where two meet. */
  readonly at?: string
  readonly is?: unknown
  readonly env?: Readonly<Record<string, string>>
  /** The paths of what is told. */
  readonly told: ReadonlyArray<string>
  /** What nobody can know as long as this is wrong. */
  readonly hides?: RegExp
}

const at = (where: string, is: unknown, ...told: ReadonlyArray<string>): Fault => ({
  at: where,
  is,
  told: told.length === 0 ? [where] : told
})

const faults: ReadonlyArray<Fault> = [
  at("nmae", "Bot"),
  at("name", 5),
  at("heartbeat.interval", "soon"),
  at("heartbeat.timeout", "0 seconds"),
  at("heartbeat.failureThreshold", 0),
  at("heartbeat.intervall", "1 minute"),
  at("heartbeat.timeout", "40 seconds", "heartbeat.interval"),
  at("heartbeat", ["interval"]),
  at("checks.gateway.port", 0),
  at("checks.gateway.prot", 1),
  at("checks.gateway.failureThreshold", 0),
  at(
    "checks.gateway",
    { type: "tcp", host: "h", port: 1, interval: "2 seconds", timeout: "3 seconds" },
    "checks.gateway.interval"
  ),
  // Which fields there are is known by the type.
  { ...at("checks.gateway.type", "tpc"), hides: /^checks\.gateway\.pr?o?r?o?t$/ },
  at("checks.gateway", "tcp"),
  at(
    "checks.website",
    { type: "http", url: "nope", dependsOn: ["nobody"] },
    "checks.website.url",
    "checks.website.dependsOn.0"
  ),
  at("checks.website.dependsOn", ["website"]),
  at("checks.website.type", 5, "checks.website"),
  at("checks.disk", { path: "/" }),
  at("checks.memory.interval", "soon"),
  at("alerts.chanels", {}),
  { ...at("alerts.channels", ["ops"]), hides: /^alerts\.routes\.\d\.(fallback|to\.2)$/ },
  at("alerts.channels.ops.token", "canary-no-token"),
  at("alerts.channels.ops.sielnt", true),
  at("alerts.channels.hook", { url: "https://example.com" }),
  at("alerts.channels.hook.grouped", "no"),
  at("alerts.channels.page.type", "fax"),
  at(
    "alerts.channels.log",
    { type: "webhook", url: "https://example.com" },
    "alerts.channels.log.type"
  ),
  at("alerts.routes", "ops"),
  at("alerts.routes.0.severity", "bad"),
  at("alerts.routes.0.fallback", "nobody"),
  at("alerts.routes.1.to", ["page", 5, "noone"], "alerts.routes.1.to.1", "alerts.routes.1.to.2"),
  at("alerts.routes.2.to", []),
  at("alerts.maintenance.0.schedule", "0 25 * * *"),
  at("alerts.maintenance.0.services", ["nobody"], "alerts.maintenance.0.services.0"),
  at("alerts.maintenance.0.duration", 5),
  at("alerts.maintenance.1", "move"),
  at("alerts.maintenance.1.until", "2026-05-01T21:00:00Z"),
  at("alerts.maintenance.2.timeZone", "Europe/Atlantis"),
  at("alerts.maintenance.2.name", "nightly"),
  at("alerts.maintenance.2.from", 5),
  at("alerts.limits.reminders", ["soon"], "alerts.limits.reminders.0"),
  at("alerts.limits.cap.messages", 0),
  at("alerts.deadMan.interval", "5 seconds"),
  at("alerts.deadMan.url", "nope"),
  at("backup.keep", 0),
  at("backup.url", "nope://x"),
  at("backup.level", 20),
  at("backup.schedule", "0 25 * * *"),
  at("backup.kepe", 3),
  at("backup", "yes"),
  at("journal.url", "nope://x"),
  at("journal.retain", "for ever"),
  at("journal.ulr", "x"),
  at("shutdown.grace", "soon"),
  at("shutdown.lameDuck", "soon"),
  at("shutdown.lameduck", "5 seconds"),
  at("shutdown.lameDuck", "60 seconds", "shutdown.grace"),
  at("plugins", ["@acme/is-not-there"], "plugins.0"),
  at("plugins", [5, "@acme/is-not-there"], "plugins.0", "plugins.1"),
  at("checks.redis", { type: "redis", url: "${NOPE}" }, "checks.redis.url"),
  { env: { DMARKET_API_URL: "nope" }, told: ["DMARKET_API_URL"] },
  { env: { REDIS_URL: "redis://h", REDIS_URL_FILE: "/x" }, told: ["REDIS_URL"] }
]

const put = (value: unknown, [key = "", ...rest]: ReadonlyArray<string>, is: unknown): unknown => {
  const inner = (value as Json | undefined)?.[key]
  const next = rest.length === 0 ? is : put(inner ?? {}, rest, is)
  return Array.isArray(value)
    ? value.map((item: unknown, index) => (String(index) === key ? next : item))
    : { ...(value as Json), [key]: next }
}

const load = WatchSettings.ready({ config: Option.none(), grace: Option.none() })

const told = (...all: ReadonlyArray<Fault>) => {
  const document = all.reduce<unknown>(
    (value, { at: where, is }) => (where === undefined ? value : put(value, where.split("."), is)),
    sound()
  )
  return load.pipe(
    Effect.provide(
      within({
        variables: Object.assign({}, ...all.map(({ env }) => env ?? {})) as Record<string, string>,
        files: { "holter.config.json": JSON.stringify(document) }
      })
    ),
    Effect.match({
      onSuccess: (): ReadonlyArray<string> => [],
      onFailure: (error) =>
        error._tag === "ConfigurationError"
          ? error.issues.map(({ path }) => path.join(".")).sort()
          : [error.message]
    })
  )
}

const labelOf = ({ at: where, env, is }: Fault): string =>
  where === undefined ? Object.keys(env ?? {}).join() : `${where}: ${JSON.stringify(is)}`

const startsWith = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && `${one}.`.startsWith(`${other}.`)

/** One puts something in the place of what the other says. */
const meet = (one: Fault, other: Fault): boolean =>
  startsWith(one.at, other.at) || startsWith(other.at, one.at)

/** What is to be told of these together: all that each of them alone would have told. */
const expected = (together: ReadonlyArray<Fault>): ReadonlyArray<string> =>
  [...new Set(together.flatMap((fault) => fault.told))]
    .filter((path) => !together.some(({ hides }) => hides?.test(path) === true))
    .sort()

/** Few sets of faults, in one of which any two that do not meet are together. */
const sets = (): ReadonlyArray<ReadonlyArray<Fault>> => {
  const pairs = new Set<string>()
  const key = (one: number, other: number) => [one, other].sort((a, b) => a - b).join()
  faults.forEach((one, index) => {
    faults.forEach((other, place) => {
      if (place > index && !meet(one, other)) pairs.add(key(index, place))
    })
  })
  const all: Array<ReadonlyArray<Fault>> = []
  while (pairs.size > 0) {
    const first = [...pairs][0] ?? ""
    const set = first.split(",").map(Number)
    for (const [index, fault] of faults.entries()) {
      const isFree = set.every((other) => other !== index && !meet(fault, faults[other] ?? fault))
      if (isFree && set.some((other) => pairs.has(key(index, other)))) set.push(index)
    }
    for (const one of set) for (const other of set) pairs.delete(key(one, other))
    all.push(set.flatMap((index) => faults[index] ?? []))
  }
  return all
}

describe("what is wrong in a configuration", { timeout: 120_000 }, () => {
  it.effect("is nothing in a sound one", () =>
    load.pipe(
      Effect.provide(within({ files: { "holter.config.json": JSON.stringify(sound()) } })),
      Effect.orDie
    )
  )

  it.effect("is told at its path", () =>
    Effect.gen(function* () {
      for (const fault of faults) {
        assert.deepStrictEqual(yield* told(fault), expected([fault]), labelOf(fault))
      }
    })
  )

  it.effect("is told with whatever else is wrong, nothing less and nothing more", () =>
    Effect.gen(function* () {
      for (const set of sets()) {
        assert.deepStrictEqual(yield* told(...set), expected(set), set.map(labelOf).join("; "))
      }
    })
  )

  it.effect("is told with the variables that are wrong, when the file cannot be read at all", () =>
    Effect.gen(function* () {
      const variables = { REDIS_URL: "redis://h", REDIS_URL_FILE: "/x" }
      const error = yield* load.pipe(
        Effect.provide(within({ variables, files: { "holter.config.yaml": "checks: {a: {" } })),
        Effect.flip
      )
      assert.match(error.message, /REDIS_URL: expected only one/)
      assert.match(error.message, /line 1, column \d+: expected valid YAML/)
    })
  )

  it.effect("is told where it is, when heartbeat and a check do not fit together", () =>
    Effect.gen(function* () {
      const lines = (document: object) =>
        load.pipe(
          Effect.provide(within({ files: { "holter.config.json": JSON.stringify(document) } })),
          Effect.match({
            onSuccess: (): ReadonlyArray<string> => [],
            onFailure: (error) => error.message.split("\n").slice(1)
          })
        )
      const gateway = { type: "tcp", host: "h", port: 1 }
      const checks = (more: object) => ({ a: { ...gateway, ...more }, b: gateway })
      const heartbeat = { interval: "5 seconds", timeout: "2 seconds" }
      assert.deepStrictEqual(yield* lines({ heartbeat, checks: checks({}) }), [])
      // It is the check that asks for too much.
      assert.deepStrictEqual(
        yield* lines({ heartbeat, checks: checks({ timeout: "20 seconds" }) }),
        [
          "  checks.a.interval: expected at least the timeout of a run (20s), found 5s (of `heartbeat`)"
        ]
      )
      // It is the section, which is told once and not for each check.
      const short = { heartbeat: { interval: "5 seconds" }, checks: checks({}) }
      assert.deepStrictEqual(yield* lines(short), [
        "  heartbeat.interval: expected at least the timeout of a run (10s), found 5s"
      ])
      // Whether that fits nobody knows, as long as the timeout is wrong.
      const wrong = { heartbeat: { timeout: "soon" }, checks: checks({ interval: "5 seconds" }) }
      assert.deepStrictEqual(yield* lines(wrong), [
        '  heartbeat.timeout: expected a duration such as "10 seconds", found "soon"'
      ])
    })
  )

  it.effect("is that there is nothing to back up as well", () =>
    Effect.gen(function* () {
      const backup = { schedule: "0 3 * * *", keep: 0 }
      const checks = { gateway: { type: "tcp", host: "h", port: 0 } }
      const file = JSON.stringify({ checks, backup })
      const messageOf = (variables: Readonly<Record<string, string>>) =>
        load.pipe(
          Effect.provide(within({ variables, files: { "holter.config.json": file } })),
          Effect.flip,
          Effect.map(({ message }) => message)
        )
      const without = yield* messageOf({})
      assert.match(without, /checks\.gateway\.port: /)
      assert.match(without, /backup\.keep: /)
      assert.match(without, /backup\.url: expected the URL of a database.*, found nothing/)
      assert.notMatch(yield* messageOf({ DATABASE_URL: "sqlite:////b.db" }), /backup\.url/)
    })
  )

  it.effect("is that no check is named as well", () =>
    Effect.gen(function* () {
      const error = yield* load.pipe(
        Effect.provide(within({ files: { "holter.config.yaml": "alerts: { limts: {} }\n" } })),
        Effect.flip
      )
      assert.match(error.message, /alerts\.limts: expected no such key/)
      assert.match(error.message, /checks: expected at least one check/)
    })
  )
})
