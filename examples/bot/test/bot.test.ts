/** The bot as a process: its log, its exit code, and what it leaves behind. */
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { readFileSync, readdirSync } from "node:fs"
import * as path from "node:path"
import { get } from "../../../test/Lifecycle/client.js"
import * as Behaviour from "../../../test/support/doubles/Behaviour.js"
import * as HttpDouble from "../../../test/support/HttpDouble.js"
import * as Program from "../../../test/support/Program.js"

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

describe("the example bot", () => {
  it.scopedLive("shows the eight steps in its log, ends with 0 and goes on where it was", () =>
    Effect.gen(function* () {
      const { file } = yield* bundle
      const api = yield* HttpDouble.make({
        routes: { "/price": Behaviour.json(200, { item: "knife", cents: 12_000 }) }
      })
      const env = { BOT_API_URL: `http://127.0.0.1:${api.port}/price`, BOT_PORT: "0" }
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
        assert.deepStrictEqual(readdirSync(cwd).sort(), ["bot-state.json", "bot.db"])
        assert.strictEqual(rowsIn(path.join(cwd, "bot.db")), polls)
      }
    })
  )
})
