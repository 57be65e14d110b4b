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

  it.each([
    // Berlin sets its clock back at 01:00 UTC, from 03:00 to 02:00.
    ["Europe/Berlin", "2026-10-25T00:10Z", "02:30", "2026-10-24T00:30Z", "2026-10-25T00:30Z"],
    ["Europe/Berlin", "2026-10-25T01:10Z", "02:30", "2026-10-25T00:30Z", "2026-10-25T01:30Z"],
    ["Europe/Berlin", "2026-10-25T01:40Z", "02:30", "2026-10-25T01:30Z", "2026-10-26T01:30Z"],
    [
      "Europe/Berlin",
      "2026-10-25T01:10Z",
      "2026-10-25 02:30",
      "2026-10-25T00:30Z",
      "2026-10-25T01:30Z"
    ],
    ["Europe/Berlin", "2026-10-25T12:00Z", "2026-10-25 02:30", "2026-10-25T01:30Z", undefined],
    ["Europe/Berlin", "2026-10-24T12:00Z", "2026-10-25 02:30", undefined, "2026-10-25T00:30Z"],
    [
      "Europe/Berlin",
      "2026-10-25T01:10Z",
      "2026-10-25T02:30+02:00",
      "2026-10-25T00:30Z",
      undefined
    ],
    // Sydney at 16:00 UTC of the day before, from 03:00 to 02:00; Lord Howe by half an hour.
    ["Australia/Sydney", "2026-04-04T16:10Z", "02:30", "2026-04-04T15:30Z", "2026-04-04T16:30Z"],
    ["Australia/Sydney", "2026-04-04T17:00Z", "02:30", "2026-04-04T16:30Z", "2026-04-05T16:30Z"],
    ["Australia/Lord_Howe", "2026-04-04T15:05Z", "01:40", "2026-04-04T14:40Z", "2026-04-04T15:10Z"]
  ])("in %s at %s %s was %s and will be %s, also where it comes twice", (...row) => {
    const [name, at, text, last, next] = row
    const zone = DateTime.zoneUnsafeMakeNamed(name)
    const then = DateTime.unsafeMake(at)
    const moment = (utc: string | undefined) =>
      utc === undefined ? undefined : DateTime.formatIso(DateTime.unsafeMake(utc))
    assert.strictEqual(iso(TimeText.past(text, then, zone)), moment(last))
    assert.strictEqual(iso(TimeText.future(text, then, zone)), moment(next))
  })

  it("means of every time of the day the moments next to now, in every night that sets a clock", () => {
    const nights = [
      ["Europe/Berlin", "2026-10-24T22:00:00Z"],
      ["Europe/Berlin", "2026-03-28T22:00:00Z"],
      ["Australia/Sydney", "2026-04-04T13:00:00Z"],
      ["America/Santiago", "2026-04-05T00:00:00Z"]
    ] as const
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...nights),
        FastCheck.nat(8 * 60),
        FastCheck.nat(24 * 60 - 1),
        ([name, night], passed, minute) => {
          const zone = DateTime.zoneUnsafeMakeNamed(name)
          const then = DateTime.addDuration(DateTime.unsafeMake(night), Duration.minutes(passed))
          const two = (count: number) => String(count).padStart(2, "0")
          const text = `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
          const [last, next] = [
            Option.getOrThrow(TimeText.past(text, then, zone)).epochMillis,
            Option.getOrThrow(TimeText.future(text, then, zone)).epochMillis
          ]
          // The clock shows the time at no moment between them.
          const shows = (moment: number) => WallTime.digits(moment, zone).slice(11, 16) === text
          for (let moment = last + 60_000; moment < next; moment += 60_000) {
            assert.isFalse(shows(moment), `${text} at ${DateTime.formatIso(then)}`)
          }
        }
      )
    )
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
