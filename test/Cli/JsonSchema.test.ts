/** What an editor completes is what `holter check` accepts. */
import { assert, describe, it } from "@effect/vitest"
import { Ajv } from "ajv"
import { Effect } from "effect"
import * as Catalog from "../../src/Cli/Catalog.js"
import * as JsonSchema from "../../src/Cli/JsonSchema.js"

const checks = Effect.all([...Catalog.builtIn.checks.values()])
const channels = Effect.all([...Catalog.builtIn.channels.values()])

const validator = Effect.map(Effect.all([checks, channels]), ([all, told]) => {
  const schema = JSON.parse(JSON.stringify(JsonSchema.make(all, told))) as object
  return new Ajv({ allErrors: true, strictTypes: false }).compile(schema)
})

const valid: ReadonlyArray<readonly [string, unknown]> = [
  ["nothing", {}],
  [
    "the sample of the design",
    {
      name: "DMarket Bot",
      heartbeat: { interval: "30 seconds", timeout: "10 seconds", failureThreshold: 3 },
      checks: {
        database: { type: "database", url: "${DATABASE_URL}" },
        redis: { type: "redis", url: "${REDIS_URL}", fallback: "memory", critical: false },
        dmarket_api: {
          type: "dmarket",
          publicKey: "${DMARKET_PUBLIC_KEY}",
          secretKey: "${DMARKET_SECRET_KEY}",
          dependsOn: []
        },
        telegram_api: {
          type: "telegram",
          token: "${TELEGRAM_BOT_TOKEN}",
          interval: "1 minute",
          timeout: "5 seconds"
        },
        gateway: { type: "tcp", host: "127.0.0.1", port: 9000 },
        website: {
          type: "http",
          url: "https://example.com/up",
          expect: { status: [200], json: { "$.ok": true } },
          slow: "800 millis"
        }
      },
      plugins: ["@acme/holter-plugin-queue", "./my-check.js"],
      backup: {
        url: "${DATABASE_URL}",
        directory: "backups",
        keep: 7,
        compress: "gzip",
        schedule: "0 3 * * *",
        drill: "0 5 * * 0",
        timeZone: "UTC",
        stores: [{ type: "directory", path: "/mnt/backups" }]
      },
      alerts: {
        channels: {
          ops: {
            type: "telegram",
            token: "${TELEGRAM_BOT_TOKEN}",
            chatId: "${ADMIN_TELEGRAM_CHAT_ID}"
          },
          hook: { type: "webhook", url: "${HOOK_URL}", secret: "${HOOK_SECRET}" }
        },
        routes: [
          { severity: "unhealthy", to: ["ops"], fallback: "hook" },
          { severity: "degraded", to: ["log"] }
        ]
      },
      status: {},
      shutdown: {},
      journal: {}
    }
  ],
  ["what the environment supplies", { checks: { redis: { type: "redis" } } }],
  ["a variable for a number", { checks: { a: { type: "tcp", host: "h", port: "${PORT}" } } }],
  ["a variable for a boolean", { checks: { a: { type: "disk", critical: "${CRITICAL:-false}" } } }],
  ["a variable for a count", { heartbeat: { failureThreshold: "${COUNT}" } }],
  ["a variable deep inside", { checks: { a: { type: "disk", retry: { times: "${TIMES}" } } } }],
  ["a variable in a list", { checks: { a: { type: "disk", dependsOn: ["${OTHER}"] } } }],
  ["a variable in a text", { checks: { a: { type: "redis", url: "redis://:${PASSWORD}@h" } } }],
  ["a retry", { checks: { a: { type: "memory", retry: { times: 2, base: "500 millis" } } } }],
  ["another plugin's type", { checks: { jobs: { type: "queue", length: 3 } } }],
  ["a variable in backup", { backup: { keep: "${KEEP}", compress: "${HOW:-zstd}" } }],
  [
    "all there is of alerts",
    {
      alerts: {
        channels: {
          ops: { type: "telegram", chatId: -1001, silent: "${SILENT}", reminders: false },
          page: { type: "command", command: ["page", "${TEAM}"], env: { KEY: "${KEY}" } },
          queue: { type: "queue", url: "amqp://q" }
        },
        maintenance: [
          { name: "backup", schedule: "0 3 * * *", timeZone: "Europe/Berlin", duration: "1 hour" },
          { name: "move", from: "2026-05-01T22:00:00Z", until: "${UNTIL}", services: ["a"] }
        ],
        limits: {
          startGrace: "30 seconds",
          reminders: ["15 minutes"],
          cap: { messages: 5 },
          flapping: { openings: "${MANY}" },
          staleAfter: 3
        },
        deadMan: { url: "${PING_URL}", interval: "5 minutes", style: "plain" }
      }
    }
  ],
  [
    "what people are to know",
    {
      checks: {
        a: { type: "disk", label: "Disk (eu)", link: "https://g.example.com/", runbook: "${TEXT}" }
      }
    }
  ],
  ["its own schema", { $schema: "./holter.config.schema.json" }]
]

const invalid: ReadonlyArray<readonly [string, unknown]> = [
  ["a list", []],
  ["an unknown section", { chekcs: {} }],
  ["a check without a type", { checks: { a: { host: "h" } } }],
  ["an unknown field", { checks: { a: { type: "tcp", host: "h", port: 1, prot: 1 } } }],
  ["a missing field", { checks: { a: { type: "tcp", host: "h" } } }],
  ["a port that is none", { checks: { a: { type: "tcp", host: "h", port: 99999 } } }],
  ["a number for a duration", { checks: { a: { type: "disk", timeout: 10 } } }],
  ["a duration that is none", { heartbeat: { timeout: "soon" } }],
  ["a threshold of 0", { heartbeat: { failureThreshold: 0 } }],
  ["a text for a boolean", { checks: { a: { type: "disk", critical: "no" } } }],
  ["a group that is none", { checks: { a: { type: "disk", group: "startup" } } }],
  ["a retry too many", { checks: { a: { type: "disk", retry: { times: 101 } } } }],
  ["plugins that are no list", { plugins: "./my-check.js" }],
  ["an empty name", { name: "" }],
  ["a backup of none", { backup: { keep: 0 } }],
  ["a compression that is none", { backup: { compress: "brotli" } }],
  ["an unknown field of backup", { backup: { kepp: 3 } }],
  ["a channel without a type", { alerts: { channels: { a: {} } } }],
  ["a channel without what it needs", { alerts: { channels: { a: { type: "webhook" } } } }],
  ["an unknown field of alerts", { alerts: { route: [] } }],
  ["a severity that is none", { alerts: { routes: [{ severity: "bad", to: [] }] } }],
  ["a limit of none", { alerts: { limits: { staleAfter: 0 } } }],
  ["a shell command", { alerts: { channels: { a: { type: "command", command: "mail ops" } } } }],
  ["a link of another kind", { checks: { a: { type: "disk", link: "ftp://h/" } } }],
  ["an empty label", { checks: { a: { type: "disk", label: "" } } }],
  ["a store that is none", { backup: { stores: [{ type: "s3", path: "x" }] } }]
]

describe("JsonSchema", () => {
  it.effect("gives one name to no two definitions", () =>
    Effect.gen(function* () {
      const seen = new Map<string, unknown>()
      const schemas = [
        ...(yield* checks).map((check) => [check.type, JsonSchema.make([check], [])] as const),
        ...(yield* channels).map((one) => [one.type, JsonSchema.make([], [one])] as const)
      ]
      for (const [type, schema] of schemas) {
        const { $defs = {} } = schema as { readonly $defs?: object }
        for (const [name, definition] of Object.entries(
          JSON.parse(JSON.stringify($defs)) as object
        )) {
          assert.deepStrictEqual(definition, seen.get(name) ?? definition, `${type}: ${name}`)
          seen.set(name, definition)
        }
      }
    })
  )

  it.effect("accepts what is right", () =>
    Effect.gen(function* () {
      const validate = yield* validator
      for (const [what, document] of valid) {
        assert.isTrue(validate(document), `${what}: ${JSON.stringify(validate.errors)}`)
      }
    })
  )

  it.effect("refuses what is wrong", () =>
    Effect.gen(function* () {
      const validate = yield* validator
      for (const [what, document] of invalid) assert.isFalse(validate(document), what)
    })
  )

  it.effect("has an entry for every type, and text for whoever hovers over a field", () =>
    Effect.gen(function* () {
      const schema = JsonSchema.make(yield* checks, []) as unknown as {
        readonly properties: {
          readonly checks: {
            readonly additionalProperties: {
              readonly oneOf: ReadonlyArray<{
                readonly title: string
                readonly description?: string
                readonly properties: object
              }>
            }
          }
        }
      }
      const entries = schema.properties.checks.additionalProperties.oneOf
      const titles = entries.map(({ title }) => title)
      assert.includeMembers(titles, [...Catalog.builtIn.checks.keys()])
      for (const entry of entries.slice(0, -1)) {
        assert.isNotEmpty(entry.description, entry.title)
        assert.containsAllKeys(entry.properties, ["type", "timeout", "interval", "critical"])
        assert.match(JSON.stringify(entry.properties), /"runbook":.*"what to do: a URL, or words/)
      }
    })
  )
})
