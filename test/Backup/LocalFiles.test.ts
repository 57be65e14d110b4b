/** Work in a directory where somebody else exchanges files for links while it goes on. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as LocalFiles from "../../src/Backup/LocalFiles.js"
import * as ManagedProcess from "../support/ManagedProcess.js"
import * as TempDir from "../support/TempDir.js"

const program = fileURLToPath(new URL("../support/flipper.py", import.meta.url))

const flipping = (one: string, other: string) =>
  Effect.gen(function* () {
    const managed = yield* ManagedProcess.start({
      name: "flipper",
      command: "python3",
      args: [program, one, other],
      cwd: path.dirname(one)
    })
    yield* managed.awaitOutput(/ready/)
  })

const rounds = 300

const suite = () => {
  it.scopedLive("removes nothing behind a link, whenever a directory becomes one", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("flip")
      const victim = path.join(folder, "victim")
      const keep = path.join(victim, "payload")
      fs.mkdirSync(victim)
      fs.writeFileSync(keep, "of somebody else")
      const shared = path.join(folder, "shared")
      fs.mkdirSync(shared)
      const [left, link] = [path.join(shared, ".partial-left"), path.join(shared, "link")]
      fs.symlinkSync(victim, link)
      fs.mkdirSync(left)
      yield* flipping(left, link)
      for (let round = 0; round < rounds && fs.existsSync(keep); round++) {
        // Each may fail, as what it has looked at is another thing by then.
        while (fs.readdirSync(shared).length > 0) {
          for (const name of [left, link]) yield* Effect.either(LocalFiles.remove(name))
        }
        fs.mkdirSync(left)
        fs.writeFileSync(path.join(left, "payload"), "of a run")
        fs.symlinkSync(victim, link)
      }
      assert.isTrue(fs.existsSync(keep))
    })
  )

  it.scopedLive("changes no mode behind a link, whenever a file becomes one", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("flip")
      const victim = path.join(folder, "victim")
      fs.writeFileSync(victim, "of somebody else", { mode: 0o644 })
      fs.chmodSync(victim, 0o644)
      const [file, link] = [path.join(folder, "file"), path.join(folder, "link")]
      fs.writeFileSync(file, "of a run")
      fs.symlinkSync(victim, link)
      yield* flipping(file, link)
      for (let round = 0; round < rounds; round++) {
        yield* Effect.either(LocalFiles.makePrivate(file, "file"))
      }
      assert.strictEqual(fs.statSync(victim).mode & 0o777, 0o644)
    })
  )

  it.scopedLive("changes no mode behind a link, whenever what a run has made becomes one", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("flip")
      const victim = path.join(folder, "victim")
      fs.mkdirSync(victim)
      fs.writeFileSync(path.join(victim, "toc.dat"), "of somebody else")
      fs.chmodSync(path.join(victim, "toc.dat"), 0o644)
      fs.chmodSync(victim, 0o755)
      const [made, link] = [path.join(folder, "made"), path.join(folder, "link")]
      fs.mkdirSync(made)
      fs.writeFileSync(path.join(made, "toc.dat"), "of a run")
      fs.symlinkSync(victim, link)
      yield* flipping(made, link)
      for (let round = 0; round < rounds; round++) yield* Effect.either(LocalFiles.settle(made))
      assert.strictEqual(fs.statSync(path.join(victim, "toc.dat")).mode & 0o777, 0o644)
      assert.strictEqual(fs.statSync(victim).mode & 0o777, 0o755)
    })
  )

  it.scopedLive("changes no mode behind a link, whenever a new directory becomes one", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("flip")
      const victim = path.join(folder, "victim")
      fs.mkdirSync(victim)
      fs.chmodSync(victim, 0o755)
      const shared = path.join(folder, "shared")
      fs.mkdirSync(shared)
      const [made, link] = [path.join(shared, "made"), path.join(shared, "link")]
      yield* flipping(made, link)
      const masked = Effect.acquireUseRelease(
        // What is made has no rights at first, and gets them.
        Effect.sync(() => process.umask(0o777)),
        () => Effect.either(LocalFiles.makeDirectory(made)),
        (before) => Effect.sync(() => process.umask(before))
      )
      for (let round = 0; round < rounds; round++) {
        while (fs.readdirSync(shared).length > 0) {
          for (const name of [made, link]) yield* Effect.either(LocalFiles.remove(name))
        }
        fs.symlinkSync(victim, link)
        yield* masked
      }
      assert.strictEqual(fs.statSync(victim).mode & 0o777, 0o755)
    })
  )
}

// Two names are exchanged in one call on Linux only.
if (process.platform === "linux") describe("Files in a directory of somebody else", suite)

describe("Removing", () => {
  it.scopedLive("takes a tree with all in it, links for themselves, and what is not there", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("remove")
      const outside = path.join(folder, "outside")
      fs.writeFileSync(outside, "stays")
      const tree = path.join(folder, "tree")
      fs.mkdirSync(path.join(tree, "one", "two"), { recursive: true })
      fs.writeFileSync(path.join(tree, "one", "two", "file"), "")
      fs.symlinkSync(outside, path.join(tree, "one", "link"))
      fs.symlinkSync(folder, path.join(tree, "up"))
      yield* LocalFiles.remove(tree)
      yield* LocalFiles.remove(tree)
      assert.deepStrictEqual(fs.readdirSync(folder), ["outside"])
      const below = yield* Effect.flip(LocalFiles.remove(path.join(outside, "x")))
      assert.include(below.message, "a file in the place of a directory")
    })
  )

  it.scopedLive("goes on where somebody else removes the same", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("remove")
      const tree = path.join(folder, "tree")
      for (let round = 0; round < 20; round++) {
        for (let one = 0; one < 10; one++) {
          fs.mkdirSync(path.join(tree, `${one}`, "below"), { recursive: true })
          fs.writeFileSync(path.join(tree, `${one}`, "below", "file"), "")
        }
        yield* Effect.all(
          Array.from({ length: 4 }, () => LocalFiles.remove(tree)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(fs.readdirSync(folder), [])
      }
    })
  )
})
