import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { cut, pad, table, width } from "../../src/Cli/Columns.js"

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
    ["\u200b", 0],
    ["\u001b[31mred\u001b[0m", 3]
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

describe("table", () => {
  it("makes a column as wide as its widest cell, by columns of the terminal", () => {
    assert.deepStrictEqual(
      table([
        ["SERVICE", "STATUS"],
        ["数据库", "healthy"],
        ["Redis", "unhealthy"]
      ]),
      ["SERVICE  STATUS", "数据库   healthy", "Redis    unhealthy"]
    )
  })

  it("puts figures to the right and no spaces at the end of a line", () => {
    assert.deepStrictEqual(
      table(
        [
          ["NAME", "ROWS", ""],
          ["one", "1,000", ""]
        ],
        (column) => column === 1
      ),
      ["NAME   ROWS", "one   1,000"]
    )
  })

  it("has no lines without rows", () => {
    assert.deepStrictEqual(table([]), [])
  })
})
