import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as Text from "../../src/Common/Text.js"

const texts = fc.array(fc.constantFrom("a", "é", "😀", "✓"), { maxLength: 20 })

describe("Text", () => {
  it("is readable for all: no half of a character, and no NUL", () => {
    assert.strictEqual(Text.wellFormed("a\ud83d b\ude00 c\0 😀"), "a\ufffd b\ufffd c\ufffd 😀")
    assert.strictEqual(Text.wellFormed("all is well\n😀"), "all is well\n😀")
  })

  it("is cut to a length, and no character in two", () => {
    assert.strictEqual(Text.clip("abc", 3), "abc")
    assert.strictEqual(Text.clip("abcd", 3), "ab…")
    assert.strictEqual(Text.clip("a😀b", 3), "a…")
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 30 }), (parts, most) => {
        const text = parts.join("")
        const cut = Text.clip(text, most)
        assert.isAtMost(cut.length, most)
        assert.notMatch(cut, /\p{Surrogate}/u)
        if (text.length <= most) assert.strictEqual(cut, text)
        else {
          assert.isTrue(text.startsWith(cut.slice(0, -1)))
          assert.isAtLeast(cut.length, most - 1)
        }
      })
    )
  })
})
