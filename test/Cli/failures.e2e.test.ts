/**
 * `holter check` on a real PostgreSQL, a real Redis and servers that speak Telegram's and DMarket's
 * protocols, with each of them stopped, paused and refusing; and no secret shown, whatever fails.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { readFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as DMarketDouble from "../support/DMarketDouble.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import { PostgresServer } from "../support/PostgresServer.js"
import { RedisServer } from "../support/RedisServer.js"
import type { ServerError } from "../support/ServerError.js"
import { describeWithServices } from "../support/Services.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as Bot from "./bot.js"
import * as Leaks from "./leaks.js"

const password = "c@nary%2F/p w:d&<1>"
const wrongPassword = 'wr@ng-c@nary" %41'
const token = "123456789:AAcanaryTokenCanaryTokenCanaryToken"

/** Milliseconds; short, so that a paused server does not hold up the suite. */
const limit = 1500

const config = (more = "") => `name: DMarket Bot
heartbeat: { timeout: ${limit} millis }
checks:
  database: { type: database, url: "\${DATABASE_URL}" }
  redis: { type: redis, url: "\${REDIS_URL}"${more} }
  telegram_api: { type: telegram, token: "\${TELEGRAM_BOT_TOKEN}" }
  dmarket_api: { type: dmarket, publicKey: "\${DMARKET_PUBLIC_KEY}", secretKey: "\${DMARKET_SECRET_KEY}" }
`

const servers = Layer.merge(
  PostgresServer.layer({ password }),
  RedisServer.layer({ requirepass: password })
)

/** Servers for the suite; doubles for each test. */
const bench = Effect.gen(function* () {
  const postgres = yield* PostgresServer
  const redis = yield* RedisServer
  const telegram = yield* TelegramDouble.makeProcess({ token })
  const dmarket = yield* DMarketDouble.makeProcess({ usd: 100 })
  const env: Readonly<Record<string, string>> = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    ...Bot.telegramEnv(telegram),
    ...Bot.dmarketEnv(dmarket)
  }
  return { postgres, redis, telegram, dmarket, env }
})

type Bench = Effect.Effect.Success<typeof bench>

interface Failure {
  readonly service: string
  readonly what: string
  /** Brings it about; gives the variables that are different. */
  readonly arrange: (bench: Bench) => Effect.Effect<Readonly<Record<string, string>>, ServerError>
  readonly message: RegExp
}

interface Server {
  readonly stop: Effect.Effect<void, ServerError>
  readonly pause: Effect.Effect<void, ServerError>
}

/** As the next test expects the servers of the suite. */
const restored = ({ postgres, redis }: Bench) =>
  Effect.forEach([postgres, redis], (server) => Effect.zipRight(server.resume, server.start)).pipe(
    Effect.orDie
  )

const stopped = (service: string, of: (bench: Bench) => Server): Failure => ({
  service,
  what: "stopped",
  arrange: (one) => Effect.as(of(one).stop, {}),
  message: /refused|cannot|unreachable|not reach/i
})

const paused = (service: string, of: (bench: Bench) => Server): Failure => ({
  service,
  what: "paused",
  arrange: (one) => Effect.as(of(one).pause, {}),
  message: /within 1s 500ms|timed? ?out|not answer|no answer/i
})

const failures: ReadonlyArray<Failure> = [
  stopped("database", ({ postgres }) => postgres),
  paused("database", ({ postgres }) => postgres),
  {
    service: "database",
    what: "refusing the password",
    arrange: ({ postgres }) =>
      Effect.succeed({ DATABASE_URL: postgres.urlWith({ password: wrongPassword }) }),
    message: /password|authenticat|credential/i
  },
  stopped("redis", ({ redis }) => redis),
  paused("redis", ({ redis }) => redis),
  {
    service: "redis",
    what: "refusing the password",
    arrange: ({ redis }) =>
      Effect.succeed({ REDIS_URL: redis.urlWith({ password: wrongPassword }) }),
    message: /password|authenticat|credential/i
  },
  stopped("telegram_api", ({ telegram }) => telegram),
  paused("telegram_api", ({ telegram }) => telegram),
  {
    service: "telegram_api",
    what: "refusing the token",
    arrange: ({ telegram }) => Effect.as(telegram.set({ revoked: true }), {}),
    message: /token/i
  },
  stopped("dmarket_api", ({ dmarket }) => dmarket),
  paused("dmarket_api", ({ dmarket }) => dmarket),
  {
    service: "dmarket_api",
    what: "refusing the key",
    arrange: () => {
      const keys = DMarketDouble.makeKeys()
      return Effect.succeed({
        DMARKET_PUBLIC_KEY: keys.publicKey,
        DMARKET_SECRET_KEY: keys.secret64
      })
    },
    message: /key|credential|signature/i
  }
]

const secretsOf = (env: Readonly<Record<string, string>>): ReadonlyArray<string> => [
  password,
  wrongPassword,
  ...[env["TELEGRAM_BOT_TOKEN"], env["DMARKET_SECRET_KEY"]].flatMap((secret) => secret ?? [])
]

describeWithServices(["postgres", "redis"], "holter check on real servers", () => {
  layer(servers, { excludeTestServices: true })((it) => {
    it.scoped("is healthy when they are", () =>
      Effect.gen(function* () {
        const { env } = yield* bench
        const files = { "holter.config.yaml": config() }
        const result = yield* Cli.run(["check"], { env, files })
        assert.strictEqual(result.code, 0, result.stdout)
        assert.include(result.stdout, "✅ Database accessible (postgresql)")
        assert.include(result.stdout, "✅ Redis accessible")
        assert.include(result.stdout, "✅ All health checks passed!")
        Leaks.assertNone(Leaks.traces(result), secretsOf(env), "page")
      })
    )

    for (const failure of failures) {
      it.scoped(
        `says that ${failure.service} is ${failure.what}, and that the others are well`,
        () =>
          Effect.gen(function* () {
            const one = yield* bench
            yield* Effect.addFinalizer(() => restored(one))
            const changed = yield* failure.arrange(one)
            const env = { ...one.env, ...changed }
            const files = { "holter.config.yaml": config() }
            const json = yield* Cli.run(["check", "--json"], { env, files })
            const cron = yield* Cli.run(["check", "--cron"], { env, cwd: json.cwd })

            const summary = Bot.summaryOf(json)
            assert.isFalse(json.timedOut)
            assert.strictEqual(json.code, 2, json.stdout)
            assert.strictEqual(summary.overall_status, "unhealthy")
            for (const [name, service] of Object.entries(summary.services)) {
              const expected = name === failure.service ? "unhealthy" : "healthy"
              assert.strictEqual(service.status, expected, `${name}: ${service.message}`)
            }
            const service = summary.services[failure.service]
            assert.match(service?.message ?? "", failure.message)
            assert.isAtMost(service?.response_time_ms ?? Infinity, limit + 250)
            assert.strictEqual(summary.failure_counts[failure.service], 1)

            assert.strictEqual(cron.code, 2)
            assert.include(cron.stdout, `Unhealthy: ${failure.service}`)
            assert.include(cron.stdout, `${failure.service} is unhealthy: `)

            const messages = yield* failure.service === "telegram_api"
              ? Effect.succeed([])
              : one.telegram.messages
            if (failure.service === "telegram_api") {
              assert.include(cron.stderr, "The notification failed")
            } else {
              assert.lengthOf(messages, 1, cron.stderr)
              assert.include(messages[0]?.plain, `${failure.service} is unhealthy`)
              const kept = readFileSync(path.join(cron.cwd, "data", "last-verdict.json"), "utf8")
              assert.include(kept, '"unhealthy"')
            }
            const all = [Leaks.traces(json), Leaks.traces(cron), JSON.stringify(messages)].join(
              "\n"
            )
            Leaks.assertNone(all, secretsOf(env), failure.what)
          })
      )
    }

    it.scoped("is degraded while Redis is down and the bot has a fallback", () =>
      Effect.gen(function* () {
        const one = yield* bench
        const { env, redis } = one
        yield* Effect.addFinalizer(() => restored(one))
        yield* redis.stop
        const files = { "holter.config.yaml": config(", fallback: memory") }
        const result = yield* Cli.run(["check"], { env, files })
        assert.strictEqual(result.code, 1, result.stdout)
        assert.include(result.stdout, "⚠️  Redis unavailable, using memory cache")
        assert.include(result.stdout, "⚠️  Degraded: redis")
      })
    )

    it.scoped("shows no secret that a server sends back, in whatever form", () =>
      Effect.gen(function* () {
        const { dmarket, env, postgres, redis, telegram } = yield* bench
        const wrong = {
          ...env,
          DATABASE_URL: postgres.urlWith({ password: wrongPassword }),
          REDIS_URL: redis.urlWith({ password: wrongPassword })
        }
        const secrets = [wrongPassword, token, env["DMARKET_SECRET_KEY"] ?? ""]
        const forms: ReadonlyArray<readonly [string, (secret: string) => string]> = [
          ["plain", (secret) => secret],
          ["percent-encoded", encodeURIComponent],
          ["base64", (secret) => Buffer.from(`user:${secret}`).toString("base64")],
          ["base64url", (secret) => Buffer.from(secret).toString("base64url")],
          ["in JSON", (secret) => JSON.stringify({ secret })]
        ]
        const files = { "holter.config.yaml": config() }
        // One API echoes what the others are secretive about, as much as fits into a message.
        for (const [flag, echoed] of [
          ["--only=telegram_api,dmarket_api", secrets.slice(0, 2)],
          ["--json", secrets.slice(2)]
        ] as const) {
          for (const [what, form] of forms) {
            const echo = echoed.map(form).join(" ")
            yield* telegram.faultAlways("getMe", TelegramDouble.error(500, echo))
            yield* dmarket.faultAlways("*", Behaviour.json(500, { error: echo, message: echo }))
            const result = yield* Cli.run(["check", "--notify", flag], { env: wrong, files })
            assert.strictEqual(result.code, 2, result.stderr)
            assert.include(result.stdout, "<redacted>", what)
            const message = (yield* telegram.messages).at(-1)
            assert.isDefined(message, result.stderr)
            const all = [Leaks.traces(result), JSON.stringify(message)]
            Leaks.assertNone(all.join("\n"), secrets, what)
          }
        }
      })
    )
  })
})
