import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { cut, pad, width } from "../../../src/Cli/Watch/Width.js"

describe("width", () => {
  const widths: ReadonlyArray<readonly [string, number]> = [
    ["", 0],
    ["Redis", 5],
    ["é", 1],
    ["e\u0301", 1],
    ["数据库", 6],
    ["データ", 6],
    ["서버", 4],
    ["ｆｕｌｌ", 8],
    ["✅", 2],
    ["❌", 2],
    ["🟡", 2],
    ["❔", 2],
    ["👩‍💻", 2],
    ["🇩🇪", 2],
    ["▁▂▃█", 4],
    ["…", 1],
    ["\u200b", 0]
  ]
  for (const [text, columns] of widths) {
    it(`of ${JSON.stringify(text)} is ${columns}`, () => {
      assert.strictEqual(width(text), columns)
    })
  }
})

const text = fc.string({ unit: "grapheme" })

describe("cut", () => {
  it.prop(
    "never takes more room than there is, and ends in the mark",
    [text, fc.nat(40)],
    ([whole, columns]) => {
      const short = cut(whole, columns, "…")
      assert.isAtMost(width(short), columns)
      if (width(whole) <= columns) assert.strictEqual(short, whole)
      else if (columns > 0) assert.isTrue(short.endsWith("…"))
    }
  )

  it("cuts no full-width character in two", () => {
    assert.strictEqual(cut("数据库", 5, "…"), "数据…")
    assert.strictEqual(cut("数据库", 4, "…"), "数…")
  })
})

describe("pad", () => {
  it.prop("fills up to the columns", [text, fc.nat(40)], ([whole, columns]) => {
    const expected = Math.max(columns, width(whole))
    assert.strictEqual(width(pad(whole, columns, "left")), expected)
    assert.strictEqual(width(pad(whole, columns, "right")), expected)
  })
})
