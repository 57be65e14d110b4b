/** A maintenance that somebody begins by hand while `holter watch` runs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Cli from "../support/Cli.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as TempDir from "../support/TempDir.js"
import { alertsTo, checks, config, patience, start, stop } from "./watch.js"

describe.concurrent("holter maintenance, beside a holter watch", () => {
  it.scopedLive(
    "holds back what goes down in it, over a kill, and lets it out when it is stopped",
    () =>
      Effect.gen(function* () {
        const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
        const telegram = yield* TelegramDouble.make()
        const cwd = yield* TempDir.make("watch")
        const holter = (...args: ReadonlyArray<string>) => Cli.run(args, { cwd })
        const files = config(
          checks({ web: `{ type: http, url: "${web.url}/up" }` }),
          alertsTo(telegram)
        )
        const first = yield* start({ cwd, files })
        yield* first.awaitStdout(/ status web healthy /)
        const started = yield* holter("maintenance", "start", "web", "--why", "deploy")
        assert.strictEqual(started.code, 0, started.stderr)
        yield* first.awaitStdout(/ Maintenance [0-9a-f]{8} of web: deploy/)
        yield* web.stop
        yield* first.awaitStdout(/ alert web suppressed \(Maintenance\): Maintenance \(deploy\)/)
        yield* first.signal("SIGKILL")
        yield* first.exit

        const second = yield* start({ cwd })
        yield* second.awaitStdout(/ status web unhealthy /)
        const status = yield* holter("status")
        assert.match(status.stdout, /No messages about:\n {2}web: maintenance [0-9a-f]{8}, until /)
        const why = yield* holter("why", "web")
        assert.match(why.stdout, / Held back now by maintenance [0-9a-f]{8}, until .* \(deploy\)\n/)
        assert.isEmpty(yield* telegram.messages)
        const stopped = yield* holter("maintenance", "stop", "web")
        assert.strictEqual(stopped.code, 0, stopped.stderr)
        const [message] = yield* telegram.awaitMessages(1)
        assert.include(message?.plain, "web is unhealthy")
        yield* stop(second)
      }),
    patience
  )

  it.scopedLive(
    "is shown below the table",
    () =>
      Effect.gen(function* () {
        const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
        const cwd = yield* TempDir.make("watch")
        const files = config(checks({ web: `{ type: http, url: "${web.url}/up" }` }))
        const watch = yield* Cli.startPty(["watch"], { cwd, files })
        yield* watch.awaitStdout(/✅ healthy.* web /)
        yield* Cli.run(["maintenance", "start", "--all", "--why", "deploy"], { cwd })
        yield* watch.awaitStdout(/No messages about every service: maintenance [0-9a-f]{8}, until /)
        yield* watch.type("\u0003")
        assert.strictEqual((yield* watch.exit).code, 0)
      }),
    patience
  )
})
