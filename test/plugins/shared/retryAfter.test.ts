import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { httpDate, retryAfter } from "../../../src/plugins/shared/HttpExchange.js"

const now = 784_111_777_000 // Sun, 06 Nov 1994 08:49:37 GMT

describe("retryAfter", () => {
  it("seconds and the three forms of an HTTP date", () => {
    assert.deepStrictEqual(retryAfter("120", now), Duration.seconds(120))
    assert.deepStrictEqual(retryAfter(" 0 ", now), Duration.zero)
    for (const date of [
      "Sun, 06 Nov 1994 08:49:47 GMT",
      "Sunday, 06-Nov-94 08:49:47 GMT",
      "Sun Nov  6 08:49:47 1994"
    ]) {
      assert.deepStrictEqual(retryAfter(date, now), Duration.seconds(10), date)
    }
  })
  it("a past date is now, and more than a day is a day", () => {
    assert.deepStrictEqual(retryAfter("Sun, 06 Nov 1994 08:49:07 GMT", now), Duration.zero)
    assert.deepStrictEqual(retryAfter("99999999999999999999", now), Duration.days(1))
    assert.deepStrictEqual(retryAfter("Fri, 06 Nov 2099 08:49:07 GMT", now), Duration.days(1))
  })
  it("garbage counts as absent", () => {
    for (const text of [undefined, "", "soon", "-5", "1.5", "2020-01-01", "0x10", "1e3"]) {
      assert.isUndefined(retryAfter(text, now), text)
    }
    assert.isUndefined(httpDate("Sun, 99 Nov 1994 08:49:47 GMT"))
  })
})
