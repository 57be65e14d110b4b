/** What a configuration says about alerts, and everything that is wrong in it. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Layer, Option } from "effect"
import * as ChannelRegistry from "../../../src/Alert/ChannelRegistry.js"
import type { Routes } from "../../../src/Alert/Routes.js"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import { formatIssue } from "../../../src/Plugin/ConfigIssue.js"
import * as AlertSettings from "../../../src/Cli/Alerts/AlertSettings.js"
import * as Configuration from "../../../src/Cli/Configuration.js"
import { alert } from "../../Alert/alerts.js"
import { within } from "../inMemory.js"

type Variables = Readonly<Record<string, string>>

const telegram: Variables = {
  TELEGRAM_BOT_TOKEN: "123456789:AAH-s3cr3t-canary",
  ADMIN_TELEGRAM_CHAT_ID: "424242"
}

const gateway = "checks:\n  gateway: { type: tcp, host: h, port: 1 }\n"

const load = (file: string | undefined, variables: Variables = {}) =>
  Configuration.load(Option.none()).pipe(
    Effect.provide(
      within({ variables, files: file === undefined ? {} : { "holter.config.yaml": file } })
    )
  )

const settings = (file: string | undefined, variables?: Variables) =>
  Effect.flatMap(load(file, variables), ({ alerts }) => alerts)

/** All that is wrong, as a person reads it. */
const issues = (file: string | undefined, variables?: Variables) =>
  Effect.flatMap(Effect.flip(settings(file, variables)), (error) =>
    error._tag === "ConfigurationError"
      ? Effect.succeed(error.issues.map(formatIssue))
      : Effect.dieMessage(error.message)
  )

const typesOf = (settings: AlertSettings.AlertSettings) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* Layer.build(AlertSettings.layerChannels(settings))
      const all = yield* Effect.flatMap(ChannelRegistry.ChannelRegistry, (registry) => registry.all)
      return Object.fromEntries(all.map(({ name, type }) => [name, type]))
    })
  ).pipe(Effect.provide(ChannelRegistry.layer))

const logOnly: Routes = [
  { severity: "unhealthy", to: ["log"] },
  { severity: "degraded", to: ["log"] }
]
const telegramFor = (name: string): Routes => [
  { severity: "unhealthy", to: [name], fallback: "log" },
  { severity: "degraded", to: ["log"] }
]

describe("alerts, where nothing is said", () => {
  it.effect("go to the log", () =>
    Effect.gen(function* () {
      const one = yield* settings(undefined, { DATABASE_URL: "sqlite:////var/bot.db" })
      assert.deepStrictEqual(yield* typesOf(one), { log: "log" })
      assert.deepStrictEqual(one.policy.routes, logOnly)
      assert.deepStrictEqual(one.names, ["log"])
      assert.isUndefined(one.deadMan)
      assert.isEmpty(one.maintenance)
      assert.deepStrictEqual({ ...one.policy, checks: new Map() }, AlertPolicy.make())
      assert.hasAllKeys(one.policy.checks, ["database"])
    })
  )

  it.effect("go to Telegram for what is unhealthy, when there is a chat", () =>
    Effect.gen(function* () {
      for (const file of [undefined, gateway, `${gateway}alerts: {}\n`]) {
        const one = yield* settings(file, telegram)
        assert.deepStrictEqual(yield* typesOf(one), { telegram: "telegram", log: "log" })
        assert.deepStrictEqual(one.policy.routes, telegramFor("telegram"))
      }
      const { TELEGRAM_BOT_TOKEN: _, ...noToken } = telegram
      assert.deepStrictEqual((yield* settings(gateway, noToken)).policy.routes, logOnly)
    })
  )

  it.effect("tell which variable is wrong when somebody asks for them, and not a check", () =>
    Effect.gen(function* () {
      const wrong = { ...telegram, ADMIN_TELEGRAM_CHAT_ID: "my chat" }
      yield* load(gateway, wrong)
      assert.deepStrictEqual(yield* issues(gateway, wrong), [
        'ADMIN_TELEGRAM_CHAT_ID: expected a chat id such as 424242 or -1001234567890, or a channel\'s @name, found "my chat"'
      ])
    })
  )
})

const whole = `
name: DMarket Bot
heartbeat: { failureThreshold: 4 }
checks:
  gateway: { type: tcp, host: h, port: 1, interval: 1 minute, recoveryThreshold: 1 }
  website: { type: http, url: "https://example.com", dependsOn: [gateway], critical: false }
alerts:
  channels:
    ops: { type: telegram, reminders: false }
    hook: { type: webhook, url: "https://hooks.test/canary-path", secret: "\${HOOK_SECRET}" }
    page: { type: command, command: [/usr/local/bin/page, --team, ops], timeout: "\${LIMIT}" }
    quiet: { type: log }
  routes:
    - { severity: unhealthy, to: [ops, page], fallback: hook }
    - { severity: degraded, to: [log] }
  maintenance:
    - { name: nightly, schedule: "0 3 * * *", timeZone: Europe/Berlin, duration: 1 hour, services: [gateway] }
    - { name: move, from: "2026-05-01T22:00:00Z", until: "2026-05-01T23:00:00Z" }
  limits:
    startGrace: 30 seconds
    groupWindow: 5 seconds
    reminders: [5 minutes]
    cap: { messages: "\${MOST}" }
    flapping: { openings: 3 }
    staleAfter: 5
  deadMan: { url: "https://hc-ping.com/canary-uuid", interval: 5 minutes }
`
const variables = { ...telegram, HOOK_SECRET: "canary-secret", LIMIT: "30 seconds", MOST: "7" }

describe("the alerts section", () => {
  it.effect("says who is told, how often, and when not", () =>
    Effect.gen(function* () {
      const one = yield* settings(whole, variables)
      assert.deepStrictEqual(yield* typesOf(one), {
        ops: "telegram",
        hook: "webhook",
        page: "command",
        quiet: "log",
        log: "log"
      })
      const { channels, checks, routes, ...limits } = one.policy
      assert.deepStrictEqual(routes, [
        { severity: "unhealthy", to: ["ops", "page"], fallback: "hook" },
        { severity: "degraded", to: ["log"] }
      ])
      assert.deepStrictEqual(limits, {
        startGrace: 30_000,
        groupWindow: 5000,
        reminders: [300_000],
        cap: { messages: 7, within: 3_600_000 },
        flapping: { openings: 3, within: 1_800_000, calm: 600_000 },
        staleAfter: 5
      })
      assert.deepStrictEqual(channels.get("ops"), { grouped: true, reminders: false })
      assert.deepStrictEqual(checks.get("website"), {
        label: "website",
        interval: 30_000,
        failureThreshold: 4,
        recoveryThreshold: 2,
        critical: false,
        dependsOn: ["gateway"]
      })
      assert.deepInclude(checks.get("gateway"), { interval: 60_000, recoveryThreshold: 1 })
      const [nightly, move] = one.maintenance
      const at = (text: string) => DateTime.unsafeMake(text)
      assert.deepStrictEqual(nightly?.services, ["gateway"])
      assert.isTrue(Option.isSome(nightly?.openAt(at("2026-07-01T01:30:00Z")) ?? Option.none()))
      assert.isTrue(Option.isSome(move?.openAt(at("2026-05-01T22:30:00Z")) ?? Option.none()))
      assert.isTrue(Duration.equals(one.deadMan?.interval ?? 0, "5 minutes"))
      assert.deepStrictEqual(one.warnings, [
        "alerts.channels.quiet: no route leads to it, so it gets nothing"
      ])
    })
  )

  it.effect("takes every secret out of what any channel says", () =>
    Effect.gen(function* () {
      const script = 'echo "$0 and 123456789:AAH-s3cr3t-canary" >&2; exit 1'
      const file = `${gateway}alerts: { channels: { a: { type: command, command: [/bin/sh, -c, '${script}'] } } }\n`
      const alerted = yield* settings(file, telegram)
      const error = yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Layer.build(AlertSettings.layerChannels(alerted))
          const registry = yield* ChannelRegistry.ChannelRegistry
          const channel = yield* Effect.flatten(registry.find("a"))
          return yield* Effect.flip(channel.send(alert("opened", "redis")))
        })
      ).pipe(Effect.provide(ChannelRegistry.layer))
      assert.include(String(error), "/bin/sh and <redacted>")
    })
  )
})

describe("what the fields of channels and checks hold", () => {
  it.effect("is hidden wherever it turns up, whatever its name says", () =>
    Effect.gen(function* () {
      const file = [
        "checks:",
        "  website: { type: http, url: https://h/up, headers: { x-team: literal-header } }",
        "alerts:",
        "  channels:",
        "    page: { type: command, command: [/bin/sh, -c, 'echo literal-channel-header >&2; exit 1'], env: { PAGER: literal-variable, OTHER: '${BEEPER}' } }",
        "    hook: { type: webhook, url: https://h/services/literal-webhook-path, headers: { x-id: literal-channel-header } }",
        "  deadMan: { url: https://hc-ping.com/literal-uuid-of-a-ping }"
      ].join("\n")
      const { alerts, secrets } = yield* load(file, { BEEPER: "value-of-a-variable" })
      for (const text of [
        "literal-header",
        "literal-variable",
        "value-of-a-variable",
        "literal-webhook-path",
        "literal-channel-header",
        "literal-uuid-of-a-ping"
      ]) {
        assert.strictEqual(secrets.scrub(`it says ${text}.`), "it says <redacted>.")
      }
      const alerted = yield* alerts
      const error = yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Layer.build(AlertSettings.layerChannels(alerted))
          const registry = yield* ChannelRegistry.ChannelRegistry
          const channel = yield* Effect.flatten(registry.find("page"))
          return yield* Effect.flip(channel.send(alert("opened", "redis")))
        })
      ).pipe(Effect.provide(ChannelRegistry.layer))
      assert.include(String(error), "exit code 1: <redacted>")
    })
  )
})

const wrong = `
checks:
  a: { type: tcp, host: h, port: 1, dependsOn: [b, nope], failureThreshold: 0 }
  b: { type: tcp, host: h, port: 1, dependsOn: [c], interval: 5 seconds }
  c: { type: tcp, host: h, port: 1, dependsOn: [a, redis] }
alerts:
  channels:
    ops: { type: telegram, token: canary-no-token, chatId: 1, sielnt: true }
    hook: { type: webhook, url: "ftp://canary@h" }
    fax: { type: fax, number: 5 }
    log: { type: webhook, url: "https://h" }
  routes:
    - { severity: unhealthy, to: [ops, nobody], fallback: noone }
  maintenance:
    - { name: one, schedule: "0 25 * * *", timeZone: Europe/Atlantis, duration: 1 hour }
    - { name: two, schedule: "0 0 30 2 *", duration: 1 hour, services: [a, d] }
    - { name: two, from: "2026-05-01T22:00:00Z", until: "2026-05-01T21:00:00Z" }
  limits: { reminders: [soon], staleAfter: 0, cap: { messages: 0 } }
  deadMan: { url: "https://hc-ping.com/canary", interval: 5 seconds }
`

describe("a wrong alerts section", () => {
  it.effect("is told at once, with path, expected and found, and no secret", () =>
    Effect.gen(function* () {
      const all = yield* issues(wrong)
      const paths = all.map((issue) => issue.split(": expected", 1)[0])
      assert.sameMembers(paths, [
        "checks.a.failureThreshold",
        "checks.a.dependsOn.1",
        "checks.a.dependsOn",
        "checks.b.interval",
        "alerts.channels.ops.sielnt",
        "alerts.channels.ops.token",
        "alerts.channels.hook.url",
        "alerts.channels.fax.type",
        "alerts.channels.log.type",
        "alerts.routes.0.to.1",
        "alerts.routes.0.fallback",
        "alerts.maintenance.0.schedule",
        "alerts.maintenance.0.timeZone",
        "alerts.maintenance.1.schedule",
        "alerts.maintenance.1.services.1",
        "alerts.maintenance.2.until",
        "alerts.maintenance.2.name",
        "alerts.limits.reminders.0",
        "alerts.limits.staleAfter",
        "alerts.limits.cap.messages",
        "alerts.deadMan.interval"
      ])
      const text = all.join("\n")
      assert.notInclude(text, "canary")
      assert.include(text, 'found "Europe/Atlantis"')
      assert.include(text, "found a -> b -> c -> a")
      assert.include(
        text,
        'to.1: expected the name of a channel (known: ops, hook, fax, log), found "nobody"'
      )
      assert.include(text, "interval: expected at least the timeout of a ping (10s), found 5s")
    })
  )

  it.effect("is wrong for a check too, and nothing follows from what is no mapping", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.flip(load(`${gateway}alerts: [ops]\n`))
      assert.match(failed.message, /alerts: expected a mapping, found a list/)
      assert.notMatch(failed.message, /alerts\./)
      const channels = yield* issues(
        `${gateway}alerts: { channels: { ops: telegram }, routes: [{ severity: degraded, to: [ops] }] }\n`
      )
      assert.lengthOf(channels, 1)
      assert.match(channels[0] ?? "", /^alerts\.channels\.ops: expected a mapping/)
    })
  )

  it.effect("tells of a variable that is missing once", () =>
    Effect.gen(function* () {
      const all = yield* issues(
        `${gateway}alerts: { channels: { hook: { type: webhook, url: "\${HOOK_URL}" } } }\n`
      )
      assert.lengthOf(all, 1)
      assert.match(all[0] ?? "", /^alerts\.channels\.hook\.url: .*HOOK_URL/)
    })
  )
})
