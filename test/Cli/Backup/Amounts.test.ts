import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import * as FastCheck from "effect/FastCheck"
import * as Amounts from "../../../src/Cli/Backup/Amounts.js"

describe("Amounts", () => {
  for (const [count, text] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [9949, "9.9 kB"],
    [9950, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [41_234_567, "41 MB"],
    [2_000_000_000_000_000_000, "2000 PB"]
  ] as const) {
    it(`${count} bytes are ${text}`, () => assert.strictEqual(Amounts.bytes(count), text))
  }

  for (const [seconds, text] of [
    [0, "1 s"],
    [59, "59 s"],
    [60, "1 min"],
    [3540, "59 min"],
    [3600, "1 h"],
    [26 * 3600, "26 h"],
    [48 * 3600, "2 days"],
    [350 * 86_400, "350 days"]
  ] as const) {
    it(`${seconds} seconds are ${text}`, () => assert.strictEqual(Amounts.span(seconds), text))
  }

  it("counts with commas, and in the plural where there is not one", () => {
    assert.strictEqual(Amounts.many(1, "row"), "1 row")
    assert.strictEqual(Amounts.many(0, "row"), "0 rows")
    assert.strictEqual(Amounts.many(1_234_567, "row"), "1,234,567 rows")
  })

  it("says of a time how long ago it is, and that it is yet to come where a clock was wrong", () => {
    const now = DateTime.unsafeMake("2025-12-11T08:00:00Z")
    const ago = (time: string) => Amounts.ago(DateTime.unsafeMake(time), now)
    assert.strictEqual(ago("2025-12-11T03:00:00Z"), "5 h ago")
    assert.strictEqual(ago("2025-12-11T08:00:00Z"), "just now")
    assert.strictEqual(ago("2025-12-11T08:00:30Z"), "just now")
    assert.strictEqual(ago("2026-12-11T08:00:00Z"), "in 365 days")
  })

  it("shows three figures at the most, whatever the size", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.nat(), FastCheck.nat(), (one, other) =>
        assert.match(Amounts.bytes(one * other), /^(\d{1,3}|\d\.\d|\d{4,} PB)( [kMGTP]?B)?$/)
      )
    )
  })
})
