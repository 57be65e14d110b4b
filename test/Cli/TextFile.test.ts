import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as TextFile from "../../src/Cli/TextFile.js"
import * as TempDir from "../support/TempDir.js"

const read = (file: string) => Effect.provide(TextFile.read(file), NodeFileSystem.layer)

describe("a text file", () => {
  it.scopedLive(
    "is a regular one of a size and an encoding that it has, and nothing is waited for",
    () =>
      Effect.gen(function* () {
        const folder = yield* TempDir.make("text")
        const file = (name: string, content: string | Uint8Array) => {
          fs.writeFileSync(path.join(folder, name), content)
          return path.join(folder, name)
        }
        const pipe = path.join(folder, "pipe")
        execFileSync("mkfifo", [pipe])
        const found = (name: string) =>
          Effect.map(Effect.flip(read(name)), (error) =>
            error._tag === "NoText" ? error.found : error._tag
          )
        assert.strictEqual(yield* found(pipe), "a pipe")
        assert.strictEqual(yield* found("/dev/zero"), "a device")
        assert.strictEqual(yield* found(folder), "a directory")
        assert.strictEqual(yield* found(path.join(folder, "none")), "SystemError")
        assert.match(yield* found(file("large", "x".repeat(300_000))), /a file of 300000 bytes/)
        const latin = Buffer.concat([
          Buffer.from("name: é\nbot: "),
          Buffer.from("Gr\u00f6\u00dfe", "latin1")
        ])
        assert.include(yield* found(file("latin", latin)), "no UTF-8 at line 2, column 8")
        assert.include(
          yield* found(file("cut", Buffer.from("aé").subarray(0, 2))),
          "line 1, column 2"
        )
        assert.strictEqual(yield* read(file("sign", "a \ufffd é")), "a \ufffd é")
      })
  )
})
