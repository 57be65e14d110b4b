/** What `holter watch` refuses before it starts anything, and what it leaves as it is. */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as TempDir from "../support/TempDir.js"
import { config } from "./watch.js"

const disk = "checks: { disk: { type: disk } }"

describe.concurrent("holter watch refuses", () => {
  it.scopedLive("all mistakes at once, each with its path", () =>
    Effect.gen(function* () {
      const result = yield* Cli.run(["watch"], {
        files: {
          "holter.config.yaml": [
            "heartbeat: { failureThreshold: 0 }",
            "checks:",
            "  a: { type: tcp, host: 127.0.0.1, port: 1, dependsOn: [b] }",
            "  b: { type: tcp, host: 127.0.0.1, port: 1, dependsOn: [a], interval: 1 second }",
            "  c: { type: tcp, host: 127.0.0.1, port: 1, dependsOn: [nobody] }",
            "alerts: { routes: [{ severity: unhealthy, to: [pager] }] }",
            'backup: { schedule: "0 0 30 2 *", timeZone: Europe/Nowhere }',
            "shutdown: { grace: 30, lameDuck: soon }",
            'journal: { url: "mysql://a:secret@b/c" }'
          ].join("\n")
        }
      })
      assert.strictEqual(result.code, 78, result.stderr)
      assert.strictEqual(result.stdout, "")
      for (const place of [
        "heartbeat.failureThreshold",
        "checks.a.dependsOn",
        "checks.b.interval",
        "checks.c.dependsOn.0",
        "alerts.routes.0.to.0",
        "backup.schedule",
        "backup.timeZone",
        "shutdown.grace",
        "shutdown.lameDuck",
        "journal.url"
      ]) {
        const own = result.stderr.split("\n").filter((line) => line.includes(`${place}:`))
        assert.lengthOf(own, 1, `${place} in\n${result.stderr}`)
        assert.match(own[0] ?? "", /expected .*found /)
      }
      assert.notInclude(result.stderr, "secret")
      assert.isFalse(existsSync(path.join(result.cwd, "data")))
    })
  )

  it.scopedLive("backups without a database", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* Cli.run(["watch"], {
        files: config(disk, 'backup: { schedule: "0 3 * * *" }')
      })
      assert.strictEqual(code, 78)
      assert.match(stderr, /backup\.url: expected the URL of a database, .*found nothing/)
    })
  )

  it.scopedLive("a shutdown that the platform would cut short, with the sum", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* Cli.run(["watch"], {
        files: config(disk, "shutdown: { grace: 10 seconds, lameDuck: 8 seconds }")
      })
      assert.strictEqual(code, 78, stderr)
      assert.match(stderr, /shutdown\.grace: expected at least 1\d(\.\d+)? s, found 10 s/)
    })
  )

  it.scopedLive("a journal that is damaged, and leaves it as it is", () =>
    Effect.gen(function* () {
      const cwd = yield* TempDir.make("watch")
      mkdirSync(path.join(cwd, "data"))
      const file = path.join(cwd, "data", "holter.db")
      writeFileSync(file, "no database ".repeat(500))
      const { code, stderr } = yield* Cli.run(["watch"], { cwd, files: config(disk) })
      assert.strictEqual(code, 78, stderr)
      assert.match(stderr, /journal: expected a sound database, found .*Move the file/)
      // The error, and no word of how the little that had been started was ended.
      assert.lengthOf(stderr.trimEnd().split("\n"), 2, stderr)
      assert.strictEqual(readFileSync(file, "utf8"), "no database ".repeat(500))
    })
  )

  it.scopedLive("a journal of a newer version, and leaves it as it is", () =>
    Effect.gen(function* () {
      const cwd = yield* TempDir.make("watch")
      mkdirSync(path.join(cwd, "data"))
      const file = path.join(cwd, "data", "holter.db")
      const database = new Sqlite(file)
      database.exec(
        "CREATE TABLE holter_migrations (migration_id INTEGER, name TEXT, created_at TEXT); INSERT INTO holter_migrations VALUES (99, 'later', '2026-01-01')"
      )
      database.close()
      const before = readFileSync(file)
      const { code, stderr } = yield* Cli.run(["watch"], { cwd, files: config(disk) })
      assert.strictEqual(code, 78, stderr)
      assert.match(stderr, /journal: expected a schema of version \d+ or less, found version 99/)
      assert.isTrue(before.equals(readFileSync(file)))
    })
  )

  it.scopedLive("a grace that is no time", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* Cli.run(["watch", "--grace", "soon"], { files: config(disk) })
      assert.strictEqual(code, 64)
      assert.match(
        stderr,
        /--grace: expected a duration such as "10s" or "30 seconds", found "soon"/
      )
    })
  )
})
