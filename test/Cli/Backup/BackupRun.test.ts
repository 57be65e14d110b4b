import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { BackupError } from "../../../src/Backup/BackupError.js"
import { reporting } from "../../../src/Cli/Backup/BackupRun.js"
import { ExitCode, Output } from "../../../src/Cli/Output.js"
import * as Secrets from "../../../src/Common/Secrets.js"

const failure = (preRestore: string | undefined) =>
  new BackupError({
    reason: "ChildFailed",
    subject: "bot.db",
    expected: "a restore that ends",
    found: "a process that was killed",
    ...(preRestore === undefined ? {} : { preRestore })
  })

const restoreOf = (name: string) => `holter backup restore --backup-file ${name}`

/** What is said of a failure, and the exit code. */
const told = (error: BackupError, json: boolean) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const notes: Array<string> = []
    const codes: Array<number> = []
    const layer = Layer.mergeAll(
      Layer.succeed(Output, {
        line: (text) => Effect.sync(() => void lines.push(text)),
        note: (text) => Effect.sync(() => void notes.push(text)),
        hide: () => Effect.void,
        look: { emoji: false, color: false }
      }),
      Layer.succeed(ExitCode, { set: (code) => Effect.sync(() => void codes.push(code)) })
    )
    const settings = { secrets: Secrets.none }
    yield* reporting({ json, restoreOf }, settings)(Effect.fail(error)).pipe(Effect.provide(layer))
    return { codes, lines, notes: notes.join("\n") }
  })

describe("a restore that fails", () => {
  it.effect("once the present is saved, says as what, and the command that gets back to it", () =>
    Effect.gen(function* () {
      const { codes, lines, notes } = yield* told(failure("bot_pre_restore.db.gz"), true)
      assert.deepStrictEqual(codes, [1])
      assert.nestedInclude(JSON.parse(lines.join("")) as object, {
        "error.reason": "ChildFailed",
        "error.pre_restore": "bot_pre_restore.db.gz",
        "error.take_back": restoreOf("bot_pre_restore.db.gz")
      })
      assert.include(notes, "The content before is saved as bot_pre_restore.db.gz.")
      assert.include(notes, `\n   ${restoreOf("bot_pre_restore.db.gz")}`)
    })
  )

  it.effect("before that, has no such command", () =>
    Effect.gen(function* () {
      const { codes, lines, notes } = yield* told(failure(undefined), true)
      assert.deepStrictEqual(codes, [1])
      assert.notNestedProperty(JSON.parse(lines.join("")) as object, "error.pre_restore")
      assert.notInclude(notes, "holter backup restore")
    })
  )
})
