/** Two `holter watch` on one journal: who waits, who is refused, who gives way. */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import * as path from "node:path"
import * as TempDir from "../support/TempDir.js"
import { assertOrderly, config, ended, patience, start, stop } from "./watch.js"

const disk = "checks: { disk: { type: disk } }"

describe.concurrent("a second holter watch on the same journal", () => {
  it.scopedLive(
    "waits for one that ends, and need not wait for one that was killed",
    () =>
      Effect.gen(function* () {
        const cwd = yield* TempDir.make("watch")
        const first = yield* start({ cwd, files: config(disk) })
        yield* first.awaitStdout(/ status disk /)
        const second = yield* start({ cwd })
        yield* second.awaitStderr(/in use by holter watch, process \d+ on .*: waiting up to/)
        assertOrderly(yield* stop(first), "SIGTERM")
        yield* second.awaitStdout(/ status disk /)
        yield* second.signal("SIGKILL")
        yield* second.exit
        const third = yield* start({ cwd })
        yield* third.awaitStderr(/process \d+ on .* left its journal behind: it is taken over/)
        yield* third.awaitStdout(/ status disk /)
        const result = yield* stop(third)
        assertOrderly(result, "SIGTERM")
        assert.notInclude(result.stderr, "waiting up to")
      }),
    patience
  )

  it.scopedLive(
    "is refused where the first goes on, and told who that is",
    () =>
      Effect.gen(function* () {
        const cwd = yield* TempDir.make("watch")
        const first = yield* start({ cwd, files: config(disk) })
        yield* first.awaitStdout(/ status disk /)
        const impatient = yield* start({ cwd })
        yield* impatient.awaitStderr(/waiting up to/)
        assert.strictEqual((yield* stop(impatient)).code, 0)
        const second = yield* start({ cwd })
        const { code, stderr, stdout } = yield* second.exit
        assert.strictEqual(code, 78, stderr)
        assert.strictEqual(stdout, "")
        assert.include(stderr, `found holter watch, process ${first.pid} on `)
        assert.match(stderr, /data\/holter\.db\)\. End that one first/)
        assertOrderly(yield* stop(first), "SIGTERM")
      }),
    patience
  )

  it.scopedLive(
    "has taken over from one that slept: that one ends when it wakes up",
    () =>
      Effect.gen(function* () {
        const cwd = yield* TempDir.make("watch")
        const watch = yield* start({ cwd, files: config(disk) })
        yield* watch.awaitStdout(/ status disk /)
        yield* watch.pause
        const database = new Sqlite(path.join(cwd, "data", "holter.db"))
        database.exec(
          "UPDATE holter_lease SET token = 'other', name = 'holter watch, process 7 on b'"
        )
        database.close()
        yield* watch.resume
        const result = yield* ended(watch, [])
        assert.strictEqual(result.code, 1, result.stderr)
        assert.match(result.stderr, /shutdown by another program that keeps the journal now/)
        assert.match(result.stderr, /\nholter: The journal .*process 7 on b.*End one of them\.\n$/)
      }),
    patience
  )
})
