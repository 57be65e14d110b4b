/** Checks from elsewhere: a file beside the configuration, packages, and what can be wrong with them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as TempDir from "../support/TempDir.js"
import * as Bot from "./bot.js"

const source = (type: string, name = "Queue") => `
import { Effect, Layer, Redacted, Schema } from "effect"
import { Check, ConfigField, Outcome } from "holter"

class QueueError extends Schema.TaggedError("acme/QueueError")("QueueError", {
  reason: Schema.Literal("Full")
}) {
  get message() { return "The queue is full" }
}

export const ${name} = Check.make(${JSON.stringify(type)}, {
  description: "Length of a queue",
  label: "queue",
  config: {
    length: Schema.Int.annotations({ description: "how long the queue is" }),
    limit: ConfigField.withDefault(ConfigField.count, 10)
  },
  error: QueueError,
  probe: ({ length, limit }) => length > limit
    ? Effect.fail(new QueueError({ reason: "Full" }))
    : Effect.succeed(Outcome.healthy("Queue is fine", { note: length + " of " + limit })),
  services: () => Layer.empty
})
`

/** A project with holter among its packages, as \`npm install\` leaves it. */
const project = (files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const cwd = yield* TempDir.make("project")
    const root = path.join(path.dirname(Cli.bin()), "..")
    mkdirSync(path.join(cwd, "node_modules"))
    symlinkSync(root, path.join(cwd, "node_modules", "holter"))
    symlinkSync(path.join(root, "node_modules", "effect"), path.join(cwd, "node_modules", "effect"))
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(cwd, name)
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    return cwd
  })

const configuration = (plugin: string, fields = "length: 3") =>
  `checks:\n  jobs: { type: queue, ${fields}, timeout: 2 seconds }\nplugins: ["${plugin}"]\n`

const manifest = (fields: object) =>
  JSON.stringify({ name: "x", version: "1.0.0", type: "module", ...fields })

/** Ways in which a package says where its module is. */
const packages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "@acme/holter-plugin-queue": {
    "package.json": manifest({
      exports: {
        ".": { types: "./index.d.ts", import: "./lib/index.js" },
        "./package.json": "./package.json"
      }
    }),
    "lib/index.js": source("queue")
  },
  "plain-main": {
    "package.json": manifest({ main: "lib/index.js" }),
    "lib/index.js": source("queue")
  },
  "one-export": {
    "package.json": manifest({ exports: "./index.mjs" }),
    "index.mjs": source("queue")
  },
  "nested-conditions/checks": {
    "../package.json": manifest({
      exports: { "./checks": { node: { import: "./checks/q.js" }, default: "./no.js" } }
    }),
    "q.js": source("queue")
  }
}

describe.concurrent("a plugin", () => {
  it.scopedLive("is a file beside the configuration, wherever the command is typed", () =>
    Effect.gen(function* () {
      const cwd = yield* project({
        "my-check.mjs": source("queue"),
        "holter.config.yaml": configuration("./my-check.mjs")
      })
      const here = yield* Cli.run(["check"], { cwd })
      assert.strictEqual(here.code, 0, here.stderr)
      assert.include(here.stdout, "🔍 Checking jobs...\n  ✅ Jobs accessible (3 of 10)")
      const file = path.join(cwd, "holter.config.yaml")
      for (const flags of [["--config", file], [`--config=${file}`], ["-c", file]]) {
        const there = yield* Cli.run(["check", "--json", ...flags])
        assert.deepStrictEqual(Bot.statusesOf(there), { jobs: "healthy" }, flags.join(" "))
      }
      const variable = yield* Cli.run(["check", "--json"], { env: { HOLTER_CONFIG: file } })
      assert.deepStrictEqual(Bot.statusesOf(variable), { jobs: "healthy" })
    })
  )

  it.scopedLive("is a package, however it says where its module is", () =>
    Effect.forEach(
      Object.entries(packages),
      ([name, files]) =>
        Effect.gen(function* () {
          const cwd = yield* project({
            "holter.config.yaml": configuration(name, "length: 11"),
            ...Object.fromEntries(
              Object.entries(files).map(([file, text]) => [
                path.join("node_modules", name, file),
                text
              ])
            )
          })
          const result = yield* Cli.run(["check", "--json"], { cwd })
          assert.strictEqual(result.code, 2, name + result.stderr)
          const { services } = Bot.summaryOf(result)
          assert.deepInclude(services["jobs"], {
            status: "unhealthy",
            message: "The queue is full"
          })
        }),
      { concurrency: 2, discard: true }
    )
  )

  it.scopedLive("is listed and described like the others", () =>
    Effect.gen(function* () {
      const cwd = yield* project({
        "my-check.mjs": source("queue"),
        "holter.config.yaml": configuration("./my-check.mjs")
      })
      const list = yield* Cli.run(["plugins", "list"], { cwd })
      assert.match(list.stdout, /^ {2}queue {2,}Length of a queue$/m)
      const describe = yield* Cli.run(["plugins", "describe", "queue"], { cwd })
      assert.match(describe.stdout, /^ {2}length +required {2}how long the queue is$/m)
      assert.match(describe.stdout, /^ {2}limit +optional {2}\S/m)
    })
  )

  it.scopedLive("has its fields checked like the others", () =>
    Effect.gen(function* () {
      const cwd = yield* project({
        "my-check.mjs": source("queue"),
        "holter.config.yaml": configuration("./my-check.mjs", "length: long, lenght: 1")
      })
      const result = yield* Cli.run(["check"], { cwd })
      assert.strictEqual(result.code, 78)
      assert.include(
        result.stderr,
        'checks.jobs.length: expected how long the queue is, found "long"'
      )
      assert.include(
        result.stderr,
        "checks.jobs.lenght: expected no such key (known: length, limit, type, interval, jitter, confirm, timeout, "
      )
    })
  )
})

describe.concurrent("a plugin that is none", () => {
  const env = { REDIS_URL: "redis://:canary-password@127.0.0.1:1" }
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["throws", "throw new Error('no ' + process.env.REDIS_URL)", ["which fails to load: no redis"]],
    ["throws what is no error", "throw Object.create(null)", ["which fails to load"]],
    ["rejects", "await Promise.reject(new Error('later'))", ["which fails to load: later"]],
    ["does not parse", "export const = 1", ["which fails to load"]],
    ["lacks a package", "import 'no-such-package'", ["which fails to load", "no-such-package"]],
    ["exports no check", "export const queue = { type: 'queue' }", ["which exports none of them"]],
    ["exports nothing", "", ["which exports none of them"]],
    ["takes a type that there is", source("redis"), ['two checks of type "redis"']],
    ["has a type twice", `${source("queue")}export const B = { ...Queue }`, ['of type "queue"']]
  ]

  it.scopedLive("is 78, by its name, and shows no secret", () =>
    Effect.forEach(
      cases,
      ([what, text, says]) =>
        Effect.gen(function* () {
          const cwd = yield* project({
            "my-check.mjs": text,
            "holter.config.yaml": configuration("./my-check.mjs")
          })
          const result = yield* Cli.run(["check"], { cwd, env })
          assert.strictEqual(result.code, 78, `${what}: ${result.stdout}${result.stderr}`)
          assert.include(result.stderr, "plugins", what)
          for (const part of says) assert.include(result.stderr, part, what)
          assert.notInclude(result.stderr, "canary", what)
        }),
      { concurrency: 2, discard: true }
    )
  )

  it.scopedLive("is 78 where there is no such file or package, all of them at once", () =>
    Effect.gen(function* () {
      const cwd = yield* project({
        "holter.config.yaml": 'plugins: ["./none.mjs", "none", "@none/none", "node:fs/nope"]\n'
      })
      const result = yield* Cli.run(["check"], { cwd })
      assert.strictEqual(result.code, 78)
      for (const [index, name] of ["./none.mjs", "none", "@none/none", "node:fs/nope"].entries()) {
        assert.include(result.stderr, `plugins.${index}: expected a package or a file`)
        assert.include(result.stderr, `found "${name}", which cannot be found from ${cwd}`)
      }
    })
  )
})
