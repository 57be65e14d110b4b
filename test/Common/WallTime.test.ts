import { assert, describe, it } from "@effect/vitest"
import { DateTime, Option } from "effect"
import * as WallTime from "../../src/Common/WallTime.js"

const berlin = Option.getOrThrow(DateTime.zoneFromString("Europe/Berlin"))

const read = (text: string, of: "first" | "last" = "first") =>
  Option.getOrUndefined(
    Option.map(WallTime.read(text), (written) =>
      DateTime.formatIso(WallTime.toMoment(written, berlin, of))
    )
  )

describe("a time that somebody wrote", () => {
  it("is in the zone, unless it names its own", () => {
    assert.strictEqual(read("2026-05-01 22:00"), "2026-05-01T20:00:00.000Z")
    assert.strictEqual(read("2026-05-01T22:00:30"), "2026-05-01T20:00:30.000Z")
    assert.strictEqual(read("2026-05-01"), "2026-04-30T22:00:00.000Z")
    assert.strictEqual(read("2026-05-01T22:00:00Z"), "2026-05-01T22:00:00.000Z")
    assert.strictEqual(read("2026-05-01 22:00 -03:00"), "2026-05-02T01:00:00.000Z")
  })

  it("is the moment of the change where the clock leaves it out", () => {
    assert.strictEqual(read("2026-03-29 02:30"), "2026-03-29T01:00:00.000Z")
  })

  it("is the first or the last where it comes twice", () => {
    assert.strictEqual(read("2026-10-25 02:30"), "2026-10-25T00:30:00.000Z")
    assert.strictEqual(read("2026-10-25 02:30", "last"), "2026-10-25T01:30:00.000Z")
  })

  for (const wrong of [
    "01.05.2026 22:00",
    "05/01/2026 22:00",
    "May 1, 2026 22:00",
    "2026-5-1 22:00",
    "2026-02-31 22:00",
    "2026-05-01 24:00",
    "2026-05-01 25:00",
    "22:00",
    "2026-05-01T22:00:00 Europe/Berlin",
    ""
  ]) {
    it(`is not ${JSON.stringify(wrong)}`, () => assert.isUndefined(read(wrong)))
  }
})
