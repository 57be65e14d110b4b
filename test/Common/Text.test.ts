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

  const forged =
    "t\u001b[2J\u001b]0;x\u0007\u009b31m\u007f a\r\n\u2028\u0085b\u202e\u2066\u200e\u200b\u2060\ufeff\u00ad\ud800c"

  it("is made visible on one line: nothing acts on a terminal, turns or hides", () => {
    const seen = Text.visible(forged)
    assert.notMatch(seen, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
    assert.match(seen, /^t\ufffd\[2J\ufffd\]0;x\ufffd\ufffd31m\ufffd a b/)
    assert.notMatch(Text.onOneLine(forged), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
    assert.strictEqual(Text.onOneLine("  a   b\n  c"), "  a   b   c")
    assert.strictEqual(Text.legible("a\r\nb\n\u001bc\rd"), "a\nb\n\ufffdc\ufffdd")
    for (const plain of ["Größe ✓ ⚠️", "👩🏽‍🚀 👨‍👩‍👧 🏳️‍🌈", "日本語", "עברית"]) {
      assert.strictEqual(Text.visible(plain), plain)
    }
  })

  it("is escaped in JSON, and nothing of it is lost", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.constantFrom(forged, "", "🏴\u{e0067}"),
        (text, more) => {
          const value = { [more]: `${text}${more}` }
          const json = Text.escaped(JSON.stringify(value))
          assert.deepStrictEqual(JSON.parse(json), value)
          assert.strictEqual(
            Text.visible(json.replaceAll(/\s/g, " ")),
            json.replaceAll(/\s/g, " ").replaceAll(/ +/g, " ")
          )
        }
      )
    )
  })
})
