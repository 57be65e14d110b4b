import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Format from "../../src/Common/Format.js"

describe("Format", () => {
  for (const [count, text] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [9949, "9.9 kB"],
    [9999, "9.9 kB"],
    [10_000, "10 kB"],
    [999_999, "999 kB"],
    [41_234_567, "41 MB"],
    [2_000_000_000_000_000_000, "2000 PB"]
  ] as const) {
    it(`${count} bytes are ${text}`, () => assert.strictEqual(Format.bytes(count), text))
  }

  for (const [seconds, text] of [
    [0, "1s"],
    [59, "59s"],
    [60, "1m"],
    [3540, "59m"],
    [3600, "1h"],
    [26 * 3600, "26h"],
    [48 * 3600, "2d"],
    [350 * 86_400, "350d"]
  ] as const) {
    it(`${seconds} seconds are about ${text}`, () =>
      assert.strictEqual(Format.about(seconds * 1000), text))
  }

  for (const [millis, text, padded] of [
    [0, "0ms", "0s"],
    [350, "350ms", "0s"],
    [45_900, "45s", "45s"],
    [3_600_000, "1h", "1h 0m"],
    [3_900_000, "1h 5m", "1h 5m"],
    [3 * 86_400_000 + 5000, "3d", "3d 0h"]
  ] as const) {
    it(`${millis} ms are a span of ${text}, or ${padded} in a column`, () => {
      assert.strictEqual(Format.span(millis), text)
      assert.strictEqual(Format.span(millis, { padded: true }), padded)
    })
  }

  it("tells what was measured", () => {
    assert.deepStrictEqual(
      [350, 2000, 29_750, 61_000].map((millis) => Format.measured(millis)),
      ["350 ms", "2 s", "29.75 s", "61 s"]
    )
  })

  it("counts with commas, and in the plural where there is not one", () => {
    assert.strictEqual(Format.many(1, "row"), "1 row")
    assert.strictEqual(Format.many(0, "row"), "0 rows")
    assert.strictEqual(Format.many(1_234_567, "row"), "1,234,567 rows")
  })

  it("says of a time how long ago it is, and that it is yet to come where a clock was wrong", () => {
    const now = Date.parse("2025-12-11T08:00:00Z")
    const ago = (time: string) => Format.ago(Date.parse(time), now)
    assert.strictEqual(ago("2025-12-11T03:00:00Z"), "5h ago")
    assert.strictEqual(ago("2025-12-11T08:00:00Z"), "just now")
    assert.strictEqual(ago("2025-12-11T08:00:30Z"), "just now")
    assert.strictEqual(ago("2026-12-11T08:00:00Z"), "in 365d")
  })

  it("shows three figures at the most, whatever the size", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.nat(), FastCheck.nat(), (one, other) =>
        assert.match(Format.bytes(one * other), /^(\d{1,3}|\d\.\d|\d{4,} PB)( [kMGTP]?B)?$/)
      )
    )
  })
})
