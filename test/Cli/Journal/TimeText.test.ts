import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, FastCheck, Option } from "effect"
import * as WallTime from "../../../src/Common/WallTime.js"
import * as TimeText from "../../../src/Cli/Journal/TimeText.js"

const now = DateTime.unsafeMake("2025-12-11T12:30:45.678Z")
const iso = (time: Option.Option<DateTime.Utc>) =>
  Option.getOrUndefined(Option.map(time, DateTime.formatIso))

const past = (text: string, zone = WallTime.utc) => iso(TimeText.past(text, now, zone))
const future = (text: string, zone = WallTime.utc) => iso(TimeText.future(text, now, zone))

describe("TimeText", () => {
  it("reads times that have been", () => {
    assert.strictEqual(past("12:00"), "2025-12-11T12:00:00.000Z")
    assert.strictEqual(past("22:40"), "2025-12-10T22:40:00.000Z")
    assert.strictEqual(past("3:05:07"), "2025-12-11T03:05:07.000Z")
    assert.strictEqual(past("2025-12-01"), "2025-12-01T00:00:00.000Z")
    assert.strictEqual(past("2025-12-01 22:40"), "2025-12-01T22:40:00.000Z")
    assert.strictEqual(past("2025-12-01T22:40:05.5+01:00"), "2025-12-01T21:40:05.500Z")
    assert.strictEqual(past("2 hours ago"), "2025-12-11T10:30:45.678Z")
    assert.strictEqual(past("1h 30m ago"), "2025-12-11T11:00:45.678Z")
    assert.strictEqual(past("now"), DateTime.formatIso(now))
  })

  it("reads times that are yet to come", () => {
    assert.strictEqual(future("22:40"), "2025-12-11T22:40:00.000Z")
    assert.strictEqual(future("12:30"), "2025-12-12T12:30:00.000Z")
    assert.strictEqual(future("2025-12-12"), "2025-12-12T00:00:00.000Z")
  })

  it("reads a time without a zone as the clock shows it there, also where that clock is set", () => {
    const berlin = DateTime.zoneUnsafeMakeNamed("Europe/Berlin")
    assert.strictEqual(past("13:00", berlin), "2025-12-11T12:00:00.000Z")
    assert.strictEqual(past("13:40", berlin), "2025-12-10T12:40:00.000Z")
    assert.strictEqual(past("2025-06-01 22:40", berlin), "2025-06-01T20:40:00.000Z")
    assert.strictEqual(past("2025-06-01T22:40:00Z", berlin), "2025-06-01T22:40:00.000Z")
    assert.strictEqual(future("0:15", berlin), "2025-12-11T23:15:00.000Z")
    const spring = DateTime.unsafeMake("2026-03-28T12:00:00Z")
    const next = TimeText.future("11:00", spring, berlin)
    assert.strictEqual(iso(next), "2026-03-29T09:00:00.000Z")
  })

  it("refuses what is neither", () => {
    for (const text of [
      "",
      "25:00",
      "12:60",
      "2025-02-31",
      "2025-13-01",
      "2025-12-01T25:00",
      "yesterday",
      "ago",
      "2 parsecs ago",
      "-2 hours ago",
      "0h ago",
      "2026-01-01"
    ]) {
      assert.isUndefined(past(text), text)
    }
    for (const text of ["2025-12-11T12:30:45Z", "2 hours", "2024-01-01"]) {
      assert.isUndefined(future(text), text)
    }
  })

  it("reads spans in every way that people write them", () => {
    const minutes = (text: string) =>
      Option.getOrUndefined(Option.map(TimeText.span(text), Duration.toMinutes))
    assert.deepStrictEqual(
      ["2h", "90m", "1d", "30 minutes", "1 hour", "1.5h", "1h30m", "2 hrs", "1w", "60s"].map(
        minutes
      ),
      [120, 90, 1440, 30, 60, 90, 90, 120, 10_080, 1]
    )
    for (const text of ["", "2", "h", "-1h", "0h", "2 fortnights", "1e9d", "99999999d", "m30"]) {
      assert.isUndefined(minutes(text), text)
    }
  })

  it("never fails, and what it reads lies on the right side of now", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string(), (text) => {
        assert.isTrue(
          Option.match(TimeText.past(text, now, WallTime.utc), {
            onNone: () => true,
            onSome: (time) => time.epochMillis <= now.epochMillis
          })
        )
      })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.nat(23), FastCheck.nat(59), (hours, minutes) => {
        const text = `${hours}:${String(minutes).padStart(2, "0")}`
        const last = Option.getOrThrow(TimeText.past(text, now, WallTime.utc))
        const next = Option.getOrThrow(TimeText.future(text, now, WallTime.utc))
        assert.strictEqual(next.epochMillis - last.epochMillis, 86_400_000)
        assert.isTrue(last.epochMillis <= now.epochMillis && next.epochMillis > now.epochMillis)
      })
    )
  })
})
