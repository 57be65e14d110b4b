import { assert, describe, it } from "@effect/vitest"
import { Duration, Option } from "effect"
import * as FastCheck from "effect/FastCheck"
import * as Format from "../../src/Common/Format.js"
import * as SpanText from "../../src/Common/SpanText.js"

const millisOf = (text: string) =>
  Option.getOrUndefined(Option.map(SpanText.parse(text), Duration.toMillis))

describe("SpanText", () => {
  for (const [text, millis] of [
    ["10s", 10_000],
    ["10 seconds", 10_000],
    ["1h 30m", 5_400_000],
    ["1h30m", 5_400_000],
    ["1.5 hours", 5_400_000],
    ["800 millis", 800],
    ["800ms", 800],
    [" 2 Weeks ", 14 * 86_400_000],
    ["0 seconds", 0],
    ["500 micros", 0.5]
  ] as const) {
    it(`reads "${text}"`, () => assert.strictEqual(millisOf(text), millis))
  }

  for (const text of [
    "",
    "10",
    "ten seconds",
    "10 parsecs",
    "-5s",
    "10s later",
    "1e3s",
    "s",
    "Infinity"
  ]) {
    it(`reads no span in "${text}"`, () => assert.isUndefined(millisOf(text)))
  }

  it("reads what Format writes, to its second unit", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.integer({ min: 0, max: 90 * 86_400_000 }), (millis) => {
        const read = millisOf(Format.span(millis)) ?? Number.NaN
        assert.isAtMost(Math.abs(millis - read), Math.max(1000, millis / 12))
      })
    )
  })

  it("is what the pattern for editors says", () => {
    const pattern = new RegExp(SpanText.pattern)
    for (const text of ["10s", "1h 30m", "800 millis", "2 weeks"]) assert.match(text, pattern)
    for (const text of ["10", "10 parsecs", "-5s"]) assert.notMatch(text, pattern)
  })
})
