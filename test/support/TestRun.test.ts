import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Binaries from "./Binaries.js"
import * as ManagedProcess from "./ManagedProcess.js"
import * as ProcessTree from "./ProcessTree.js"
import * as TempDir from "./TempDir.js"
import * as TestRun from "./TestRun.js"

const executable = (file: string, prints = "") => {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\necho "${prints}"\n`)
  chmodSync(file, 0o755)
}

describe("TestRun", () => {
  it.scopedLive("the watchdog ends what a run left, even stopped, and removes its folder", () =>
    Effect.gen(function* () {
      const run = yield* TestRun.current
      const root = mkdtempSync(path.join(os.tmpdir(), "holter-test-"))
      mkdirSync(path.join(root, "left"))
      const left = yield* ManagedProcess.start({
        name: "sleep",
        command: "sh",
        args: ["-c", "echo up; exec sleep 1000"],
        cwd: path.join(root, "left")
      })
      yield* left.awaitOutput(/up/)
      yield* left.pause
      const watchdog = yield* ManagedProcess.start({
        name: "watchdog",
        command: process.execPath,
        args: [path.join(run.root, "watchdog.mjs"), root],
        cwd: "/"
      })
      assert.deepStrictEqual(yield* watchdog.exit, { code: 0, signal: null })
      assert.include(watchdog.stderr(), "1 left running")
      assert.isFalse(ProcessTree.isAlive(left.pid))
      assert.isFalse(existsSync(root))
    })
  )
})

describe("Binaries", () => {
  it.scopedLive("takes the newest PostgreSQL, from PATH or from Debian's folders", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("binaries")
      const versions = path.join(folder, "lib")
      for (const version of [9, 15, 17]) {
        const bin = path.join(versions, String(version), "bin")
        executable(path.join(bin, "initdb"))
        executable(path.join(bin, "postgres"), `postgres (PostgreSQL) ${version}.2`)
      }
      // In PATH there is only a link, as update-alternatives makes it.
      const linked = path.join(folder, "path")
      mkdirSync(linked)
      symlinkSync(path.join(versions, "15", "bin", "initdb"), path.join(linked, "initdb"))
      executable(path.join(linked, "redis-server"))
      assert.deepStrictEqual(Binaries.find({ path: linked, versions: [] }), {
        postgres: path.join(versions, "15", "bin"),
        redis: path.join(linked, "redis-server")
      })
      const found = Binaries.find({ path: linked, versions: [versions] })
      assert.strictEqual(found.postgres, path.join(versions, "17", "bin"))
    })
  )

  it.effect("says what is missing", () =>
    Effect.sync(() => {
      const none = Binaries.find({ path: "/nowhere", versions: ["/nowhere"] })
      assert.deepStrictEqual(none, { postgres: undefined, redis: undefined })
      assert.deepStrictEqual(Binaries.missing(none, ["redis"]), ["redis"])
      assert.deepStrictEqual(Binaries.missing({ ...none, redis: "/x" }, ["postgres", "redis"]), [
        "postgres"
      ])
    })
  )
})
