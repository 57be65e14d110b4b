/**
 * Cron expressions where clocks are set: the cases by hand, and then every zone of the tz database over
 * ten years.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cron, DateTime, Either, Option } from "effect"
import * as CronTime from "../../src/Common/CronTime.js"
import * as WallTime from "../../src/Common/WallTime.js"

const cron = (expression: string, zone: string) =>
  Either.getOrThrow(Cron.parse(expression, Option.getOrThrow(DateTime.zoneFromString(zone))))

const millis = (iso: string) => Date.parse(iso)
const iso = (time: number) => new Date(time).toISOString().slice(0, 16)

/** So many times after this one. */
const due = (expression: string, zone: string, from: string, count: number) => {
  const times: Array<string> = []
  let time = millis(from)
  for (let index = 0; index < count; index++) {
    time = CronTime.next(cron(expression, zone), time)
    times.push(iso(time))
  }
  return times
}

/** The same, found from the last one back. */
const before = (expression: string, zone: string, until: string, count: number) => {
  const times: Array<string> = []
  let time = millis(until)
  for (let index = 0; index < count; index++) {
    time = CronTime.last(cron(expression, zone), time)
    times.unshift(iso(time))
    time -= 1
  }
  return times
}

describe("a time that the clock leaves out", () => {
  for (const [expression, zone, from, times] of [
    [
      "30 2 * * *",
      "Europe/Berlin",
      "2026-03-28T00:00:00Z",
      ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]
    ],
    [
      "0 2 * * *",
      "America/New_York",
      "2026-03-07T00:00:00Z",
      ["2026-03-07T07:00", "2026-03-08T07:00", "2026-03-09T06:00"]
    ],
    ["0 0 * * *", "Africa/Cairo", "2026-04-23T00:00:00Z", ["2026-04-23T22:00", "2026-04-24T21:00"]],
    ["0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", ["2026-03-28T22:00", "2026-03-29T21:00"]],
    [
      "0 0 * * *",
      "America/Santiago",
      "2026-09-05T12:00:00Z",
      ["2026-09-06T04:00", "2026-09-07T03:00"]
    ],
    [
      "0 12 30 * *",
      "Pacific/Apia",
      "2011-12-01T00:00:00Z",
      ["2011-12-30T10:00", "2012-01-29T22:00"]
    ],
    [
      "0,15,30 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-03T15:00:00Z",
      ["2026-10-03T15:30", "2026-10-04T15:00", "2026-10-04T15:15", "2026-10-04T15:30"]
    ],
    [
      "*/30 * * * *",
      "Europe/Berlin",
      "2026-03-29T00:00:00Z",
      ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"]
    ]
  ] as const) {
    it(`is passed: ${expression} in ${zone}`, () => {
      assert.deepStrictEqual(due(expression, zone, from, times.length), [...times])
      const last = `${times.at(-1)}:00Z`
      assert.deepStrictEqual(before(expression, zone, last, times.length), [...times])
    })
  }
})

describe("an hour that comes twice", () => {
  it("has both its halves twice for what goes by the interval", () => {
    const halves = ["00:00", "00:30", "01:00", "01:30", "02:00", "02:30"].map(
      (time) => `2026-10-25T${time}`
    )
    for (const expression of ["*/30 * * * *", "0,30 0-23 * * *"]) {
      assert.deepStrictEqual(due(expression, "Europe/Berlin", "2026-10-24T23:59:00Z", 6), halves)
      assert.deepStrictEqual(before(expression, "Europe/Berlin", "2026-10-25T02:59:59Z", 6), halves)
    }
  })

  it("has a named time once, the first time", () => {
    const times = ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]
    assert.deepStrictEqual(due("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3), times)
    assert.deepStrictEqual(before("30 2 * * *", "Europe/Berlin", "2026-10-26T01:30:00Z", 3), times)
    const second = CronTime.last(
      cron("30 2 * * *", "Europe/Berlin"),
      millis("2026-10-25T01:10:00Z")
    )
    assert.strictEqual(iso(second), "2026-10-25T00:30")
  })
})

it("a time between two seconds is after the first", () => {
  const daily = cron("0 3 * * *", "UTC")
  assert.strictEqual(
    iso(CronTime.last(daily, millis("2026-01-01T03:00:00.400Z"))),
    "2026-01-01T03:00"
  )
  assert.strictEqual(iso(CronTime.last(daily, millis("2026-01-01T03:00:00Z"))), "2026-01-01T03:00")
  assert.strictEqual(
    iso(CronTime.last(daily, millis("2026-01-01T02:59:59.999Z"))),
    "2025-12-31T03:00"
  )
})

const hour = 3_600_000
const day = 24 * hour
const from = millis("2020-01-01T00:00:00Z")
const until = millis("2030-01-01T00:00:00Z")

interface Change {
  readonly at: number
  readonly by: number
}

/** When clocks are set in this zone, found by halves. */
const changes = (
  zone: DateTime.TimeZone,
  samples: ReadonlyArray<number>
): ReadonlyArray<Change> => {
  const offset = (time: number) => WallTime.at(time, zone) - time
  return samples.flatMap((sample, index): ReadonlyArray<Change> => {
    const by = (samples[index + 1] ?? sample) - sample
    if (by === 0) return []
    let [early, late] = [from + index * step, from + (index + 1) * step]
    while (late - early > 1) {
      const middle = Math.floor((early + late) / 2)
      if (offset(middle) === sample) early = middle
      else late = middle
    }
    return [{ at: late, by }]
  })
}

const step = 21 * day

describe("every zone of the tz database, for ten years", () => {
  // Many zones set their clocks alike: each way is looked at once.
  const ways = new Map<string, readonly [DateTime.TimeZone, ReadonlyArray<number>]>()
  for (const name of Intl.supportedValuesOf("timeZone")) {
    const zone = Option.getOrThrow(DateTime.zoneFromString(name))
    const samples: Array<number> = []
    for (let time = from; time < until; time += step) samples.push(WallTime.at(time, zone) - time)
    ways.set(samples.join(), [zone, samples])
  }
  const all = [...ways.values()].flatMap(([zone, samples]) =>
    changes(zone, samples).map((change) => ({ ...change, zone }))
  )

  it("passes gaps and overlaps by the interval where hours are not named", () => {
    assert.isAbove(all.length, 300)
    for (const { at, zone } of all) {
      const halves = Either.getOrThrow(Cron.parse("*/30 * * * *", zone))
      // Not every change is at a whole hour: one was at 00:01.
      const start = Math.floor((at - 2 * hour) / 300_000) * 300_000
      const expected: Array<number> = []
      for (let time = start; time <= at + 2 * hour; time += 300_000) {
        if ((WallTime.at(time, zone) / 60_000) % 30 === 0) expected.push(time)
      }
      const found: Array<number> = []
      let time = start - 1
      while ((time = CronTime.next(halves, time)) <= at + 2 * hour) found.push(time)
      assert.deepStrictEqual(found, expected, `${DateTime.zoneToString(zone)} ${iso(at)}`)
      for (const one of expected) assert.strictEqual(CronTime.last(halves, one + 59_999), one)
    }
  })

  it("comes due once each day for a time that is named, left out or not", () => {
    for (const { at, by, zone } of all) {
      // In the middle of what is left out or comes twice, and at both of its ends.
      const wall = WallTime.at(at - 1, zone) + 1
      const start = by > 0 ? wall : wall + by
      for (const shift of [0, Math.abs(by) / 2, Math.abs(by)]) {
        const minute = Math.round((start + shift) / 60_000)
        const daily = Either.getOrThrow(
          Cron.parse(`${minute % 60} ${Math.floor(minute / 60) % 24} * * *`, zone)
        )
        const where = `${DateTime.zoneToString(zone)} ${iso(at)} ${shift}`
        let time = at - 1.5 * day
        let previous = CronTime.last(daily, time)
        let count = 0
        while ((time = CronTime.next(daily, time)) < at + 1.5 * day) {
          assert.strictEqual(CronTime.last(daily, time), time, where)
          assert.isBelow(CronTime.last(daily, time - 1), time, where)
          const isLeftOut = by > 0 && shift >= 0 && shift < by && Math.abs(time - at) < hour
          if (isLeftOut) assert.strictEqual(time, at, where)
          assert.isAtMost(Math.abs(time - previous - day), Math.abs(by), where)
          previous = time
          count += 1
        }
        assert.isAtLeast(count, 2, where)
      }
    }
  })
})
