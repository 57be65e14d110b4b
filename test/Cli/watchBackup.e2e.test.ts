/** What `holter watch` does by its schedules: backups, drills, and the pings of the dead man's switch. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import { documentOf, make, names } from "./backup.js"
import { assertOrderly, config, patience, start, stop } from "./watch.js"

const disk = "checks: { disk: { type: disk } }"

const everySecond = (...fields: ReadonlyArray<string>) =>
  `backup: { ${['schedule: "* * * * * *"', "app: bot", ...fields].join(", ")} }`

describe.concurrent("holter watch", () => {
  it.scopedLive(
    "backs up and drills at their times, and what it made works",
    () =>
      Effect.gen(function* () {
        const { backups, cwd, env, holter } = yield* make(50)
        const watch = yield* start({
          cwd,
          env,
          files: config(disk, everySecond('drill: "* * * * * *"'))
        })
        const created = / backup created (bot_sqlite_\S+\.db\.gz): .* 1 table, 50 rows/
        const [, name = ""] = yield* watch.awaitStdout(created)
        yield* watch.awaitStdout(/ drill passed bot_sqlite_/)
        // The first one is made at once; there is another at its time.
        yield* watch.awaitStdout(/ backup created [^]* backup created /)
        const result = yield* stop(watch)
        assertOrderly(result, "SIGTERM")
        assert.notInclude(result.stdout + result.stderr, "failed")
        assert.include(names(backups), name)
        const verified = yield* holter("verify", name, "--json")
        assert.strictEqual(verified.code, 0, verified.stderr)
        assert.isObject(documentOf(verified))
      }),
    patience
  )

  it.scopedLive(
    "tells once of a backup that fails, and tries again at its time",
    () =>
      Effect.gen(function* () {
        const { cwd } = yield* make(50)
        const watch = yield* start({
          cwd,
          files: config(disk, everySecond("url: sqlite:///not-there.db"))
        })
        yield* watch.awaitStdout(/ backup failed: [^]* backup failed: /)
        const { stderr, stdout } = yield* stop(watch)
        assert.match(stdout, / backup failed: .*not-there\.db/)
        assert.notMatch(stderr, /backup failed|level=ERROR|level=WARN/)
      }),
    patience
  )

  it.scopedLive(
    "tells the dead man's switch that it starts, that it is alive, and that it is stopping",
    () =>
      Effect.gen(function* () {
        const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "OK") } })
        const url = `${double.url}/a-uuid`
        const watch = yield* start({
          files: config(
            disk,
            `alerts: { deadMan: { url: "${url}", interval: 1 second, timeout: 1 second } }`
          )
        })
        yield* double.awaitRequests(4)
        assertOrderly(yield* stop(watch), "SIGTERM")
        const pings = (yield* double.requests).map(({ body, url: at }) => `${at} ${body}`)
        assert.strictEqual(pings[0], "/a-uuid/start starting")
        assert.match(pings[1] ?? "", /^\/a-uuid overall: /)
        assert.deepStrictEqual(
          pings.filter((ping) => ping.startsWith("/a-uuid/log ")),
          ["/a-uuid/log stopping"]
        )
        assert.strictEqual(pings.at(-1), "/a-uuid/log stopping")
      }),
    patience
  )
})
