import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Excerpt from "../../src/Common/Excerpt.js"
import * as Secrets from "../../src/Common/Secrets.js"

const canary = "s3cret of\ta \u001bpager"
const secrets = Secrets.make([canary])

describe("an excerpt", () => {
  it("has no part of a secret, wherever it is cut, folded or cleaned", () => {
    for (let before = 0; before < 60; before += 1) {
      const text = `${"x".repeat(before)} ${canary} ${"y".repeat(60)}`
      const shown = Excerpt.make(secrets, text, 50)
      assert.isAtMost(shown.length, 50)
      assert.notMatch(shown, /s3cr|pager|of a/)
    }
  })

  it.effect("knows what is known around it, and what the caller adds", () =>
    Effect.gen(function* () {
      const both = Excerpt.knowing(Secrets.make(["another-one"]))(
        Excerpt.current(`a ${canary} b another-one\n c`, 100)
      ).pipe(Excerpt.knowing(secrets))
      assert.strictEqual(yield* both, "a <redacted> b <redacted> c")
      assert.strictEqual(yield* Excerpt.current("a\n  b", 100), "a b")
    })
  )

  it.effect("ends with the last whole words", () =>
    Effect.gen(function* () {
      const end = Excerpt.currentEnd(`${canary} ${"x".repeat(40)} the end`, 20)
      assert.strictEqual(yield* Excerpt.knowing(secrets)(end), "… the end")
    })
  )
})
