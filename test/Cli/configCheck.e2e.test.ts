/** `holter config check`: what `holter watch` would say of a configuration, and nothing is started. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import { alertsTo, checks, config } from "./watch.js"

const check = (options: Cli.CliOptions, ...flags: ReadonlyArray<string>) =>
  Cli.run(["config", "check", ...flags], options)

describe.concurrent("holter config check", () => {
  it.scopedLive("says in a line what is configured, and asks nobody", () =>
    Effect.gen(function* () {
      const web = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, {}) } })
      const telegram = yield* TelegramDouble.make()
      const files = {
        ...config(
          "name: Price Bot",
          "plugins: [./queue.mjs]",
          checks({ web: `{ type: http, url: "${web.url}/up" }`, q: "{ type: queue }" }),
          alertsTo(telegram),
          '  maintenance: [{ name: nightly, schedule: "0 3 * * *", duration: 1 hour }]',
          'backup: { url: sqlite:///bot.db, schedule: "0 3 * * *", drill: "0 5 * * 0" }'
        ),
        "queue.mjs": [
          `import { Check } from "${path.resolve("dist/index.js")}"`,
          `import { Effect, Layer, Schema } from "${path.resolve("node_modules/effect/dist/esm/index.js")}"`,
          'export const queue = Check.make("queue", { description: "A queue", config: {}, error: Schema.Never, services: () => Layer.empty, probe: () => Effect.die("asked") })'
        ].join("\n")
      }
      const result = yield* check({ files })
      assert.strictEqual(result.code, 0, result.stderr)
      assert.strictEqual(result.stderr, "")
      const file = path.join(result.cwd, "holter.config.yaml")
      assert.strictEqual(
        result.stdout,
        `✅ The configuration (${file}) can be used: 2 checks (web, q); 2 channels (ops, log); backups at "0 3 * * *", drills at "0 5 * * 0" (UTC); 1 maintenance window (nightly); 1 plugin (./queue.mjs); journal ${path.join(result.cwd, "data", "holter.db")}\n`
      )
      assert.deepStrictEqual(
        JSON.parse((yield* check({ cwd: result.cwd }, "--json", "--grace", "40s")).stdout),
        {
          usable: true,
          source: file,
          name: "Price Bot",
          checks: ["web", "q"],
          not_configured: [],
          channels: ["ops", "log"],
          schedules: { backup: "0 3 * * *", drill: "0 5 * * 0", time_zone: "UTC" },
          maintenance: ["nightly"],
          plugins: ["./queue.mjs"],
          journal: path.join(result.cwd, "data", "holter.db"),
          shutdown: { grace_ms: 40_000, lame_duck_ms: 0 },
          warnings: []
        }
      )
      assert.isEmpty(yield* web.requests)
      assert.isEmpty(yield* telegram.requests)
      assert.isFalse(existsSync(path.join(result.cwd, "data")), "it made a journal")
    })
  )

  it.scopedLive("refuses what holter watch refuses, with the same words", () =>
    Effect.gen(function* () {
      const files = config(
        "plugins: [./missing.mjs]",
        "checks: { a: { type: tcp, host: 127.0.0.1, port: 0, dependsOn: [nobody] } }",
        "alerts: { routes: [{ severity: unhealthy, to: [pager] }] }",
        'backup: { schedule: "0 0 30 2 *" }',
        "shutdown: { grace: 1 second, lameDuck: 5 seconds }",
        'journal: { url: "mysql://a:s3cr3t-canary@b/c" }'
      )
      const watch = yield* Cli.run(["watch"], { files })
      const { cwd } = watch
      const result = yield* check({ cwd })
      assert.strictEqual(result.code, 78)
      assert.strictEqual(result.stdout, "")
      assert.strictEqual(result.stderr, watch.stderr)
      for (const place of ["plugins.0", "checks.a.port", "shutdown.grace", "journal.url"]) {
        assert.include(result.stderr, `  ${place}: expected `)
      }
      const { code, stdout } = yield* check({ cwd }, "--json")
      assert.strictEqual(code, 78)
      const { issues, usable } = JSON.parse(stdout) as {
        readonly usable: boolean
        readonly issues: ReadonlyArray<Readonly<Record<"path" | "expected" | "found", string>>>
      }
      assert.isFalse(usable)
      assert.deepStrictEqual(
        issues.map((one) => `  ${one.path}: expected ${one.expected}, found ${one.found}`),
        result.stderr.trimEnd().split("\n").slice(1)
      )
      assert.notInclude(stdout, "canary")
    })
  )

  it.scopedLive("refuses a shutdown that is longer than the grace of the flag", () =>
    Effect.gen(function* () {
      const files = config("checks: { disk: { type: disk } }", "shutdown: { lameDuck: 5 seconds }")
      const result = yield* check({ files }, "--grace", "4s")
      assert.strictEqual(result.code, 78)
      assert.match(result.stderr, /shutdown\.grace: expected at least .*, found 4 s/)
      assert.strictEqual((yield* check({ cwd: result.cwd }, "--grace", "soon")).code, 64)
      assert.strictEqual((yield* check({ cwd: result.cwd })).code, 0)
    })
  )

  it.scopedLive("warns of what a person hardly means", () =>
    Effect.gen(function* () {
      const files = config(
        "checks: { disk: { type: disk } }",
        'alerts: { channels: { hook: { type: webhook, url: "https://example.com/in" } } }',
        "status: { port: 8080 }"
      )
      const { code, stderr, stdout } = yield* check({ files })
      assert.strictEqual(code, 0)
      assert.match(stdout, /can be used: 1 check \(disk\)/)
      assert.match(stderr, /"status" is not used by this version of holter\n/)
      assert.match(stderr, /alerts\.channels\.hook: no route leads to it, so it gets nothing\n/)
    })
  )

  it.scopedLive("says that nothing is configured, and makes no database", () =>
    Effect.gen(function* () {
      const { code, cwd, stderr, stdout } = yield* check({}, "--trust-config")
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /\(environment\) can be used: 4 checks \(database, disk, memory/)
      assert.match(stderr, /no service is configured.* set one of .*DATABASE_URL.*--config\n/)
      assert.isFalse(existsSync(path.join(cwd, "data")))
    })
  )
})
