/** The bot as a process: its log, its exit code, and what it leaves behind. */
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { readFileSync, readdirSync } from "node:fs"
import * as path from "node:path"
import { get, post } from "../../../test/Lifecycle/client.js"
import * as Behaviour from "../../../test/support/doubles/Behaviour.js"
import * as HttpDouble from "../../../test/support/HttpDouble.js"
import * as Program from "../../../test/support/Program.js"
import { RedisServer } from "../../../test/support/RedisServer.js"
import * as TelegramDouble from "../../../test/support/TelegramDouble.js"

const steps = [
  "intake: stop accepting requests",
  "monitoring: stop health monitoring",
  "state: save application state",
  "drain: wait for pending tasks",
  "cancel: cancel what remains",
  "bot: stop the bot",
  "connections: close API connections",
  "database: close the database"
]

const bundle = Effect.acquireRelease(
  Effect.promise(() => Program.bundle("examples/bot/src/main.ts")),
  ({ dispose }) => Effect.promise(dispose)
)

const rowsIn = (file: string): unknown => {
  const database = new Database(file, { readonly: true })
  const rows = database.prepare("SELECT count(*) FROM prices").pluck().get()
  database.close()
  return rows
}

/** All that the bot needs around it: the API, Redis and Telegram. */
const surroundings = Effect.gen(function* () {
  const { file } = yield* bundle
  const api = yield* HttpDouble.make({
    routes: { "/price": Behaviour.json(200, { item: "knife", cents: 12_000 }) }
  })
  const redis = yield* RedisServer.make()
  const telegram = yield* TelegramDouble.make()
  const env = {
    BOT_API_URL: `http://127.0.0.1:${api.port}/price`,
    BOT_PORT: "0",
    BOT_INTERVAL: "1 second",
    REDIS_URL: redis.url,
    TELEGRAM_API_URL: telegram.url,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_CHAT_ID: telegram.chatId
  }
  return { api, env, file, redis, telegram }
})

const incidentsIn = (file: string) => {
  const database = new Database(file, { readonly: true })
  const rows = database.prepare("SELECT service, ended_at FROM holter_incidents").all()
  database.close()
  return rows as ReadonlyArray<{ readonly service: string; readonly ended_at: number | null }>
}

describe("the example bot", () => {
  it.scopedLive("shows the eight steps in its log, ends with 0 and goes on where it was", () =>
    Effect.gen(function* () {
      const { api, env, file } = yield* surroundings
      let cwd: string | undefined
      let polls = 0
      for (let run = 0; run < 2; run++) {
        const bot = yield* Program.start(file, { env, ...(cwd === undefined ? {} : { cwd }) })
        cwd = bot.cwd
        yield* bot.awaitOutput(new RegExp(`continuing after ${polls} polls`))
        const [, url] = yield* bot.awaitOutput(/Listening on (http:\/\/[\d.:]+)/)
        yield* api.awaitRequests(run + 1)
        assert.strictEqual((yield* get(`${url}/readyz`)).status, 204)
        yield* bot.signal("SIGTERM")
        const ended = yield* bot.exit
        assert.strictEqual(ended.code, 0, `${ended.stdout}${ended.stderr}`)
        assert.isEmpty(ended.stderr)

        const logged = [...ended.stdout.matchAll(/message="shutdown: ([^"]+)"/g)]
        assert.deepStrictEqual(
          logged.map(([, step]) => step).filter((step) => !step?.startsWith("close:")),
          steps
        )
        const { state } = JSON.parse(readFileSync(path.join(cwd, "bot-state.json"), "utf8")) as {
          readonly state: { readonly polls: number }
        }
        assert.isAbove(state.polls, polls)
        polls = state.polls
        // The database was closed: no -wal and no -shm. Every poll that was counted is in it.
        // The first backup is made at the start, where the bot lives long enough.
        const left = readdirSync(cwd).filter((name) => name !== "backups")
        assert.deepStrictEqual(left.sort(), ["bot-state.json", "bot.db"])
        assert.strictEqual(rowsIn(path.join(cwd, "bot.db")), polls)
      }
    })
  )

  it.scopedLive(
    "alerts a chat that Redis is down, restores its own database, and knows of the outage still",
    () =>
      Effect.gen(function* () {
        const { api, env, file, redis, telegram } = yield* surroundings
        const bot = yield* Program.start(file, { env, timeout: "2 minutes" })
        const [, url] = yield* bot.awaitOutput(/Listening on (http:\/\/[\d.:]+)/)
        const count = Effect.map(
          get(`${url}/prices/count`),
          ({ body }) => (JSON.parse(body) as { readonly count: number }).count
        )
        yield* api.awaitRequests(3)

        const before = yield* count
        const backup = yield* post(`${url}/backups`)
        assert.strictEqual(backup.status, 200, backup.body)
        yield* redis.stop
        const [opened] = yield* telegram.awaitMessages(1)
        assert.match(opened?.text ?? "", /redis/i)
        // It went on polling meanwhile.
        const meanwhile = yield* count
        assert.isAbove(meanwhile, before + 1)

        const restored = yield* post(`${url}/restore`)
        assert.strictEqual(restored.status, 200, restored.body)
        assert.isBelow(yield* count, meanwhile)
        // The journal lies in the restored database, and the outage in it began after the backup.
        yield* redis.start
        const [, resolved] = yield* telegram.awaitMessages(2)
        assert.match(resolved?.text ?? "", /redis/i)
        yield* bot.signal("SIGTERM")
        const ended = yield* bot.exit
        assert.strictEqual(ended.code, 0, `${ended.stdout}${ended.stderr}`)
        assert.notInclude(ended.stdout, "level=ERROR")
        assert.deepStrictEqual(
          incidentsIn(path.join(bot.cwd, "bot.db")).map(({ ended_at }) => ended_at === null),
          [false]
        )
      }),
    120_000
  )
})
