import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import { vi } from "vitest"
import * as Cli from "./Cli.js"
import * as TempDir from "./TempDir.js"

/** A command in place of Holter's. */
const withBin = (source: string) =>
  Effect.gen(function* () {
    const folder = yield* TempDir.make("bin")
    const file = path.join(folder, "bin.cjs")
    writeFileSync(file, source)
    yield* Effect.acquireRelease(
      Effect.sync(() => vi.stubEnv("HOLTER_TEST_BIN", file)),
      () => Effect.sync(() => vi.unstubAllEnvs())
    )
  })

describe("Cli", () => {
  it.scopedLive("gives a clean environment, files, arguments and input, and reports the end", () =>
    Effect.gen(function* () {
      yield* withBin(`
        const { readFileSync } = require("node:fs")
        const input = readFileSync(0, "utf8")
        console.log(JSON.stringify({
          args: process.argv.slice(2), env: Object.keys(process.env).sort(), input,
          file: readFileSync("conf/a.yaml", "utf8"), cwd: process.cwd()
        }))
        console.error("warned")
        process.exitCode = 3
      `)
      const result = yield* Cli.run(["check", "--only", "a b"], {
        env: { EXTRA: "1" },
        files: { "conf/a.yaml": "a: 1\n" },
        stdin: "typed"
      })
      assert.deepInclude(result, { code: 3, signal: null, stderr: "warned\n", timedOut: false })
      assert.deepStrictEqual(JSON.parse(result.stdout), {
        args: ["check", "--only", "a b"],
        env: ["EXTRA", "HOME", "PATH"],
        input: "typed",
        file: "a: 1\n",
        cwd: result.cwd
      })
      assert.isAbove(result.millis, 1)
    })
  )

  it.scopedLive("kills what does not end in time", () =>
    Effect.gen(function* () {
      yield* withBin("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)")
      const result = yield* Cli.run([], { timeout: "300 millis" })
      assert.deepInclude(result, { code: null, signal: "SIGKILL", timedOut: true })
    })
  )

  it.scopedLive("talks to what keeps running", () =>
    Effect.gen(function* () {
      yield* withBin(`
        process.on("SIGTERM", () => { console.log("bye"); process.exit(0) })
        setInterval(() => {}, 1000)
        console.log("listening on 4711")
      `)
      const started = yield* Cli.start(["watch"])
      const match = yield* started.awaitStdout(/listening on (\d+)/)
      assert.strictEqual(match[1], "4711")
      yield* started.signal("SIGTERM")
      assert.deepInclude(yield* started.exit, { code: 0, stdout: "listening on 4711\nbye\n" })
    })
  )

  it.scopedLive("shows what a terminal gets", () =>
    Effect.gen(function* () {
      yield* withBin(`
        console.log([process.stdout.isTTY, process.stdout.columns, process.argv[2]].join(" "))
        console.error("\\u2705 warned")
        process.exitCode = 2
      `)
      const result = yield* Cli.pty(["it's"], { columns: 80 })
      assert.deepInclude(result, { code: 2, stdout: "true 80 it's\n\u2705 warned\n", stderr: "" })
    })
  )

  it.scopedLive("says what to do when nothing was built", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.stubEnv("HOLTER_TEST_BIN", "/nowhere/bin.cjs")),
        () => Effect.sync(() => vi.unstubAllEnvs())
      )
      const error = yield* Effect.flip(Cli.run([]))
      assert.include(error.message, "npm run build")
    })
  )
})
