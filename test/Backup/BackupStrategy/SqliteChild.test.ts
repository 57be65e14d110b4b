/** What a child says that gives no answer, in the message about it. */
import { CommandExecutor } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Child from "../../../src/Backup/BackupStrategy/Sqlite/Child.js"
import * as Excerpt from "../../../src/Common/Excerpt.js"
import * as Secrets from "../../../src/Common/Secrets.js"

const secret = "correct-horse-battery-staple"

const said = (program: string) =>
  Effect.gen(function* () {
    const executor = yield* CommandExecutor.CommandExecutor
    const request = { _tag: "Present", database: "/none", busyTimeout: 0 } as never
    const error = yield* Effect.flip(
      Child.ask(
        { executor, program: { text: program, from: [import.meta.url] } },
        request,
        () => Effect.void
      )
    ).pipe(Excerpt.knowing(Secrets.make([secret])))
    return error.message
  }).pipe(Effect.provide(NodeContext.layer))

/** No piece of it that is longer than chance. */
const hidden = (message: string) => {
  for (let at = 0; at + 6 <= secret.length; at++) {
    assert.notInclude(message, secret.slice(at, at + 6))
  }
}

describe("A child that gives no answer", () => {
  it.scopedLive("is cited without its secrets, wherever its line is cut", () =>
    Effect.gen(function* () {
      for (const before of [280, 290, 299]) {
        const message = yield* said(
          `console.log("x".repeat(${before}) + ${JSON.stringify(secret)} + "y".repeat(900)); process.exit(3)`
        )
        assert.include(message, "exit code 3; xxx")
        assert.isBelow(message.length, 700)
        hidden(message)
      }
    })
  )

  it.scopedLive("is cited by its last words, wherever these are cut", () =>
    Effect.gen(function* () {
      for (const behind of [480, 490, 499]) {
        const message = yield* said(
          `console.error("x".repeat(900) + ${JSON.stringify(secret)} + "y".repeat(${behind})); process.exit(3)`
        )
        assert.include(message, "yyy")
        assert.isBelow(message.length, 900)
        hidden(message)
      }
    })
  )
})
