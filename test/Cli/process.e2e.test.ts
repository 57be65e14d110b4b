/** The command as a process: signals, broken pipes, faults, and the code cache beside it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as FaultyTcp from "../support/FaultyTcp.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as ManagedProcess from "../support/ManagedProcess.js"
import * as TempDir from "../support/TempDir.js"
import * as Bot from "./bot.js"

/** A check that hangs for a minute, and the server that knows when it began to. */
const hanging = Effect.gen(function* () {
  const double = yield* HttpDouble.make({ routes: { "*": Behaviour.hang } })
  const files = {
    "holter.config.yaml": `checks:\n  web: { type: http, url: "${double.url}/", timeout: 1 minute, interval: 1 minute }\n`
  }
  const started = yield* Cli.start(["check", "--json"], { files })
  yield* double.awaitRequests(1)
  return started
})

describe("holter check, interrupted", () => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129]
  ] as const) {
    it.scopedLive(`ends with ${code} at once on ${signal} while a check hangs`, () =>
      Effect.gen(function* () {
        const started = yield* hanging
        const begin = performance.now()
        yield* started.signal(signal)
        const result = yield* started.exit
        assert.deepInclude(result, { code, signal: null, stdout: "", timedOut: false })
        assert.isBelow(performance.now() - begin, 3000)
      })
    )
  }

  it.scopedLive("ends at once at the second signal, whatever the first has started", () =>
    Effect.gen(function* () {
      // A finalizer that never ends: what a plugin might do.
      const cwd = yield* withPlugin(`
        import { Effect, Layer, Schema } from "effect"
        import { Check, Outcome } from "holter"
        class E extends Schema.TaggedError()("E", { reason: Schema.Literal("No") }) {}
        export const Stuck = Check.make("stuck", {
          description: "never lets go",
          config: {},
          error: E,
          probe: () => Effect.zipRight(
            Effect.sync(() => process.stderr.write("probing\\n")),
            Effect.onInterrupt(Effect.never, () => Effect.sync(() => {
              process.stderr.write("stopping\\n")
              for (const end = performance.now() + 700; performance.now() < end;);
            }))
          ),
          services: () => Layer.scopedDiscard(Effect.addFinalizer(() => Effect.never))
        })`)
      const started = yield* Cli.start(["check", "--json"], { cwd })
      yield* started.awaitStderr(/probing/)
      yield* started.signal("SIGTERM")
      yield* started.awaitStderr(/stopping/)
      yield* started.signal("SIGINT")
      const result = yield* started.exit
      assert.strictEqual(result.code, 130)
      assert.isEmpty(result.stdout)
    })
  )

  it.scopedLive("ends by itself though a connection does not close", () =>
    Effect.gen(function* () {
      const cwd = yield* withPlugin(`
        import { Effect, Layer, Schema } from "effect"
        import { Check, Outcome } from "holter"
        class E extends Schema.TaggedError()("E", { reason: Schema.Literal("No") }) {}
        export const Stuck = Check.make("stuck", {
          description: "never lets go",
          config: {},
          error: E,
          probe: () => Effect.succeed(Outcome.healthy("fine")),
          services: () => Layer.scopedDiscard(Effect.addFinalizer(() => Effect.never))
        })`)
      const result = yield* Cli.run(["check", "--json"], { cwd, timeout: "10 seconds" })
      assert.strictEqual(result.code, 0, result.stderr)
      assert.strictEqual(Bot.statusesOf(result)["stuck"], "healthy")
    })
  )
})

/** A project whose configuration names one plugin, a file of this text. */
const withPlugin = (source: string) =>
  Effect.gen(function* () {
    const cwd = yield* TempDir.make("plugin")
    const root = path.join(path.dirname(Cli.bin()), "..")
    mkdirSync(path.join(cwd, "node_modules"))
    symlinkSync(root, path.join(cwd, "node_modules", "holter"))
    symlinkSync(path.join(root, "node_modules", "effect"), path.join(cwd, "node_modules", "effect"))
    writeFileSync(path.join(cwd, "stuck.mjs"), source)
    writeFileSync(
      path.join(cwd, "holter.config.yaml"),
      'checks:\n  stuck: { type: stuck }\nplugins: ["./stuck.mjs"]\n'
    )
    return cwd
  })

/** A line for the shell, with `holter` as its `$0`. */
const shell = (line: string, env: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const cwd = yield* TempDir.make("shell")
    const started = yield* ManagedProcess.start({
      name: "shell",
      command: "bash",
      args: ["-c", `holter() { "${process.execPath}" "${Cli.bin()}" "$@"; }; ${line}`],
      cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: cwd, ...env }
    })
    const ended = yield* started.exit
    return { ...ended, stdout: started.stdout(), stderr: started.stderr() }
  })

describe("holter check, into the shell", () => {
  it.scopedLive("keeps its exit code when the reader has gone", () =>
    Effect.gen(function* () {
      const env = { DATABASE_URL: yield* Bot.sqlite }
      for (const words of ["check", "check --json", "check --help", "--version"]) {
        const gone = yield* shell(`holter ${words} | head -0; echo "\${PIPESTATUS[0]}"`, env)
        assert.strictEqual(gone.stdout, "0\n", words)
        assert.isEmpty(gone.stderr, words)
      }
      const down = { DATABASE_URL: "sqlite:////nowhere/at/all.db" }
      const gone = yield* shell('holter check | head -0; echo "${PIPESTATUS[0]}"', down)
      assert.strictEqual(gone.stdout, "2\n")
    })
  )

  it.scopedLive("gives the whole document to a slow reader", () =>
    Effect.gen(function* () {
      const { port } = yield* FaultyTcp.silent
      const names = Array.from({ length: 400 }, (_, index) => `service_${index}`)
      const config = names.map((name) => `  ${name}: { type: tcp, host: 127.0.0.1, port: ${port} }`)
      const folder = yield* TempDir.make("many")
      const file = path.join(folder, "many.yaml")
      writeFileSync(file, `checks:\n${config.join("\n")}\n`)
      // More than a pipe holds, and a shell reads byte by byte.
      const copy = `while IFS= read -r line; do printf '%s\\n' "$line"; done`
      const result = yield* shell(`holter check --json -c ${file} | { ${copy}; }`, {})
      const summary = JSON.parse(result.stdout) as Bot.Summary
      assert.lengthOf(Object.keys(summary.services), 400)
    })
  )

  it.scopedLive("is 70 when it cannot write, and never 0, 1 or 2", () =>
    Effect.gen(function* () {
      const env = { DATABASE_URL: yield* Bot.sqlite }
      const full = yield* shell("holter check --json > /dev/full", env)
      assert.strictEqual(full.code, 70)
      assert.include(full.stderr, "holter: a fault of the program itself: ")
      assert.include(full.stderr, "ENOSPC")
    })
  )
})

describe("holter check, with a fault in it", () => {
  for (const [what, statement] of [
    ["an exception that nobody catches", "setImmediate(() => { throw new Error(text) })"],
    ["a rejection that nobody handles", "Promise.reject(new Error(text))"],
    ["a layer that dies", "throw new Error(text)"]
  ] as const) {
    it.scopedLive(`is 70 after ${what}, and shows no secret`, () =>
      Effect.gen(function* () {
        const cwd = yield* withPlugin(`
          import { Effect, Layer, Schema } from "effect"
          import { Check } from "holter"
          class E extends Schema.TaggedError()("E", { reason: Schema.Literal("No") }) {}
          const text = "broken at " + process.env.REDIS_URL
          export const Stuck = Check.make("stuck", {
            description: "breaks",
            config: {},
            error: E,
            probe: () => Effect.never,
            services: () => { ${statement}; return Layer.empty }
          })`)
        const env = { REDIS_URL: "redis://:canary-password@127.0.0.1:1" }
        const result = yield* Cli.run(["check", "--json"], { cwd, env })
        assert.strictEqual(result.code, 70, result.stderr)
        assert.isEmpty(result.stdout)
        assert.include(result.stderr, "holter: a fault of the program itself: broken at redis://")
        assert.notInclude(result.stderr, "canary")
      })
    )
  }
})

describe("holter check, of many services", () => {
  it.scopedLive("loads each driver once", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.json(200, { ok: true }) } })
      const names = ["one", "two", "three"]
      const checks = names.flatMap((name) => [
        `  web_${name}: { type: http, url: "${double.url}/" }`,
        `  db_${name}: { type: database, url: "sqlite:///${name}.db" }`
      ])
      const result = yield* Cli.run(["check", "--json"], {
        env: { NODE_OPTIONS: "--require ./reads.cjs" },
        files: {
          "holter.config.yaml": `checks:\n${checks.join("\n")}\n`,
          "reads.cjs": `
            const fs = require("node:fs")
            const { readFileSync } = fs
            const drivers = []
            fs.readFileSync = (file, ...rest) => {
              const [driver] = /driver-[a-z]+[.]cjs$/.exec(String(file)) ?? []
              if (driver !== undefined) drivers.push(driver)
              return readFileSync(file, ...rest)
            }
            process.on("exit", () => fs.writeFileSync("drivers.json", JSON.stringify(drivers)))`
        }
      })
      const drivers = JSON.parse(
        readFileSync(path.join(result.cwd, "drivers.json"), "utf8")
      ) as ReadonlyArray<string>
      assert.include(drivers, "driver-undici.cjs")
      assert.deepStrictEqual(drivers, [...new Set(drivers)])
    })
  )
})

/** The built command in a folder of its own, so that its cache can be spoiled. */
const installed = Effect.gen(function* () {
  const root = yield* TempDir.make("installed")
  const from = path.dirname(Cli.bin())
  const dist = path.join(root, "dist")
  mkdirSync(dist)
  for (const name of readdirSync(from).filter((name) => /\.(cjs|cache|json)$/.test(name))) {
    cpSync(path.join(from, name), path.join(dist, name))
  }
  symlinkSync(path.join(from, "..", "node_modules"), path.join(root, "node_modules"))
  // Drivers have caches of their own, which are treated alike.
  const caches = () => readdirSync(dist).filter((name) => /^cli\..*\.cache$/.test(name))
  const home = path.join(root, "home")
  mkdirSync(home)
  const env = { DATABASE_URL: yield* Bot.sqlite, HOME: home }
  return {
    dist,
    home,
    caches,
    cache: path.join(dist, caches()[0] ?? "none"),
    run: Cli.run(["check", "--json"], { bin: path.join(dist, "bin.cjs"), env }),
    runOff: Cli.run(["check", "--json"], {
      bin: path.join(dist, "bin.cjs"),
      env: { ...env, HOLTER_CODE_CACHE: "off" }
    })
  }
})

describe("the code cache", () => {
  const well = (result: Cli.CliResult) => {
    assert.deepInclude(result, { code: 0, signal: null, stderr: "" })
    assert.strictEqual(Bot.summaryOf(result).overall_status, "healthy")
  }

  it.scopedLive("is made where there is none, used, and not made with HOLTER_CODE_CACHE=off", () =>
    Effect.gen(function* () {
      const { cache, caches, dist, run, runOff } = yield* installed
      rmSync(cache)
      well(yield* runOff)
      assert.isEmpty(caches())
      well(yield* run)
      const [made = ""] = caches()
      const { ino, mode, mtimeMs } = statSync(path.join(dist, made))
      assert.strictEqual(mode & 0o022, 0)
      well(yield* run)
      const now = statSync(path.join(dist, made))
      assert.deepInclude(now, { ino, mtimeMs })
    })
  )

  it.scopedLive("that is damaged harms nothing, and is made anew", () =>
    Effect.gen(function* () {
      const { cache, run } = yield* installed
      const whole = readFileSync(cache)
      const damage: ReadonlyArray<readonly [string, Buffer]> = [
        ["empty", Buffer.alloc(0)],
        ["a text", Buffer.from("no compiled code")],
        ["cut off", whole.subarray(0, whole.length >> 1)],
        [
          "zeros at its end",
          Buffer.concat([whole.subarray(0, 4096), Buffer.alloc(whole.length - 4096)])
        ],
        [
          "zeros in its middle",
          Buffer.from(whole).fill(0, whole.length >> 1, (whole.length >> 1) + 65_536)
        ],
        [
          "other bits",
          Buffer.from(whole.map((byte, index) => (index % 997 === 0 ? byte ^ 0xff : byte)))
        ]
      ]
      for (const [what, bytes] of damage) {
        writeFileSync(cache, bytes)
        const result = yield* run
        assert.deepInclude(result, { code: 0, signal: null, stderr: "" }, what)
        assert.isAbove(statSync(cache).size, 100_000, what)
        assert.isFalse(readFileSync(cache).equals(bytes), what)
      }
    })
  )

  it.scopedLive("that others can write to is not used", () =>
    Effect.gen(function* () {
      const { cache, run } = yield* installed
      const marked = statSync(cache).mtimeMs
      for (const mode of [0o666, 0o664]) {
        chmodSync(cache, mode)
        well(yield* run)
        // It was put aside for one that only its owner writes to.
        const { mode: now, mtimeMs } = statSync(cache)
        assert.strictEqual(now & 0o022, 0)
        assert.notStrictEqual(mtimeMs, marked)
      }
    })
  )

  it.scopedLive("lies in the user's folder where the installation is read-only, or nowhere", () =>
    Effect.gen(function* () {
      const { cache, home, run } = yield* installed
      rmSync(cache)
      // A folder in its place keeps even root from writing the file.
      mkdirSync(path.join(cache, "occupied"), { recursive: true })
      well(yield* run)
      const user = path.join(home, ".cache", "holter")
      assert.deepStrictEqual(readdirSync(user), [path.basename(cache)])
      assert.strictEqual(statSync(user).mode & 0o777, 0o700)
      well(yield* run)
      rmSync(path.join(home, ".cache"), { recursive: true })
      writeFileSync(path.join(home, ".cache"), "a file where the folder should be")
      well(yield* run)
    })
  )
})

describe("the driver of SQLite", () => {
  it.scopedLive("is the installed one where it is another than that of the bundle", () =>
    Effect.gen(function* () {
      const { dist, run } = yield* installed
      const modules = path.join(dist, "..", "node_modules")
      const real = path.join(path.dirname(Cli.bin()), "..", "node_modules")
      rmSync(modules)
      const other = path.join(modules, "better-sqlite3")
      for (const part of ["lib", "build/Release/better_sqlite3.node"]) {
        cpSync(path.join(real, "better-sqlite3", part), path.join(other, part), { recursive: true })
      }
      for (const needed of ["bindings", "file-uri-to-path"]) {
        symlinkSync(path.join(real, needed), path.join(modules, needed))
      }
      writeFileSync(path.join(other, "package.json"), '{ "version": "13.999.0" }')
      const loaded = path.join(dist, "loaded")
      writeFileSync(
        path.join(other, "index.js"),
        `require("node:fs").writeFileSync(${JSON.stringify(loaded)}, "")
         module.exports = require("./lib")`
      )
      const result = yield* run
      assert.deepInclude(result, { code: 0, signal: null, stderr: "" })
      assert.strictEqual(Bot.summaryOf(result).overall_status, "healthy")
      assert.isTrue(existsSync(loaded))
    })
  )
})
