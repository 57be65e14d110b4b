/** A process whose event loop is blocked, and processes that only look like it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { afterAll, beforeAll } from "vitest"
import * as Program from "../support/Program.js"
import * as TempDir from "../support/TempDir.js"

let program: Program.Bundle
beforeAll(async () => {
  program = await Program.bundle("test/Lifecycle/programs/blocking.ts")
})
afterAll(() => program.dispose())

const started = (how: string, limitMillis: number) =>
  Program.start(program.file, { args: [how, String(limitMillis)] })

const linesOf = (running: Program.Program) => running.stdout().split("\n").length - 1

describe("Watchdog", () => {
  it.scopedLive("a loop of JavaScript ends with 70, the check's name and the place", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* (yield* started("loop", 500)).exit
      assert.strictEqual(code, 70)
      assert.include(stderr, "bot: the event loop was blocked for 500ms while these checks ran: ")
      assert.include(stderr, "hanging. The process could send no alert")
      assert.include(stderr, "Tell its author.")
      assert.match(stderr, /It stood here:\n.*blockTheLoop/)
    })
  )

  it.scopedLive("what native code blocks is killed, with the check's name", () =>
    Effect.gen(function* () {
      const pipe = `${yield* TempDir.make("watchdog")}/pipe`
      yield* Effect.promise(() => promisify(execFile)("mkfifo", [pipe]))
      const { signal, stderr } = yield* (yield* started(pipe, 500)).exit
      assert.strictEqual(signal, "SIGKILL")
      assert.match(stderr, /while these checks ran: .*hanging\. /)
    })
  )

  it.scopedLive("a stopped process goes on when it is continued, however long that took", () =>
    Effect.gen(function* () {
      // The other one tells the time: it turns every 20 ms.
      const other = yield* started("none", 0)
      const running = yield* started("none", 400)
      yield* running.awaitOutput(/turn\n/)
      for (const _ of [1, 2, 3]) {
        const passed = linesOf(other) + 40
        yield* running.pause
        yield* other.awaitOutput(new RegExp(`^(?:turn.*\\n){${passed}}`))
        const before = linesOf(running)
        yield* running.resume
        yield* running.awaitOutput(new RegExp(`^(?:turn.*\\n){${before + 10}}`))
      }
      assert.isTrue(running.isRunning())
      assert.strictEqual(running.stderr(), "")
    })
  )
})
